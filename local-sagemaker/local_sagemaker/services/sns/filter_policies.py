"""Filter policies of subscriptions, by the engine of EventBridge's patterns, which SNS has too (developer guide,
"Filter policies"). moto's own knows neither ``$or`` between fields nor addresses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_sagemaker.eventbridge.patterns import InvalidPattern, parse
from local_sagemaker.json_text import JsonError, load


def install() -> None:
    """Changes moto's classes."""
    from moto.sns.models import SNSBackend
    from moto.sns.utils import FilterPolicyMatcher

    backend: Any = SNSBackend
    if not hasattr(backend, "check_limits_plainly"):
        backend.check_limits_plainly = backend._validate_filter_policy
    backend._validate_filter_policy = _check
    matcher: Any = FilterPolicyMatcher
    matcher.matches = _matches


def _check(backend: Any, policy: Any, scope: str | None) -> None:
    """moto checks how large a policy is, the engine what it says."""
    from moto.sns.exceptions import SNSInvalidParameter

    if policy == {}:
        return  # takes a policy away (developer guide, "Removing a subscription filter policy")
    try:
        parse(json.dumps(policy))
    except InvalidPattern as error:
        reason = error.message.partition("Reason: ")[2]
        raise SNSInvalidParameter(f"Invalid parameter: FilterPolicy: {reason}") from error
    backend.check_limits_plainly(_without_operators(policy), scope)


def _without_operators(policy: Any) -> Any:
    if isinstance(policy, dict):
        return {name: _without_operators(part) for name, part in policy.items()}
    if not isinstance(policy, list):
        return policy
    if all(isinstance(part, dict) and all(isinstance(one, dict | list) for one in part.values()) for part in policy):
        nested = [part for part in policy if not any(name in _OPERATORS for name in part)]
        if len(nested) == len(policy):  # the alternatives of $or
            return [_without_operators(part) for part in policy]
    return ["operator" if isinstance(part, dict) else part for part in policy]


_OPERATORS = frozenset(
    {"anything-but", "numeric", "prefix", "suffix", "wildcard", "cidr", "exists", "equals-ignore-case"}
)


def _matches(matcher: Any, attributes: Mapping[str, Any] | None, message: str) -> bool:
    """Whether a message passes: by its attributes, or by its body, which must be an object then."""
    if not matcher.filter_policy:
        return True
    if matcher.filter_policy_scope == "MessageAttributes":
        event = {name: _value(attribute) for name, attribute in (attributes or {}).items()}
    else:
        try:
            event = load(message)
        except JsonError:
            return False
        if not isinstance(event, dict):
            return False
    return parse(json.dumps(matcher.filter_policy)).matches(event)


def _value(attribute: Mapping[str, Any]) -> Any:
    """An attribute's value as a pattern sees it."""
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Number"):
        return float(value)
    if kind == "String.Array":
        try:
            return load(value)
        except JsonError:
            return value
    return value if isinstance(value, str) else None
