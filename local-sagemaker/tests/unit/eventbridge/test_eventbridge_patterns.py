"""Event patterns: what matches, and what is refused in EventBridge's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_sagemaker.eventbridge.patterns import InvalidPattern, parse


def matches(pattern: Any, event: Any) -> bool:
    return parse(json.dumps(pattern)).matches(event)


@pytest.mark.parametrize(
    ("pattern", "event", "matching"),
    [
        ({"a": ["x", "y"]}, {"a": "y", "b": 1}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
        ({"a": ["x"]}, {"a": ["q", "x"]}, True),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [""]}, {"a": None}, False),
        ({"a": [300]}, {"a": 300}, True),
        ({"a": [300]}, {"a": 300.0}, False),
        ({"a": [True]}, {"a": 1}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
        ({"a": {"b": ["1"], "c": ["2"]}}, {"a": [{"b": "1", "c": "3"}, {"b": "2", "c": "2"}]}, False),
        ({"a": {"b": ["1"], "c": ["2"]}}, {"a": [{"b": "1", "c": "2"}]}, True),
        ({"a": [{"prefix": "ab"}]}, {"a": "abc"}, True),
        ({"a": [{"prefix": {"equals-ignore-case": "AB"}}]}, {"a": "abc"}, True),
        ({"a": [{"suffix": ".csv"}]}, {"a": "x.csv"}, True),
        ({"a": [{"equals-ignore-case": "ABC"}]}, {"a": "abc"}, True),
        ({"a": [{"wildcard": "a*c*e"}]}, {"a": "abcde"}, True),
        ({"a": [{"wildcard": "a*c*e"}]}, {"a": "abde"}, False),
        ({"a": [{"wildcard": "*ab"}]}, {"a": "abab"}, True),
        ({"a": [{"wildcard": r"a\*b"}]}, {"a": "a*b"}, True),
        ({"a": [{"wildcard": r"a\*b"}]}, {"a": "axb"}, False),
        ({"a": [{"anything-but": ["x", "y"]}]}, {"a": "z"}, True),
        ({"a": [{"anything-but": "x"}]}, {}, False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xyz"}, False),
        ({"a": [{"anything-but": [1, 2]}]}, {"a": 3}, True),
        ({"a": [{"numeric": [">", 1, "<=", 5]}]}, {"a": 5.0}, True),
        ({"a": [{"numeric": ["=", 300]}]}, {"a": 300.0}, True),
        ({"a": [{"numeric": [">", 1]}]}, {"a": "2"}, False),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.7"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.7"}, False),
        ({"a": [{"exists": False}]}, {"b": 1}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": ["z"]}, {"b": "y", "c": "z"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": ["z"]}, {"c": "z"}, False),
    ],
)
def test_what_matches(pattern: Any, event: Any, matching: bool) -> None:
    assert matches(pattern, event) is matching


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"a": "x"}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": [{"like": "x"}]}, "Unrecognized match type like"),
        ({"a": [{"numeric": 3}]}, "Value of numeric must be an array."),
        ({"a": [{"numeric": ["<", 3, ">", 1]}]}, "Bad numeric range operator: <"),
        ({"a": [{"numeric": [">", 3, ">", 4]}]}, "Bad numeric range operator: >"),
        ({"a": [{"wildcard": "a**"}]}, "Consecutive wildcard characters at pos 1"),
    ],
)
def test_what_is_no_pattern(pattern: Any, reason: str) -> None:
    with pytest.raises(InvalidPattern) as raised:
        parse(json.dumps(pattern))
    assert raised.value.message == f"Event pattern is not valid. Reason: {reason}"


def test_wildcards_take_linear_time() -> None:
    assert not matches({"a": [{"wildcard": "*a" * 50 + "*b"}]}, {"a": "a" * 100_000})
