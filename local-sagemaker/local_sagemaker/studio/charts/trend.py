"""A small chart of one measure over executions, with the baseline and the bound as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from local_sagemaker.studio.charts.scale import thin
from local_sagemaker.studio.views.numbers import number

WIDTH, HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 300.0, 112.0, 16.0, 14.0, 6.0, 10.0
_LABEL, _NEAR = 11.0, 20.0
"""The height of a label, which is below its line where another line is so near above it."""
_LINE = Markup(
    '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="note" x="{}" y="{}" text-anchor="end">{}</text>'
)


def draw(
    points: Sequence[tuple[float, float]], title: str, baseline: float | None = None, bound: float | None = None,
    *, is_outside: bool = False,
) -> Markup:  # fmt: skip
    """The values in their order, evenly spaced: executions are not always as far apart in time."""
    shown = thin(tuple((float(place), value) for place, (_, value) in enumerate(points) if math.isfinite(value)))
    lines = [
        (kind, word, value)
        for kind, word, value in (("baseline-line", "baseline", baseline), ("bound", "bound", bound))
        if value is not None and math.isfinite(value)
    ]
    if not shown:
        return Markup("")
    values = [value for _, value in shown] + [value for _, _, value in lines]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    widest = max(shown[-1][0], 1.0)

    def x_of(place: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (place / widest if len(shown) > 1 else 0.5), 1)

    def y_of(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - low) / span, 1)

    label = f"{title}: {len(shown)} executions, newest {number(shown[-1][1])}"
    label += "".join(f", {word} {number(value)}" for _, word, value in lines)
    parts = [Markup('<svg class="chart trend" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
        label, WIDTH, HEIGHT)]  # fmt: skip
    for kind, word, value in lines:
        y = y_of(value)
        text = f"{word} {number(value)}"
        is_crowded = any(0 < y - y_of(other) < _NEAR for _, _, other in lines)
        parts.append(
            _LINE.format(kind, LEFT, WIDTH - RIGHT, y, y, WIDTH - RIGHT, y + (_LABEL if is_crowded else -4), text)
        )
    places = [(x_of(place), y_of(value)) for place, value in shown]
    return Markup("").join([*parts, *_curve(places, is_outside=is_outside), Markup("</svg>")])


def _curve(places: Sequence[tuple[float, float]], *, is_outside: bool) -> list[Markup]:
    """The curve with a dot an execution, the newest the largest, and marked where it violates the bound."""
    path = " ".join(f"{'L' if at else 'M'}{x} {y}" for at, (x, y) in enumerate(places))
    parts = [Markup('<path class="curve c0" d="{}"/>').format(path)]
    for x, y in places[-40:]:
        is_newest = (x, y) == places[-1]
        look = " newest" if is_newest and is_outside else ""
        parts.append(
            Markup('<circle class="dot c0{}" cx="{}" cy="{}" r="{}"/>').format(look, x, y, 3.5 if is_newest else 2.5)
        )
    return parts
