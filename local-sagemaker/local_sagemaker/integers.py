"""Whole numbers in texts of clients. `str.isdigit` is true of "²" and "٣" too, and `int` takes "1_0" and " 1 "."""

from __future__ import annotations

import re

_NATURAL = re.compile(r"[0-9]{1,18}")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def natural(text: str) -> int | None:
    """The number that ASCII digits alone stand for (at most 18 of them: no size or time is longer), else None."""
    return int(text) if _NATURAL.fullmatch(text) else None


def whole(text: str) -> int | None:
    """The same, with a sign where there is one."""
    return int(text) if _WHOLE.fullmatch(text) else None
