"""Numbers as pages word them, and as they are read from the texts of clients and files."""

from __future__ import annotations

from typing import Any

_MOST_DIGITS = 8


def number(value: Any) -> str:
    """Four significant digits; the whole value belongs into the title."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        amount = float(value)
    except (TypeError, ValueError):
        return str(value)
    if amount.is_integer() and abs(amount) < 1e9:
        return f"{int(amount):,}"
    return f"{amount:.4g}"


def count(value: Any) -> str:
    """Thousands separated."""
    return f"{int(value):,}"


def size(value: Any) -> str:
    """Bytes in units of a thousand."""
    if value is None:
        return "-"
    amount = float(value)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""


def whole(text: str, default: int) -> int:
    """A number of at most eight ASCII digits; `default` for every other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else default


def is_number(text: str) -> bool:
    """Whether a text is a number, with a sign and a fraction or without."""
    try:
        float(text)
    except ValueError:
        return False
    return True
