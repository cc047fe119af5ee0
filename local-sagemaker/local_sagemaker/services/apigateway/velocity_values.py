"""Values in a template: how Java writes them, and the operators on them.

Objects are dicts. Arrays of JSON are lists and are written as JSON, since API Gateway's are those of a JSON library;
what a template makes is a `Listing` and is written as Java writes its collections (seen in LocalStack's tests, which
run against AWS).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from local_sagemaker.services.apigateway.velocity_syntax import VelocityError

LARGEST = 10 * 1024 * 1024
"""Letters of the longest text that a template may make (API Gateway's largest payload)."""


class Listing(list[Any]):
    """A list that the template made."""


class MapEntry(dict[str, Any]):
    """An entry of a map, with a key and a value."""

    def __init__(self, key: Any, value: Any) -> None:
        super().__init__(key=key, value=value)


def text(value: Any) -> str:
    """A value as it is put into text."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, MapEntry):
        return f"{text(value['key'])}={text(value['value'])}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(key)}={text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Listing):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, list):
        return to_json(value)
    return str(value)


def to_json(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def concatenate(parts: Iterable[str]) -> str:
    """The parts as one text. Raises TemplateError when it would be too long."""
    pieces, size = [], 0
    for part in parts:
        size += len(part)
        if size > LARGEST:
            raise VelocityError(f"the template makes more than {LARGEST} characters")
        pieces.append(part)
    return "".join(pieces)


def is_true(value: Any) -> bool:
    """What conditions ask: everything but null and false, as in Velocity 1.7."""
    return value is not None and value is not False


def is_number(value: Any) -> bool:
    """Whether it is a number; Booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def long(value: int) -> int:
    """A whole number in the 64 bits of Java's."""
    return (value + 2**63) % 2**64 - 2**63


def calculate(operator: str, left: Any, right: Any) -> Any:
    """``+ - * / %``; null where Java has no result. Plus joins texts."""
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return concatenate([text(left), text(right)])
    if not is_number(left) or not is_number(right) or (operator in "/%" and not right):
        return None
    try:
        result = _ARITHMETIC[operator](left, right)
    except OverflowError:
        return None
    return long(result) if isinstance(result, int) else result


def compare(operator: str, left: Any, right: Any) -> bool:
    """``== != < > <= >=``; an order is only among numbers, or among texts."""
    if operator in ("==", "!="):
        return _equal(left, right) == (operator == "==")
    if not (is_number(left) and is_number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        return False
    return bool(_ORDER[operator](left, right))


def _equal(left: Any, right: Any) -> bool:
    if is_number(left) and is_number(right):
        return bool(left == right)
    return type(left) is type(right) and bool(left == right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    whole = isinstance(left, int) and isinstance(right, int)
    return left - right * _divide(left, right) if whole else math.fmod(left, right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _double(value: float) -> str:
    """A double as Java's Double.toString writes it."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        shown = f"{value:.17f}".rstrip("0") if "e" in repr(value) else repr(value)
        return shown if not shown.endswith(".") else f"{shown}0"
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        mantissa, _, exponent = _scientific(value)
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}E{int(exponent)}"


def _scientific(value: float) -> tuple[str, str, str]:
    digits = len(repr(value).replace("-", "").replace(".", "").strip("0")) or 1
    return f"{value:.{digits - 1}e}".partition("e")
