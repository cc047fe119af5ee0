"""Curves with axes, linear or logarithmic, for a wide page and for a phone's: text that is scaled is not read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from local_sagemaker.studio.charts.scale import log_ticks, thin, ticks
from local_sagemaker.studio.views.numbers import number

WIDTHS = {"": 480.0, "wide": 480.0, "narrow": 300.0}
HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 240.0, 56.0, 40.0, 26.0, 16.0
LOG = "log"


_RULE = '" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="'
_BOUND = f'<line class="bound{_RULE}note" x="{{}}" y="{{}}" text-anchor="end">{{}}</text>'
_GRID = f'<line class="grid{_RULE}tick" x="{{}}" y="{{}}" text-anchor="end">{{}}</text>'


@dataclass(frozen=True)
class Series:
    """A curve by name; `kind` is a class: current, baseline, candidate, or points,
    which are not connected."""

    name: str
    points: tuple[tuple[float, float], ...]
    kind: str = "current"


def has_log(series: Sequence[Series], bounds: Sequence[tuple[str, float]] = ()) -> bool:
    """Whether all values are positive, which a logarithm needs."""
    values = [point[1] for item in series for point in item.points if math.isfinite(point[1])]
    return bool(values) and min([*values, *(value for _, value in bounds)]) > 0


def draw(
    series: Sequence[Series], x_label: str = "", y_label: str = "", bounds: Sequence[tuple[str, float]] = (),
    scale: str = "", look: str = "",
) -> Markup:  # fmt: skip
    """A chart; `bounds` are horizontal lines with names. `scale` is "log", or linear; `look` is a class and says how
    wide the drawing is: wide or narrow."""
    shown = [
        Series(item.name, tuple(point for point in thin(item.points) if math.isfinite(point[1])), item.kind)
        for item in series
    ]
    points = [point for item in shown for point in item.points]
    if not points:
        return Markup("")
    x_ticks = ticks(min(point[0] for point in points), max(point[0] for point in points), 4 if look == "narrow" else 6)
    x_ticks = _whole(x_ticks) if all(float(point[0]).is_integer() for point in points) else x_ticks
    values = [point[1] for point in points] + [value for _, value in bounds]
    is_log = scale == LOG and has_log(shown, bounds)
    y_ticks = log_ticks(min(values), max(values)) if is_log else ticks(min(values), max(values))
    place = _Places(x_ticks, y_ticks, WIDTHS[look], is_log=is_log)
    parts = [
        Markup(
            '<svg class="chart {}" role="img" aria-label="{}" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
        ).format(look, f"{y_label} by {x_label}: {', '.join(item.name for item in shown)}", w=place.width, h=HEIGHT)
    ]
    parts += _axes(place, x_ticks, y_ticks, x_label, y_label)
    for name, value in bounds:
        y = place.y(value)
        parts.append(Markup(_BOUND).format(LEFT, place.right, y, y, place.right, y - 4, name))
    for index, item in enumerate(shown):
        path = " ".join(f"{'M' if at == 0 else 'L'}{place.x(x)} {place.y(y)}" for at, (x, y) in enumerate(item.points))
        if item.kind != "points":
            parts.append(Markup('<path class="curve {} c{}" d="{}"/>').format(item.kind, index % 6, path))
        if len(item.points) < 40 or item.kind == "points":
            parts += [
                Markup('<circle class="dot c{}" cx="{}" cy="{}" r="2.5"/>').format(index % 6, place.x(x), place.y(y))
                for x, y in item.points
            ]
    return Markup("").join([*parts, Markup("</svg>")])


def _whole(x_ticks: list[float]) -> list[float]:
    """Without 1.5, where rounds are counted; the ends stay."""
    inner = [value for value in x_ticks[1:-1] if float(value).is_integer()]
    return [x_ticks[0], *inner, x_ticks[-1]]


class _Places:
    def __init__(self, x_ticks: Sequence[float], y_ticks: Sequence[float], width: float, *, is_log: bool) -> None:
        self._place = math.log10 if is_log else float
        self._x, self._y = (x_ticks[0], x_ticks[-1]), (self._place(y_ticks[0]), self._place(y_ticks[-1]))
        self.width, self.right = width, width - RIGHT

    def x(self, value: float) -> float:
        """Pixels from the left."""
        return round(LEFT + (self.right - LEFT) * (value - self._x[0]) / ((self._x[1] - self._x[0]) or 1), 1)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        share = (self._place(value) - self._y[0]) / ((self._y[1] - self._y[0]) or 1)
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share, 1)


def _axes(
    place: _Places, x_ticks: Sequence[float], y_ticks: Sequence[float], x_label: str, y_label: str
) -> list[Markup]:
    parts = []
    for value in y_ticks:
        parts.append(
            Markup(_GRID).format(
                LEFT, place.right, place.y(value), place.y(value), LEFT - 6, place.y(value) + 4, number(value)
            )
        )
    for value in x_ticks:
        parts.append(
            Markup('<text class="tick" x="{}" y="{}" text-anchor="middle">{}</text>').format(
                place.x(value), HEIGHT - BOTTOM + 18, number(value)
            )
        )
    parts.append(
        Markup('<text class="tick" x="{}" y="{}" text-anchor="end">{}</text>').format(place.right, HEIGHT - 3, x_label)
    )
    parts.append(Markup('<text class="tick" x="4" y="10">{}</text>').format(y_label))
    return parts
