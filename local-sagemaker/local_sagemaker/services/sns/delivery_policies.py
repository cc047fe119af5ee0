"""Delivery policies of HTTP endpoints: how often and when a delivery is tried again (developer guide, "Message delivery
retries")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {
    "minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "numNoDelayRetries": 0, "numMinDelayRetries": 0,
    "numMaxDelayRetries": 0, "backoffFunction": "linear",
}  # fmt: skip
CONTENT_TYPE = "text/plain; charset=UTF-8"


def effective(subscription: str, topic: str) -> dict[str, Any]:
    """The retry policy, and the ``contentType``, of a subscription of a topic, by their texts."""
    own, of_topic = _load(subscription), _load(topic).get("http", {})
    if of_topic.get("disableSubscriptionOverrides"):
        own = {}
    retries = {**DEFAULTS, **of_topic.get("defaultHealthyRetryPolicy", {}), **(own.get("healthyRetryPolicy") or {})}
    request = {**of_topic.get("defaultRequestPolicy", {}), **(own.get("requestPolicy") or {})}
    return {**retries, "contentType": request.get("headerContentType", CONTENT_TYPE)}


def _load(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


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
