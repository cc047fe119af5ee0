"""Numbers as text: short enough to read, long enough to compare."""

from __future__ import annotations

import math
from typing import Any


def number(value: Any) -> str:
    """Five significant digits, thousands separated; text (``Infinity``) and nothing as they are."""
    if value is None:
        return "none"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:,.0f}"


def real(value: Any) -> float | None:
    """A finite number, or None. Clarify writes infinities as text."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{100 * share:.1f} %"


def relative(before: float, now: float) -> str:
    """By how much ``now`` lies above or below ``before``."""
    if before == now:
        return "unchanged"
    if not before:
        return f"{now - before:+.4g}"
    return f"{percent(abs(now - before) / abs(before))} {'above' if now > before else 'below'}"
