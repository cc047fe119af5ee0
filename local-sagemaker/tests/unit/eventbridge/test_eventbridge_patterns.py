"""Event patterns (DEL-33): what matches, and what is refused in EventBridge's words, as AWS's rule engine has it."""

from __future__ import annotations

import json
import time
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
        ({"a": [300]}, {"a": 300.0}, True),
        ({"a": [3e2]}, {"a": 300}, True),
        ({"a": [300]}, {"a": "300"}, False),
        ({"a": [1]}, {"a": True}, False),
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
        ({"$or": [{"a": [{"exists": False}]}, {"b": [{"numeric": ["<", 1]}]}]}, {"a": 1, "b": 0}, True),
        ({"$or": [{"prefix": "x"}, {"suffix": "y"}]}, {"$or": "xz"}, True),
        ({"a": {"b.c": ["x"]}}, {"a": {"b": {"c": "x"}}}, True),
        ({"a": {"b": {"c": ["x"]}}}, {"a.b": {"c": "x"}}, True),
        ({"a": [{"exists": False}]}, {"a": []}, True),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": {"b": [{"exists": False}]}}, {"a": [{"b": 1}, {"c": 2}]}, False),
        ({"a": {"b": ["x"], "c": [{"exists": False}]}}, {"a": [{"b": "x"}, {"b": "y", "c": 1}]}, True),
        ({"a": {"b": [{"exists": False}], "c": [1]}}, {"a": [{"b": "x"}, {"c": 1}]}, False),
        ({"a": {"b": {"d": ["1"]}, "c": ["2"]}}, {"a": [{"b": [{"d": "1"}], "c": "3"}, {"c": "2"}]}, False),
        ({"a": {"b": {"d": ["1"]}, "c": ["2"]}}, {"a": [{"b": [{"d": "0"}, {"d": "1"}], "c": "2"}]}, True),
        ({"a": {"b": ["1"]}, "z": {"b": ["2"]}}, {"a": [{"b": "0"}, {"b": "1"}], "z": [{"b": "2"}]}, True),
        ({"a": ["1"], "b": ["2"]}, {"a": ["0", "1"], "b": ["2", "3"]}, True),
        ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": "zy"}, True),
        ({"a": [{"anything-but": {"suffix": ["x", "y"]}}]}, {"a": "zy"}, False),
        ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": "a/lib/b"}, False),
        ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, {"a": 5}, True),
        ({"a": [{"anything-but": {"equals-ignore-case": ["X", "Y"]}}]}, {"a": "x"}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": None}, True),
        ({"a": [{"anything-but": [1]}]}, {"a": 1.0}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": ["x", "y"]}, True),
        ({"a": [{"suffix": {"equals-ignore-case": ".CSV"}}]}, {"a": "x.csv"}, True),
        ({"a": [{"prefix": ""}]}, {"a": ""}, True),
        ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
        ({"a": [{"cidr": "2001:db8::/32"}]}, {"a": "2001:db8:0:0::7"}, True),
        ({"a": ["2001:db8::1"]}, {"a": "2001:db8:0:0::1"}, True),
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
        ({"a": [{"numeric": ["<", 3, ">", 1]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 3, ">", 4]}]}, "Bad numeric range operator: >"),
        ({"a": [{"wildcard": "a**"}]}, "Consecutive wildcard characters at pos 2"),
        ({"a": [{"wildcard": 1}]}, "wildcard match pattern must be a string"),
        ({"a": [{"EXISTS": True}]}, "Unrecognized match type EXISTS"),
        ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
        ({"a": [{"numeric": ["<", "1"]}]}, "Value of < must be numeric"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
        ({"a": [{"cidr": "10.0.0.0/x"}]}, "Malformed CIDR, mask bits must be an integer"),
        ({"a": [{"cidr": "10.x/8"}]}, "Nonstandard IP address: 10.x"),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed"),
        ({"a": [{"anything-but": {"suffix": ["x", 1]}}]}, "prefix/suffix match pattern must be a string"),
        ({"a": [{"anything-but": [None]}]}, "Inside anything but list, start|null|boolean is not supported."),
        ({"a": [{"anything-but": None}]}, "Value of anything-but must be an array or single string/number value."),
        (
            {"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]},
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            {"a": [{"anything-but": ["x", 1]}]},
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (
            {"a": [{"anything-but": {"equals-ignore-case": ["x", 1]}}]},
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        ),
        ({}, "Empty objects are not allowed"),
    ],
)
def test_what_is_no_pattern(pattern: Any, reason: str) -> None:
    with pytest.raises(InvalidPattern) as raised:
        parse(json.dumps(pattern))
    assert raised.value.message == f"Event pattern is not valid. Reason: {reason}"


def test_wildcards_take_linear_time() -> None:
    assert not matches({"a": [{"wildcard": "*a" * 50 + "*b"}]}, {"a": "a" * 100_000})


@pytest.mark.parametrize(
    "element", [{"a": 1, "b": 1}, {"a": 1, "y": [{"b": 1}]}, {"y": [{"a": 1, "b": 1}]}, {"y": [[{"a": 1}], [{"b": 2}]]}]
)
def test_arrays_take_linear_time(element: Any) -> None:
    """Fields of the elements' own, and of arrays within them; a quadratic way takes minutes."""
    inner = "y" in element
    pattern = {"x": {"a": [1], "b": [2], "y": {"a": [1], "b": [2]}}} if inner else {"x": {"a": [1], "b": [2]}}
    pattern = {"$or": [pattern, {"x": {"y": {"a": [1], "b": [2]}}}, {"x": {"a": [1], "y": {"b": [2]}}}]}
    started = time.process_time()
    assert not matches(pattern, {"x": [element] * 30_000})
    assert time.process_time() - started < 10


def test_alternatives_that_multiply_are_refused_in_time() -> None:
    pattern = {f"p{number}": {"$or": [{name: ["x"]} for name in "abcd"]} for number in range(10)}
    with pytest.raises(InvalidPattern, match="combinations"):
        parse(json.dumps(pattern))


def test_arrays_beside_one_another_take_no_more_time_than_their_sum() -> None:
    event = {name: [{"x": number} for number in range(50)] for name in "abcdefgh"}
    assert matches({name: {"x": [{"exists": True}]} for name in "abcdefgh"}, event)
