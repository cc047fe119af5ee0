"""What policy documents decide about an action (IAM user guide, "Policy evaluation logic"). Pure functions.

An explicit Deny wins, else an Allow decides, else the action is implicitly denied.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from local_sagemaker.json_text import JsonError, load

Context = Mapping[str, Sequence[str]]
"""Condition keys in lower case, and their values."""


@dataclass(frozen=True)
class IamPolicy:
    """A named document of statements."""

    name: str
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, name: str, text: str) -> IamPolicy:
        """A policy from its JSON text."""
        document = load(text)
        if not isinstance(document, dict):
            raise JsonError("it is no object")
        return cls(name, document)

    @property
    def statements(self) -> list[Mapping[str, Any]]:
        """The statements; a single one need not be in a list."""
        return [dict(statement) for statement in _many(self.document.get("Statement", []))]


def is_document(text: str) -> bool:
    """Whether a text is a policy at all: clients can't read a role whose trust policy is none."""
    try:
        IamPolicy.parse("", text)
    except JsonError:
        return False
    return True


@dataclass(frozen=True)
class Decision:
    """``allowed``, ``explicitDeny`` or ``implicitDeny``, and what it follows from."""

    outcome: str
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = field(default=())


def decide(policies: Sequence[IamPolicy], action: str, resource: str, context: Context) -> Decision:
    """The decision of a principal's policies together."""
    allowed: list[str] = []
    denied: list[str] = []
    missing: set[str] = set()
    for policy in policies:
        for statement in policy.statements:
            if not _concerns(statement, action, resource, context):
                continue
            absent = {key for key in _keys(statement) if key.lower() not in context}
            if not holds(statement.get("Condition", {}), context):
                missing |= absent
                continue
            (allowed if statement.get("Effect") == "Allow" else denied).append(policy.name)
    if denied:
        return Decision("explicitDeny", tuple(denied))
    if allowed:
        return Decision("allowed", tuple(allowed))
    return Decision("implicitDeny", (), tuple(sorted(missing)))


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether all conditions of a statement are met."""
    return all(
        _condition(operator, context.get(key.lower()), [str(value) for value in _many(wanted)])
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def matches(pattern: str, text: str, *, case: bool = True) -> bool:
    """Whether a text matches a pattern with ``*`` and ``?``."""
    return bool(_pattern(pattern, case).fullmatch(text))


@lru_cache(maxsize=4096)
def _pattern(pattern: str, case: bool) -> re.Pattern[str]:
    """What stands between two stars is looked for once, from left to right, so that no text takes long."""
    first, *rest = ["".join("." if char == "?" else re.escape(char) for char in part) for part in pattern.split("*")]
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    end = f".*{rest[-1]}" if rest else ""
    return re.compile(first + middle + end, re.DOTALL if case else re.DOTALL | re.IGNORECASE)


def _concerns(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    return _among(statement, "Action", action, context, case=False) and _among(
        statement, "Resource", resource, context, case=True
    )


def _among(statement: Mapping[str, Any], element: str, value: str, context: Context, *, case: bool) -> bool:
    if element in statement:
        return any(matches(_fill(one, context), value, case=case) for one in _many(statement[element]))
    if f"Not{element}" in statement:
        return not any(matches(_fill(one, context), value, case=case) for one in _many(statement[f"Not{element}"]))
    return element == "Resource"  # Trust policies name none.


def _fill(text: str, context: Context) -> str:
    """The text with policy variables such as ``${aws:PrincipalTag/team}`` filled in."""

    def value(match: re.Match[str]) -> str:
        values = context.get(match[1].lower())
        return values[0] if values else match[0]

    return re.sub(r"\$\{([^}]+)\}", value, text)


def _keys(statement: Mapping[str, Any]) -> set[str]:
    return {key for keys in statement.get("Condition", {}).values() for key in keys}


def _condition(operator: str, actual: Sequence[str] | None, wanted: list[str]) -> bool:
    every = operator.startswith("ForAllValues:")
    name = operator.split(":", 1)[-1]
    if name == "Null":
        return (actual is None) == (wanted[0].lower() == "true")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    compare = _OPERATORS.get(_NEGATED.get(name, name))
    if compare is None:
        return False
    if not actual:
        return optional or negated or every
    results = [any(compare(value, one) for one in wanted) != negated for value in actual]
    return all(results) if every or negated else any(results)


def _comparison(parse: Callable[[str], Any], keeps: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    def compare(actual: str, wanted: str) -> bool:
        try:
            return keeps(parse(actual), parse(wanted))
        except ValueError:
            return False

    return compare


def _orders(prefix: str, parse: Callable[[str], Any]) -> dict[str, Callable[[str, str], bool]]:
    return {
        f"{prefix}Equals": _comparison(parse, lambda a, b: a == b),
        f"{prefix}LessThan": _comparison(parse, lambda a, b: a < b),
        f"{prefix}LessThanEquals": _comparison(parse, lambda a, b: a <= b),
        f"{prefix}GreaterThan": _comparison(parse, lambda a, b: a > b),
        f"{prefix}GreaterThanEquals": _comparison(parse, lambda a, b: a >= b),
    }


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.lower() == wanted.lower(),
    "StringLike": lambda actual, wanted: matches(wanted, actual),
    "ArnEquals": lambda actual, wanted: matches(wanted, actual),
    "ArnLike": lambda actual, wanted: matches(wanted, actual),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "IpAddress": _comparison(ipaddress.ip_network, lambda a, b: a.version == b.version and a.subnet_of(b)),
    **_orders("Numeric", float),
    **_orders("Date", datetime.fromisoformat),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
