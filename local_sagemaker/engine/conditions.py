"""Conditions of a Condition step: evaluated on resolved values, AND-ed, with short circuit.

Both spellings are read: the SDKs' (``In`` with QueryValue and Values, ``Not`` with Condition) and the public
schema's (``In`` with Value and In, ``NotEquals``, ``NotIn``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from local_sagemaker.engine.expressions import text

Resolve = Callable[[Any], Any]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
TYPES = ("Equals", "NotEquals", *_ORDER, "In", "NotIn", "Not", "Or", "And")


class ConditionError(Exception):
    """The values can't be compared; the condition step fails with this text."""


def holds(conditions: list[dict[str, Any]], resolve: Resolve) -> bool:
    """Whether all conditions hold; `resolve` evaluates the expressions in an operand when it is needed."""
    return all(_holds(condition, resolve) for condition in conditions)


def problems(conditions: Any) -> Iterator[str]:
    """What is wrong with the form of a list of conditions, nested ones included."""
    if not isinstance(conditions, list):
        yield "Conditions must be an array"
        return
    for condition in conditions:
        kind = condition.get("Type") if isinstance(condition, dict) else None
        if kind not in TYPES:
            yield f"Type of a condition must be one of {', '.join(TYPES)}, not {kind!r}"
        elif kind == "Not":
            yield from problems([condition.get("Condition")])
        elif kind in ("Or", "And"):
            yield from problems(condition.get("Conditions"))


def _holds(condition: dict[str, Any], resolve: Resolve) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"], resolve)
    if kind == "Or":
        return any(_holds(inner, resolve) for inner in condition["Conditions"])
    if kind == "And":
        return holds(condition["Conditions"], resolve)
    if kind in ("In", "NotIn"):
        value = resolve(condition["QueryValue"] if "QueryValue" in condition else condition.get("Value"))
        choices = resolve(condition["Values"] if "Values" in condition else condition.get("In", []))
        found = any(_comparable(value, choice) and _equal(value, choice) for choice in choices)
        return found == (kind == "In")
    left, right = resolve(condition.get("LeftValue")), resolve(condition.get("RightValue"))
    if not _comparable(left, right):
        raise ConditionError(
            f"{kind} can't compare {_describe(left)} with {_describe(right)}: the types of the values differ."
        )
    if kind in ("Equals", "NotEquals"):
        return _equal(left, right) == (kind == "Equals")
    try:
        return _ORDER[kind](left, right)
    except TypeError as error:
        raise ConditionError(f"{kind} can't order {_describe(left)} and {_describe(right)}.") from error


def _comparable(left: Any, right: Any) -> bool:
    return _family(left) == _family(right) or _as_truth(left, right) is not None


def _equal(left: Any, right: Any) -> bool:
    truth = _as_truth(left, right)
    return truth if truth is not None else bool(left == right)


def _as_truth(left: Any, right: Any) -> bool | None:
    """Equality of a Boolean with a string that spells one: outcomes are ``True`` in listings, ``true`` in joins."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, bool) and isinstance(other, str) and other.lower() in ("true", "false"):
            return one == (other.lower() == "true")
    return None


def _family(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int | float):
        return "number"
    families: dict[type, str] = {str: "String", list: "list", dict: "object"}
    return families.get(type(value), "null")


def _describe(value: Any) -> str:
    return f"{text(value)!r} ({_family(value)})"
