"""Event patterns: read once, matched often, as EventBridge's rule engine does (user guide, "Event patterns").

Fields below one array must match within the same element. Plain numbers are compared by their text: 300 is not 300.0.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import JsonError, load

LONGEST = 4096
"""Characters of a pattern."""
ABSENT = object()
Test = Callable[[Any], bool]
"""Whether a scalar of an event, or ABSENT, is what one value of a pattern wants."""
_OPERATORS = frozenset({
    "prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr", "exists",
})  # fmt: skip
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


class InvalidPattern(ServiceError):
    """A text that is no event pattern, in EventBridge's words."""

    code, status = "InvalidEventPatternException", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")


@dataclass(frozen=True)
class Pattern:
    """A pattern. `fields` are objects' names with what they want; one of `alternatives`, if any, must match too.
    `words` are the fields that must be one of some texts, which `fields` has too."""

    fields: Mapping[str, Pattern | tuple[Test, ...]]
    alternatives: tuple[Pattern, ...] = ()
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def matches(self, event: Any) -> bool:
        """Whether an event (or a part of one) matches."""
        if isinstance(event, list):
            return any(self.matches(part) for part in event if isinstance(part, dict | list))
        if not isinstance(event, dict):
            event = {}
        return all(_field(wanted, event.get(name, ABSENT)) for name, wanted in self.fields.items()) and (
            not self.alternatives or any(pattern.matches(event) for pattern in self.alternatives)
        )


def _field(wanted: Pattern | tuple[Test, ...], value: Any) -> bool:
    if isinstance(wanted, Pattern):
        return wanted.matches(value)
    if isinstance(value, list):
        return any(_field(wanted, part) for part in value) if value else _field(wanted, ABSENT)
    if isinstance(value, dict):
        value = ABSENT  # only leaves have values
    return any(test(value) for test in wanted)


def parse(text: str) -> Pattern:
    """The pattern of a JSON text. Raises `InvalidPattern`."""
    try:
        document = load(text)
    except JsonError as error:
        raise InvalidPattern(f"Filter is not an object: {error}") from error
    if not isinstance(document, dict):
        raise InvalidPattern("Filter is not an object")
    if not document:
        raise InvalidPattern("Event pattern is empty")
    return _pattern(document)


def _pattern(document: Mapping[str, Any]) -> Pattern:
    fields: dict[str, Pattern | tuple[Test, ...]] = {}
    alternatives: tuple[Pattern, ...] = ()
    words: dict[str, frozenset[str]] = {}
    for name, value in document.items():
        if name == "$or" and _is_or(value):
            alternatives = tuple(_pattern(part) for part in value)
        elif isinstance(value, dict):
            if not value:
                raise InvalidPattern("Empty objects are not allowed")
            fields[name] = _pattern(value)
        elif isinstance(value, list):
            if not value:
                raise InvalidPattern("Empty arrays are not allowed")
            fields[name] = tuple(_test(part) for part in value)
            if all(isinstance(part, str) for part in value):
                words[name] = frozenset(value)
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return Pattern(fields, alternatives, words)


def _is_or(value: Any) -> bool:
    """``$or`` is an operator where its value looks like one, and a field's name otherwise."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(part, dict) and part and not _OPERATORS & part.keys() for part in value)
    )


def _test(value: Any) -> Test:
    if isinstance(value, dict):
        if len(value) != 1:
            raise InvalidPattern("Only one key allowed in match expression")
        ((name, argument),) = value.items()
        if name not in _OPERATORS:
            raise InvalidPattern(f"Unrecognized match type {name}")
        return _BUILDERS[name](argument)
    if isinstance(value, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    return _plain(value)


def _plain(wanted: Any) -> Test:
    if isinstance(wanted, str) or wanted is None or isinstance(wanted, bool):
        return lambda value: type(value) is type(wanted) and value == wanted
    text = repr(wanted)
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and repr(value) == text


def _text(name: str, argument: Any) -> str:
    if not isinstance(argument, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return argument


def _on_text(test: Callable[[str], bool]) -> Test:
    return lambda value: isinstance(value, str) and test(value)


def _prefix(argument: Any) -> Test:
    return _affix("prefix", argument, str.startswith)


def _suffix(argument: Any) -> Test:
    return _affix("suffix", argument, str.endswith)


def _affix(name: str, argument: Any, compare: Callable[[str, str], bool]) -> Test:
    if isinstance(argument, dict):
        if list(argument) != ["equals-ignore-case"]:
            raise InvalidPattern(f"Unsupported anything-but pattern: {next(iter(argument), '')}")
        part = _text(name, argument["equals-ignore-case"]).lower()
        return _on_text(lambda value: compare(value.lower(), part))
    text = _text(name, argument)
    return _on_text(lambda value: compare(value, text))


def _equals_ignore_case(argument: Any) -> Test:
    text = _text("equals-ignore-case", argument).lower()
    return _on_text(lambda value: value.lower() == text)


def _wildcard(argument: Any) -> Test:
    pieces, position, text = [""], 0, _text("wildcard", argument)
    while position < len(text):
        sign = text[position]
        if sign == "*":
            if text[position + 1 : position + 2] == "*":
                raise InvalidPattern(f"Consecutive wildcard characters at pos {position}")
            pieces.append("")
        else:
            if sign == "\\":
                position += 1
                if text[position : position + 1] not in ("*", "\\"):
                    raise InvalidPattern(f"Invalid escape character at pos {position - 1}")
            pieces[-1] += re.escape(text[position])
        position += 1
    return _on_text(_glob(pieces))


def _glob(pieces: list[str]) -> Callable[[str], bool]:
    """Matches in linear time: the pieces between stars are looked for one after the other."""
    compiled = [re.compile(piece, re.DOTALL) for piece in pieces]

    def matches(value: str) -> bool:
        first, *middle = compiled
        found = first.match(value)
        if found is None:
            return False
        if not middle:
            return found.end() == len(value)
        position = found.end()
        for piece in middle[:-1]:
            found = piece.search(value, position)
            if found is None:
                return False
            position = found.end()
        last = re.compile(f"(?:{middle[-1].pattern})\\Z", re.DOTALL)
        found = last.search(value, position)
        return found is not None

    return matches


def _anything_but(argument: Any) -> Test:
    """True of every scalar but those named; the field must exist."""
    if isinstance(argument, dict):
        if len(argument) != 1 or next(iter(argument)) not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPattern(f"Unsupported anything-but pattern: {next(iter(argument), '')}")
        ((name, inner),) = argument.items()
        tests = [_BUILDERS[name](part) for part in (inner if isinstance(inner, list) else [inner])]
    else:
        values = argument if isinstance(argument, list) else [argument]
        if not values:
            raise InvalidPattern("Empty arrays are not allowed")
        kinds = {"text" if isinstance(value, str) else "number" for value in values}
        if len(kinds) > 1 or any(isinstance(value, dict | list | bool) or value is None for value in values):
            raise InvalidPattern("Inside anything but list, either all values are number or string, mixed type is not "
                                 "supported")  # fmt: skip
        tests = [_plain(value) for value in values]
    return lambda value: value is not ABSENT and not any(test(value) for test in tests)


def _numeric(argument: Any) -> Test:
    if not isinstance(argument, list) or not argument:
        raise InvalidPattern("Value of numeric must be an array.")
    pairs: list[tuple[str, float]] = []
    for position in range(0, len(argument), 2):
        operator = argument[position]
        if operator not in _COMPARISONS:
            raise InvalidPattern(f"Unrecognized numeric range operator: {operator}")
        if position + 1 >= len(argument) or isinstance(argument[position + 1], bool | str | None):
            raise InvalidPattern(f"Value of {operator} must be numeric")
        pairs.append((operator, float(argument[position + 1])))
    _check_range(pairs)
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(_COMPARISONS[operator](value, bound) for operator, bound in pairs)
    )


def _check_range(pairs: list[tuple[str, float]]) -> None:
    if len(pairs) > 2:
        raise InvalidPattern("Too many elements in numeric expression")
    if len(pairs) == 2:
        (first, low), (second, high) = pairs
        if first not in (">", ">=") or second not in ("<", "<="):
            raise InvalidPattern(f"Bad numeric range operator: {second if first in ('>', '>=') else first}")
        if low >= high:
            raise InvalidPattern("Bottom must be less than top")


def _cidr(argument: Any) -> Test:
    try:
        network = ipaddress.ip_network(_text("cidr", argument), strict=False)
    except ValueError as error:
        raise InvalidPattern(f"Malformed CIDR, one '/' required: {argument}") from error

    def inside(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        return address.version == network.version and address in network

    return _on_text(inside)


def _exists(argument: Any) -> Test:
    if not isinstance(argument, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: (value is not ABSENT) is argument


_BUILDERS: dict[str, Callable[[Any], Test]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
