"""Bars: the newest executions of a pipeline, and ranked values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from local_sagemaker.studio.views.numbers import number
from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.times import duration


@dataclass(frozen=True)
class Bar:
    """One execution: its status, its length in seconds, and where it leads."""

    status: str
    seconds: float
    href: str
    label: str


def executions(bars: Sequence[Bar], places: int = 20) -> Markup:
    """The newest executions, the newest last: height is duration, shape and colour the state."""
    longest = max((bar.seconds for bar in bars), default=1.0) or 1.0
    parts = [
        Markup('<svg class="runs" role="group" aria-label="Newest executions" width="{}" height="32">').format(
            places * 9
        )
    ]
    for place, bar in enumerate(reversed(bars[:places])):
        height = 6 + 22 * bar.seconds / longest
        x = place * 9
        look = state_of(bar.status)
        parts.append(
            Markup(
                '<a href="{}" tabindex="-1" aria-label="{}"><title>{}</title>'
                '<rect class="hit" x="{}" y="0" width="9" height="32"/>'
                '<rect class="bar tone-{}" x="{}" y="{}" width="7" height="{}" rx="1.5"/>{}</a>'
            ).format(
                bar.href,
                bar.label,
                bar.label,
                x,
                look.tone,
                x + 1,
                round(30 - height, 1),
                round(height, 1),
                _mark(look.tone, x),
            )
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _mark(tone: str, x: float) -> Markup:
    """What distinguishes the states in grey: a cross below a failed one, a gap below one that was stopped."""
    if tone == "bad":
        return Markup('<path class="mark" d="M{} 22l5 5m0-5l-5 5"/>').format(x + 2)
    if tone == "run":
        return Markup('<circle class="mark" cx="{}" cy="25" r="1.8"/>').format(x + 4.5)
    return Markup("")


_ROW = (
    '<text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
    '<rect class="bar tone-run" x="{}" y="{}" width="{}" height="16" rx="3"/>'
    '<text class="value" x="{}" y="{}">{}</text>'
)
_LABEL, _VALUE = 7, 60
"""Pixels for a character of a label, and for a value."""


def rank(rows: Sequence[tuple[str, float]], look: str = "wide") -> Markup:
    """Values by name as horizontal bars, for a few dozen rows; `look` is wide, or narrow for a phone."""
    largest = max((abs(value) for _, value in rows), default=1.0) or 1.0
    width, most = (300, 14) if look == "narrow" else (480, 25)
    names = [name if len(name) <= most else f"{name[: most - 1]}…" for name, _ in rows]
    left = max((_LABEL * len(name) for name in names), default=0) + 10
    height = len(rows) * 26 + 4
    title = f"Bars of {len(rows)} values"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [Markup('<svg class="ranked {}" role="img" aria-label="{}" {}>').format(look, title, Markup(size))]
    for place, (name, (_, value)) in enumerate(zip(names, rows, strict=True)):
        y, length = place * 26, round((width - left - _VALUE) * abs(value) / largest, 1)
        drawn = (left - 10, y + 17, name, left, y + 5, max(1, length), left + length + 8, y + 17, number(value))
        parts.append(Markup(_ROW).format(*drawn))
    return Markup("").join([*parts, Markup("</svg>")])


def label_of(status: str, length: float, when: str) -> str:
    """What a bar says."""
    return f"{state_of(status).word}, {duration(length)}, {when}"
