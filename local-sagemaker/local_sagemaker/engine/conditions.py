"""Conditions of a Condition step: evaluated on resolved values, AND-ed, with short circuit.

Both spellings are read: the SDKs' (``In`` with QueryValue and Values, ``Not`` with Condition) and the public
schema's (``In`` with Value and In, ``NotEquals``, ``NotIn``).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from local_sagemaker.engine.expressions import text
from local_sagemaker.engine.grammar import quote, read_object

Resolve = Callable[[Any], Any]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
TYPES = ("Equals", "NotEquals", *_ORDER, "In", "NotIn", "Not", "Or")


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
            yield f"Type of a condition must be one of {', '.join(TYPES)}, not {quote(kind)}"
            return
        known = _members(condition)
        read_object(condition, "Type", *known)
        missing = [name for name in known if name not in condition]
        if missing:
            yield f"A condition of type {kind} has no {missing[0]}"
        elif kind == "Not":
            yield from problems([condition["Condition"]])
        elif kind == "Or":
            yield from problems(condition["Conditions"])
        elif kind in ("In", "NotIn") and not isinstance(condition[known[1]], list):
            yield f"{known[1]} of a condition must be an array"


def operands(conditions: list[dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The names and values of what the conditions compare, nested ones included."""
    for condition in conditions:
        if condition["Type"] in ("Not", "Or"):
            yield from operands(condition["Conditions"] if "Conditions" in condition else [condition["Condition"]])
            continue
        for name in _members(condition):
            value = condition[name]
            if name in ("Values", "In"):
                yield from ((name, item) for item in value)
            else:
                yield name, value


def _members(condition: dict[str, Any]) -> tuple[str, ...]:
    kind = condition["Type"]
    if kind == "Not":
        return ("Condition",)
    if kind == "Or":
        return ("Conditions",)
    if kind in ("In", "NotIn"):
        return ("Value", "In") if "In" in condition or "Value" in condition else ("QueryValue", "Values")
    return ("LeftValue", "RightValue")


def _holds(condition: dict[str, Any], resolve: Resolve) -> bool:
    kind = condition["Type"]
    if kind == "Not":
        return not _holds(condition["Condition"], resolve)
    if kind == "Or":
        return any(_holds(inner, resolve) for inner in condition["Conditions"])
    if kind in ("In", "NotIn"):
        value = resolve(condition["QueryValue"] if "QueryValue" in condition else condition.get("Value"))
        choices = resolve(condition["Values"] if "Values" in condition else condition.get("In", []))
        is_among = any(_comparable(value, choice) and _equal(value, choice) for choice in choices)
        return is_among == (kind == "In")
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
