"""Filter policies and delivery policies of subscriptions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend
from moto.sns.utils import FilterPolicyMatcher

from local_sagemaker.services.sns import filter_policies
from local_sagemaker.services.sns.delivery_policies import delay, effective


@pytest.fixture(autouse=True)
def installed() -> None:
    filter_policies.install()


def attribute(kind: str, value: Any) -> dict[str, dict[str, Any]]:
    return {"a": {"Type": kind, "Value": value}}


@pytest.mark.parametrize(
    ("policy", "attributes", "passing"),
    [
        ({"a": [{"numeric": [">", 0, "<=", 100]}]}, attribute("Number", "100"), True),
        ({"a": [{"numeric": [">", 0]}]}, attribute("String", "100"), False),
        ({"a": ["x"]}, attribute("String.Array", '["x", "y"]'), True),
        ({"a": [{"anything-but": {"suffix": "x"}}]}, attribute("String", "xy"), True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, attribute("String", "10.0.0.255"), True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, attribute("String", "x"), True),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"equals-ignore-case": "X"}]}, attribute("String", "x"), True),
    ],
)
def test_what_passes_by_its_attributes(policy: Any, attributes: Any, passing: bool) -> None:
    assert FilterPolicyMatcher(policy, None).matches(attributes, "text") is passing


@pytest.mark.parametrize(
    ("message", "passing"),
    [
        ({"r": [{"n": "a", "k": 1}, {"n": "b", "k": 2}]}, True),
        ({"r": [{"n": "a", "k": 2}, {"n": "b", "k": 1}]}, False),
        ([], False),
        ("text", False),
    ],
)
def test_what_passes_by_its_body(message: Any, passing: bool) -> None:
    matcher = FilterPolicyMatcher({"r": {"n": ["a"], "k": [1]}}, "MessageBody")
    assert matcher.matches({}, json.dumps(message)) is passing


def test_policies_that_are_refused() -> None:
    backend: Any = SNSBackend("us-east-1", "123456789012")
    backend._validate_filter_policy({"$or": [{"a": [{"cidr": "10.0.0.0/8"}]}, {"b": ["x"]}]}, None)
    for policy, text in (
        ({"a": [{"like": "x"}]}, "Unrecognized match type like"),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": {"b": ["x"]}}, "does not support nested"),
        ({name: ["x"] for name in "abcdef"}, "more than 5 keys"),
        ({name: list(range(6)) for name in "abc"}, "too complex"),
    ):
        with pytest.raises(SNSInvalidParameter, match=text):
            backend._validate_filter_policy(policy, None)


def test_delays_between_tries() -> None:
    def delays(policy: dict[str, Any], topic: dict[str, Any] | None = None) -> list[float | None]:
        found = effective(json.dumps({"healthyRetryPolicy": policy}), json.dumps(topic or {}))
        return [delay(found, tries) for tries in range(1, 8)]

    assert delays({})[:4] == [20, 20, 20, None]
    given = {
        "numRetries": 6, "numNoDelayRetries": 1, "numMinDelayRetries": 1, "numMaxDelayRetries": 2, "minDelayTarget": 2,
        "maxDelayTarget": 10,
    }  # fmt: skip
    assert delays(given) == [0, 2, 6, 10, 10, 10, None]
    for function in ("arithmetic", "geometric", "exponential"):
        assert delays({**given, "backoffFunction": function})[2] < 6
    assert delays(given, {"http": {"disableSubscriptionOverrides": True}})[:4] == [20, 20, 20, None]
