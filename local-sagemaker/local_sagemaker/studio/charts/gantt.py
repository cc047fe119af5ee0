"""One row of an execution's timeline: waiting hatched, queued light, each failed attempt and the last one a bar."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.times import duration
from local_sagemaker.studio.views.timing import Segment

_WORDS = {"waiting": "waited", "queued": "queued", "failed": "failed attempt", "running": "ran"}
_OPEN = '<svg class="timeline" viewBox="0 0 1000 22" preserveAspectRatio="none" role="img" aria-label="{}">'


def draw(
    segments: Sequence[Segment], state: str, first: float, last: float, name: str, *, critical: bool = False
) -> Markup:
    """The segments of a step on the axis from `first` to `last`, seconds since the epoch."""
    span, tone = max(last - first, 0.001), state_of(state).tone
    label = f"{name}: {words(segments)}{', on the critical path' if critical else ''}"
    parts = [_OPEN.format(escape(label))]
    for item in segments:
        left, right = (min(1000.0, max(0.0, 1000 * (at - first) / span)) for at in (item.start, item.end))
        if right <= 0 or left >= 1000:
            continue
        left = min(left, 994.0)
        width = max(6.0 if item.kind in ("running", "failed") else 0.0, right - left)
        parts.append(_shape(item.kind, tone, round(left, 1), round(width, 1)))
        if critical and item.kind in ("running", "failed"):
            parts.append(f'<rect class="mark" x="{round(left, 1)}" y="19.5" width="{round(width, 1)}" height="2"/>')
    return Markup("".join([*parts, "</svg>"]))


def _shape(kind: str, tone: str, left: float, width: float) -> str:
    if kind == "waiting":
        return f'<path class="wait" d="M{left} 10h{width}"/>'
    if kind == "queued":
        return f'<rect class="queue" x="{left}" y="7" width="{width}" height="6"/>'
    tone, round_corners = "bad" if kind == "failed" else tone, 3 if width > 20 else 0
    place = f'x="{left}" y="3" width="{width}" height="14" rx="{round_corners}"'
    return f'<rect class="bar tone-{tone} {kind}" {place}/>'


def words(segments: Sequence[Segment]) -> str:
    """What a row says, e.g. ``waited 2.0 s, ran 3.1 s``."""
    return ", ".join(f"{_WORDS[item.kind]} {duration(item.end - item.start)}" for item in segments) or "not started"
