"""Filter policies and delivery policies of subscriptions."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import SNSBackend, sns_backends
from moto.sns.utils import FilterPolicyMatcher

from local_sagemaker.services.sns import delivery_policies, filter_policies
from local_sagemaker.services.sns.delivery_policies import delay, effective


@pytest.fixture(autouse=True)
def installed() -> None:
    filter_policies.install()
    delivery_policies.install()


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


def test_an_empty_filter_policy_takes_it_away() -> None:
    backend: Any = sns_backends["123456789012"]["us-east-1"]
    topic = backend.create_topic("filtered")
    arn = backend.subscribe(topic.arn, "http://127.0.0.1:9", "http").arn
    for policy in ('{"a": ["x"]}', "{}"):
        backend.set_subscription_attributes(arn, "FilterPolicy", policy)
    assert FilterPolicyMatcher({}, None).matches({}, "text")
    with pytest.raises(SNSInvalidParameter):
        backend.set_subscription_attributes(arn, "FilterPolicy", '{"a": {}}')


@pytest.mark.parametrize(
    ("retries", "reason"),
    [
        ([1], "must be an object"),
        ({"numRetries": "x"}, "numRetries must be a whole number"),
        ({"numRetries": 101}, "numRetries must be"),
        ({"numRetries": True}, "numRetries must be a whole number"),
        ({"numRetries": 2, "numNoDelayRetries": 3}, "numRetries must be at least"),
        ({"minDelayTarget": 30}, "1 <= minDelayTarget <= maxDelayTarget <= 3600"),
        ({"maxDelayTarget": 3601}, "maxDelayTarget <= 3600"),
        ({"minDelayTarget": 1.5}, "minDelayTarget must be a whole number"),
        ({"backoffFunction": []}, "backoffFunction must be one of linear, arithmetic"),
        ({"backoffFunction": "exponential", "numRetries": 5, "minDelayTarget": 1}, ""),
    ],
)
def test_delivery_policies_are_checked_when_they_are_set(retries: Any, reason: str) -> None:
    backend: Any = sns_backends["123456789012"]["us-east-1"]
    topic = backend.create_topic("checked")
    arn = backend.subscribe(topic.arn, "http://127.0.0.1:9", "http").arn
    of_topic = json.dumps({"http": {"defaultHealthyRetryPolicy": retries}})
    for act in (
        lambda: backend.set_topic_attribute(topic.arn, "delivery_policy", of_topic),
        lambda: backend.create_topic("other", {"DeliveryPolicy": of_topic}),
        lambda: backend.set_subscription_attributes(arn, "DeliveryPolicy", json.dumps({"healthyRetryPolicy": retries})),
    ):
        with pytest.raises(SNSInvalidParameter, match=reason) if reason else nullcontext():
            act()


@pytest.mark.parametrize("policy", ["[]", "x", '{"http": []}', '{"http": {"disableSubscriptionOverrides": "x"}}',
                                    '{"http": {"defaultRequestPolicy": {"headerContentType": 1}}}'])  # fmt: skip
def test_odd_delivery_policies_are_refused(policy: str) -> None:
    with pytest.raises(SNSInvalidParameter, match="DeliveryPolicy"):
        delivery_policies.check(policy, of_topic=True)
