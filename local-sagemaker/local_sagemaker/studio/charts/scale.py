"""Axes: round numbers between two values, and where a value is on the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers that cover the range; of a single value, the range from zero to it."""
    if not math.isfinite(low) or not math.isfinite(high):
        return [0.0, 1.0]
    if high <= low:
        low, high = min(0.0, low), max(0.0, low) or (0.0 if low else 1.0)
    rough = (high - low) / max(1, count)
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    first = math.floor(low / step)
    return [round(step * place, 12) for place in range(first, math.ceil(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten that cover a range of positive numbers, with their twos and fives where those are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    values = [float(f"{factor}e{power}") for power in range(first, last + 1) for factor in (1, 2, 5)]
    begin = max((place for place, value in enumerate(values) if value <= low), default=0)
    end = next(place for place, value in enumerate([*values, math.inf]) if value >= high)
    fine = values[begin : max(end, begin + 1) + 1]
    if len(fine) <= _MOST_TICKS:
        return fine
    step = math.ceil((last - first) / _MOST_TICKS)
    return [float(f"1e{power}") for power in range(first, last + step, step)]


_MOST_TICKS = 7


def thin(points: Sequence[tuple[float, float]], most: int = 500) -> list[tuple[float, float]]:
    """At most `most` points: the lowest and the highest of each part."""
    if len(points) <= most:
        return list(points)
    size = math.ceil(len(points) / (most // 2))
    chosen: list[tuple[float, float]] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        low, high = min(part, key=lambda item: item[1]), max(part, key=lambda item: item[1])
        chosen += sorted({low, high})
    return chosen
