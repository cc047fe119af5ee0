"""What the values in an event pattern want: plain values, and the operators (user guide, "Comparison operators").

Errors have the texts that AWS gives, without the place in the text that it adds.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.errors import ServiceError

ABSENT = object()
"""What a test is given where an event lacks the field."""
ValueTest = Callable[[Any], bool]
"""Whether a scalar of an event, or ABSENT, is what one value of a pattern wants."""
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_ONE_KEY = "Only one key allowed in match expression"


class InvalidPattern(ServiceError):
    """A text that is no event pattern, in EventBridge's words."""

    code, status = "InvalidEventPatternException", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")


def value_test(value: Any) -> ValueTest:
    """The test of one value of a pattern. Raises `InvalidPattern`."""
    if isinstance(value, dict):
        if not value:
            raise InvalidPattern("Match expression name not found")
        name, argument = next(iter(value.items()))
        if name not in OPERATORS:
            raise InvalidPattern(f"Unrecognized match type {name}")
        test = OPERATORS[name](argument)
        if len(value) != 1:
            raise InvalidPattern(_ONE_KEY)
        return test
    if isinstance(value, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    return _plain(value)


def is_plain_text(value: Any) -> bool:
    """Whether a value of a pattern is a text that is found by itself: an address has other spellings."""
    return isinstance(value, str) and not _ADDRESS.fullmatch(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(wanted: Any) -> ValueTest:
    """Numbers are compared by their value: 300 is 300.0, as AWS has it (its guide says otherwise)."""
    if _is_number(wanted):
        return lambda value: _is_number(value) and value == wanted
    address = _address(wanted) if isinstance(wanted, str) else None
    if address is not None:
        return lambda value: isinstance(value, str) and (value == wanted or _address(value) == address)
    return lambda value: type(value) is type(wanted) and value == wanted


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text) if _ADDRESS.fullmatch(text) else None
    except ValueError:
        return None


def _text(name: str, argument: Any) -> str:
    if not isinstance(argument, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    return argument


def _on_text(test: Callable[[str], bool]) -> ValueTest:
    return lambda value: isinstance(value, str) and test(value)


def _exactly(argument: Any) -> ValueTest:
    text = _text("exact", argument)
    return _on_text(lambda value: value == text)


def _prefix(argument: Any) -> ValueTest:
    return _affix("prefix", argument, str.startswith)


def _suffix(argument: Any) -> ValueTest:
    return _affix("suffix", argument, str.endswith)


def _affix(name: str, argument: Any, compare: Callable[[str, str], bool]) -> ValueTest:
    if not isinstance(argument, dict):
        text = _text(name, argument)
        return _on_text(lambda value: compare(value, text))
    operator = next(iter(argument), None)
    if operator is None:
        raise InvalidPattern(f"{name.capitalize()} expression name not found")
    if operator != "equals-ignore-case":
        raise InvalidPattern(f"Unsupported {name} pattern: {operator}")
    part = _text("equals-ignore-case", argument[operator]).lower()
    if len(argument) != 1:
        raise InvalidPattern(_ONE_KEY)
    return _on_text(lambda value: compare(value.lower(), part))


def _equals_ignore_case(argument: Any) -> ValueTest:
    text = _text("equals-ignore-case", argument).lower()
    return _on_text(lambda value: value.lower() == text)


def _wildcard(argument: Any) -> ValueTest:
    """Positions in errors count the bytes of the text with its opening quote."""
    pieces, position, text = [""], 0, _text("wildcard", argument)
    while position < len(text):
        sign = text[position]
        place = len(text[:position].encode()) + 1
        if sign == "*":
            if text[position + 1 : position + 2] == "*":
                raise InvalidPattern(f"Consecutive wildcard characters at pos {place}")
            pieces.append("")
        else:
            if sign == "\\":
                position += 1
                if text[position : position + 1] not in ("*", "\\"):
                    raise InvalidPattern(f"Invalid escape character at pos {place}")
            pieces[-1] += text[position]
        position += 1
    return _on_text(_glob(pieces))


def _glob(pieces: list[str]) -> Callable[[str], bool]:
    """Matches in linear time: the pieces between stars are looked for one after the other."""
    first, *middle = pieces
    last = middle.pop() if middle else None

    def matches(value: str) -> bool:
        if last is None:
            return value == first
        if not value.startswith(first) or not value.endswith(last):
            return False
        position, end = len(first), len(value) - len(last)
        for piece in middle:
            index = value.find(piece, position, end) if position <= end else -1
            if index < 0:
                return False
            position = index + len(piece)
        return position <= end

    return matches


_KINDS_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
"""What can be meant by anything-but, beside values themselves."""


def _anything_but(argument: Any) -> ValueTest:
    """True of every scalar but those named; the field must exist."""
    tests = _tests_but(argument) if isinstance(argument, dict) else _values_but(argument)
    return lambda value: value is not ABSENT and not any(test(value) for test in tests)


def _tests_but(argument: Mapping[str, Any]) -> list[ValueTest]:
    name = next(iter(argument), None)
    if name is None:
        raise InvalidPattern("Anything-But expression name not found")
    if name not in _KINDS_BUT:
        raise InvalidPattern(f"Unsupported anything-but pattern: {name}")
    inner = argument[name]
    if not isinstance(inner, list) and not isinstance(inner, str) and not _is_number(inner):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    lists = "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
    wrong = {
        "equals-ignore-case": lists,
        "wildcard": "wildcard match pattern must be a string",
    }.get(name, "prefix/suffix match pattern must be a string")
    parts = inner if isinstance(inner, list) else [inner]
    for part in parts:
        if not isinstance(part, str):
            raise InvalidPattern(wrong)
        if name in ("prefix", "suffix") and not part:
            raise InvalidPattern("Null prefix/suffix not allowed")
    tests = [OPERATORS[name](part) for part in parts]
    if len(argument) != 1:
        raise InvalidPattern("Too many elements in numeric expression")
    return tests


def _values_but(argument: Any) -> list[ValueTest]:
    if not isinstance(argument, list | str) and not _is_number(argument):
        raise InvalidPattern("Value of anything-but must be an array or single string/number value.")
    values = argument if isinstance(argument, list) else [argument]
    if any(not isinstance(value, str) and not _is_number(value) for value in values):
        raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
    if len({isinstance(value, str) for value in values}) != 1:
        raise InvalidPattern(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    return [_exactly(value) if isinstance(value, str) else _plain(value) for value in values]


def _numeric(argument: Any) -> ValueTest:
    if not isinstance(argument, list):
        raise InvalidPattern("Value of numeric must be an array.")
    if not argument or not isinstance(argument[0], str):
        raise InvalidPattern(f"Invalid member in numeric match: {argument[0] if argument else ']'}")
    if argument[0] not in _COMPARISONS:
        raise InvalidPattern(f"Unrecognized numeric range operator: {argument[0]}")
    pairs = [(argument[0], _bound(argument, 0))]
    if len(argument) > 2:
        pairs.append(_upper(argument))
    return lambda value: _is_number(value) and all(_COMPARISONS[operator](value, bound) for operator, bound in pairs)


def _bound(argument: list[Any], place: int) -> float:
    """The number behind an operator."""
    operator = argument[place]
    if place + 1 >= len(argument) or not _is_number(argument[place + 1]):
        raise InvalidPattern(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    return argument[place + 1]  # type: ignore[no-any-return]


def _upper(argument: list[Any]) -> tuple[str, float]:
    """The second half of a range, whose first half is a lower bound."""
    if argument[0] not in (">", ">="):
        raise InvalidPattern("Too many elements in numeric expression")
    operator = argument[2]
    if not isinstance(operator, str):
        raise InvalidPattern(f"Bad value in numeric range: {operator}")
    if operator not in ("<", "<="):
        raise InvalidPattern(f"Bad numeric range operator: {operator}")
    top = _bound(argument, 2)
    if len(argument) > 4:
        raise InvalidPattern("Too many terms in numeric range expression")
    if argument[1] >= top:
        raise InvalidPattern("Bottom must be less than top")
    return operator, top


def _cidr(argument: Any) -> ValueTest:
    if not isinstance(argument, str):
        raise InvalidPattern("prefix match pattern must be a string")
    address, *masks = argument.split("/")
    if len(masks) != 1:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?\d+", masks[0]):
        raise InvalidPattern("Malformed CIDR, mask bits must be an integer")
    bits, base = int(masks[0]), _address(address)
    if bits < 0:
        raise InvalidPattern("Malformed CIDR, mask bits must not be negative")
    if base is None:
        raise InvalidPattern(f"Nonstandard IP address: {address}")
    if bits >= base.max_prefixlen:
        raise InvalidPattern(f"IPv{base.version} mask bits must be < {base.max_prefixlen}")
    network = ipaddress.ip_network(f"{address}/{bits}", strict=False)

    def inside(value: str) -> bool:
        own = _address(value)
        return own is not None and own.version == network.version and own in network

    return _on_text(inside)


def _exists(argument: Any) -> ValueTest:
    if not isinstance(argument, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: (value is not ABSENT) is argument


OPERATORS: Mapping[str, Callable[[Any], ValueTest]] = {
    "exactly": _exactly,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
