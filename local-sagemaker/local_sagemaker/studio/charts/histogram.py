"""A distribution, beside the baseline's."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup


def draw(current: Sequence[float], baseline: Sequence[float] = (), label: str = "Distribution") -> Markup:
    """Counts per bucket as bars; the baseline's as an outline. Both are scaled to their sums."""
    if not current:
        return Markup("")
    now, before = _shares(current), _shares(baseline)
    highest = max((*now, *before), default=1.0) or 1.0
    width = 240 / len(now)
    parts = [
        Markup(
            '<svg class="histogram" role="img" aria-label="{}" viewBox="0 0 240 56" width="240" height="56">'
        ).format(label)
    ]
    for place, share in enumerate(now):
        height = 52 * share / highest
        parts.append(
            Markup('<rect class="bar tone-run" x="{}" y="{}" width="{}" height="{}"/>').format(
                round(place * width + 0.5, 1), round(54 - height, 1), round(max(1, width - 1), 1), round(height, 1)
            )
        )
    if before:
        step = 240 / len(before)
        path = "".join(
            f"{'M' if place == 0 else 'L'}{round(place * step, 1)} {round(54 - 52 * share / highest, 1)}"
            f"H{round((place + 1) * step, 1)}"
            for place, share in enumerate(before)
        )
        parts.append(Markup('<path class="outline" d="{}"/>').format(path))
    return Markup("").join([*parts, Markup("</svg>")])


def _shares(values: Sequence[float]) -> list[float]:
    total = sum(values) or 1.0
    return [value / total for value in values]
