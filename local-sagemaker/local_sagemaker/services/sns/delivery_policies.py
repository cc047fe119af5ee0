"""Delivery policies of HTTP endpoints: how often and when a delivery is tried again (developer guide, "Message delivery
retries")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.json_text import load

DEFAULTS: Mapping[str, Any] = {
    "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numNoDelayRetries": 0, "numMinDelayRetries": 0,
    "numMaxDelayRetries": 0, "backoffFunction": "linear",
}  # fmt: skip
CONTENT_TYPE = "text/plain; charset=UTF-8"


LONGEST, MOST_RETRIES = 3600, 100
"""Seconds of a delay, and retries (developer guide, "Creating an HTTP/S delivery policy")."""
_RETRIES = ("defaultHealthyRetryPolicy", "healthyRetryPolicy")


def install() -> None:
    """Changes moto's class."""
    from moto.sns.models import SNSBackend

    backend: Any = SNSBackend
    if hasattr(backend, "create_unchecked"):
        return
    backend.create_unchecked = backend.create_topic
    backend.set_topic_unchecked = backend.set_topic_attribute
    backend.set_subscription_unchecked = backend.set_subscription_attributes

    def create_topic(own: Any, name: str, attributes: Any = None, tags: Any = None) -> Any:
        check((attributes or {}).get("DeliveryPolicy", ""), of_topic=True)
        return own.create_unchecked(name, attributes, tags)

    def set_topic_attribute(own: Any, topic_arn: str, attribute_name: str, attribute_value: str) -> None:
        if attribute_name == "delivery_policy":
            check(attribute_value, of_topic=True)
        own.set_topic_unchecked(topic_arn, attribute_name, attribute_value)

    def set_subscription_attributes(own: Any, arn: str, name: str, value: Any) -> None:
        if name == "DeliveryPolicy":
            check(value, of_topic=False)
        if name == "RedrivePolicy":
            check_redrive(value)
        own.set_subscription_unchecked(arn, name, value)

    backend.create_topic = create_topic
    backend.set_topic_attribute = set_topic_attribute
    backend.set_subscription_attributes = set_subscription_attributes


def check(text: str, *, of_topic: bool) -> None:
    """Refuses a policy that deliveries could not go by. Raises moto's error."""
    try:
        policy = load(text or "{}")
    except ValueError:
        policy = None
    http = _part(_object(policy, "the policy"), "http") if of_topic else _object(policy, "the policy")
    for name in _RETRIES:
        _check_retries(_part(http, name))
    for name in ("defaultRequestPolicy", "requestPolicy"):
        if not isinstance(_part(http, name).get("headerContentType", ""), str):
            raise _refusal("headerContentType must be a text")
    if not isinstance(http.get("disableSubscriptionOverrides") or False, bool):
        raise _refusal("disableSubscriptionOverrides must be true or false")


def check_redrive(text: str) -> None:
    """Refuses a policy that names no queue for what can't be delivered. Raises moto's error."""
    from moto.sns.exceptions import SNSInvalidParameter

    try:
        policy = load(text or "{}")
    except ValueError as error:
        raise SNSInvalidParameter("Invalid parameter: RedrivePolicy: failed to parse JSON.") from error
    arn = policy.get("deadLetterTargetArn", "arn:aws:sqs:") if isinstance(policy, dict) else None
    if not isinstance(arn, str) or arn.split(":")[2:3] != ["sqs"]:
        raise SNSInvalidParameter("Invalid parameter: RedrivePolicy: deadLetterTargetArn is not an Amazon SQS queue")


def _check_retries(values: Mapping[str, Any]) -> None:
    policy = {**DEFAULTS, **{name: value for name, value in values.items() if name in DEFAULTS}}
    if policy.pop("backoffFunction") not in tuple(_GROWTH):
        raise _refusal(f"backoffFunction must be one of {', '.join(_GROWTH)}")
    for name, value in policy.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _refusal(f"{name} must be a whole number that is not negative")
    if not 1 <= policy["minDelayTarget"] <= policy["maxDelayTarget"] <= LONGEST:
        raise _refusal(f"1 <= minDelayTarget <= maxDelayTarget <= {LONGEST} must hold")
    phases = sum(policy[name] for name in ("numNoDelayRetries", "numMinDelayRetries", "numMaxDelayRetries"))
    if not phases <= policy["numRetries"] <= MOST_RETRIES:
        raise _refusal(f"numRetries must be at least the sum of the phases' retries, and at most {MOST_RETRIES}")


def _part(policy: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _object(policy.get(name) if policy.get(name) is not None else {}, name)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _refusal(f"{name} must be an object")
    return value


def _refusal(reason: str) -> Exception:
    from moto.sns.exceptions import SNSInvalidParameter

    return SNSInvalidParameter(f"Invalid parameter: DeliveryPolicy: {reason}")


def effective(subscription: str, topic: str) -> dict[str, Any]:
    """The retry policy, and the ``contentType``, of a subscription of a topic, by their texts."""
    own, of_topic = _load(subscription), _load(topic).get("http") or {}
    if of_topic.get("disableSubscriptionOverrides"):
        own = {}
    retries = {**DEFAULTS, **(of_topic.get("defaultHealthyRetryPolicy") or {}), **(own.get("healthyRetryPolicy") or {})}
    request = {**(of_topic.get("defaultRequestPolicy") or {}), **(own.get("requestPolicy") or {})}
    return {**retries, "contentType": request.get("headerContentType", CONTENT_TYPE)}


def _load(text: str) -> dict[str, Any]:
    try:
        policy = load(text or "{}")
    except ValueError:
        return {}
    return policy if isinstance(policy, dict) else {}


def delay(policy: Mapping[str, Any], tries: int) -> float | None:
    """Seconds before the next try when so many have failed; None when there is none.

    Retries come in four phases: at once, after the least delay, with growing delays, after the greatest delay.
    """
    retry, low, high = tries - 1, float(policy["minDelayTarget"]), float(policy["maxDelayTarget"])
    total, at_once = int(policy["numRetries"]), int(policy["numNoDelayRetries"])
    least, greatest = int(policy["numMinDelayRetries"]), int(policy["numMaxDelayRetries"])
    growing = max(0, total - at_once - least - greatest)
    if retry >= total:
        return None
    if retry < at_once:
        return 0.0
    if retry < at_once + least:
        return low
    if retry >= at_once + least + growing:
        return high
    share = (retry - at_once - least + 1) / growing
    return low + (high - low) * _GROWTH.get(policy["backoffFunction"], _GROWTH["linear"])(share)


_GROWTH = {
    "linear": lambda share: share,
    "arithmetic": lambda share: share * (1 + share) / 2,
    "geometric": lambda share: share**2,
    "exponential": lambda share: (2 ** (4 * share) - 1) / 15,
}
"""How far the delay has grown from the least to the greatest; the guide only draws the curves."""
