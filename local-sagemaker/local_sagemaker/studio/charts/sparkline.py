"""A curve the size of a word."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup


def draw(values: Sequence[float], label: str) -> Markup:
    """Values from left to right."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = 96 / (len(values) - 1)
    points = [(round(step * place, 1), round(22 - 20 * (value - low) / span, 1)) for place, value in enumerate(values)]
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 96 24" width="96" height="24">'
        '<path class="curve c0" d="{}"/></svg>'
    ).format(label, path)
