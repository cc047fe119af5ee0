"""Writes JSON as Spark's Jackson printer does, the style of Model Monitor's files.

``"key" : value``, objects that open on the line of their key, arrays on one line unless they hold objects, and
doubles as Java prints them (``1.4402689218907343E10``, ``3.8E7``, ``3800000.0``).
"""

from __future__ import annotations

import json
import math
from typing import Any

_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7  # the range in which java.lang.Double.toString uses no exponent


def double(value: float) -> str:
    """A double as ``Double.toString`` writes it; Jackson puts quotes around NaN and the infinities."""
    if _PLAIN_FROM <= value < _PLAIN_BELOW or -_PLAIN_BELOW < value <= -_PLAIN_FROM:
        return float.__repr__(value)  # in this range Python writes no exponent either
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    power = int(exponent or 0) + len(whole) - 1
    joined = whole + fraction
    stripped = joined.lstrip("0")
    power -= len(joined) - len(stripped)
    stripped = stripped.rstrip("0") or "0"
    return f"{sign}{stripped[0]}.{stripped[1:] or '0'}E{power}"


def dumps(value: Any) -> str:
    """The document with a newline at its end."""
    parts: list[str] = []
    _write(value, "", parts)
    return "".join(parts) + "\n"


def _write(value: Any, indent: str, parts: list[str]) -> None:
    if isinstance(value, dict):
        _write_object(value, indent, parts)
    elif isinstance(value, list | tuple):
        if not value:
            parts.append("[ ]")
            return
        parts.append("[ ")
        if all(type(item) is float for item in value):  # the many values of a sketch
            parts.append(", ".join(map(double, value)))
        else:
            for position, item in enumerate(value):
                if position:
                    parts.append(", ")
                _write(item, indent, parts)
        parts.append(" ]")
    elif isinstance(value, float):
        parts.append(double(value))
    else:
        parts.append(json.dumps(value, ensure_ascii=False))


def _write_object(value: dict[str, Any], indent: str, parts: list[str]) -> None:
    if not value:
        parts.append("{ }")
        return
    inner = indent + "  "
    for position, (key, member) in enumerate(value.items()):
        parts.append(f"{',' if position else '{'}\n{inner}{json.dumps(key, ensure_ascii=False)} : ")
        _write(member, inner, parts)
    parts.append(f"\n{indent}}}")
