"""SVG of a graph of steps: links in reading order, each labelled by what it shows and where it leads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from local_sagemaker.studio.bounded_cache import BoundedCache
from local_sagemaker.studio.graph.layout import Box, DrawnEdge, GraphLayout, arrange, reduce
from local_sagemaker.studio.views.data_flow import Feeds
from local_sagemaker.studio.views.fan_out import Fan
from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.step_states import StepView
from local_sagemaker.studio.views.times import duration

_LONGEST = 30
_NOTE = 10  # characters after the type: the longest duration, and most words of a state
# Templates of plain text, filled with what `escape` gives: one of markup would escape thousands of numbers.
_OPEN = '<svg class="graph" role="group" aria-label="{}" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
_NODE = (
    '<a class="node tone-{tone}{chosen}" href="{href}" tabindex="{tab}" data-step="{step}"'
    ' aria-label="{label}"{current}>{back}'
    '<rect class="box" x="{x}" y="{y}" width="{w}" height="{h}" rx="{rx}"/>'
    '<use href="#i-{icon}" x="{ix}" y="{iy}" width="18" height="18"/>'
    '<text class="name" x="{tx}" y="{ty}">{name} </text>'
    '<text class="note" x="{tx}" y="{ny}">{type}{dot}{note}</text>{bar}</a>'
)
_CURRENT = ' aria-current="true"'
_BACK = '<rect class="box" x="{}" y="{}" width="{}" height="{}" rx="6"/>'
_BAND = '<rect class="band tone-{}" x="{}" y="{}" width="{}" height="4"/>'


class WantedLayout(NamedTuple):
    """What a layout depends on."""

    nodes: tuple[tuple[str, tuple[str, ...]], ...]
    labels: tuple[tuple[str, str], ...]
    sideways: bool


def _arrange(wanted: WantedLayout) -> GraphLayout:
    return arrange(reduce(dict(wanted.nodes)), dict(wanted.labels), sideways=wanted.sideways)


def _weigh(wanted: WantedLayout) -> int:
    """Boxes and edges."""
    return sum(1 + len(needs) for _, needs in wanted.nodes)


LAYOUTS = BoundedCache(_arrange, _weigh, 12_000)
"""Of two graphs of 2,000 steps, or of many small ones: some 4 MB."""


def draw(
    steps: Sequence[StepView], order: Sequence[str], addresses: Mapping[str, str], chosen: str = "",
    fans: Mapping[str, Fan] | None = None, path: Collection[str] = (), feeds: Feeds | None = None,
    direction: str = "",
) -> Markup:  # fmt: skip
    """The graph of an execution's steps. `order` is that of the definition, `addresses` where each step leads; a step
    that stands for a fan is drawn as a stack; `path` are the steps whose edges are drawn strong,
    `feeds` what an edge says that it carries; the `direction` is down, or `right`."""
    views, fans = {step.name: step for step in steps}, fans or {}
    labels = {name: _widest(step.type, name) for name, step in views.items() if name not in fans}
    labels |= {name: _widest_fan(fan) for name, fan in fans.items() if name in views}
    nodes, sideways = tuple((name, views[name].needs) for name in order if name in views), direction == "right"
    layout = LAYOUTS(WantedLayout(nodes, tuple(sorted(labels.items())), sideways))
    leads: dict[str, list[str]] = {}
    for step in steps:
        for need in step.needs:
            leads.setdefault(need, []).append(step.name)
    parts = [_OPEN.format(_describe(steps, fans), w=round(layout.width), h=round(layout.height))]
    parts += [
        _edge(
            edge,
            views,
            (feeds or {}).get(edge.target, {}).get(edge.source, ()),
            lit=chosen in (edge.source, edge.target),
            strong=edge.source in path and edge.target in path,
            sideways=sideways,
        )
        for edge in layout.edges
    ]
    holder = next((name for name, fan in fans.items() if chosen in fan.members), chosen)
    in_order = holder if holder in views else (layout.boxes[0].name if layout.boxes else "")
    for box in layout.boxes:
        after, href = leads.get(box.name, []), addresses[box.name]
        chosen_here, tab = box.name == holder, box.name == in_order
        if box.name in fans:
            parts.append(_fan(box, fans[box.name], after=after, href=href, chosen=chosen_here, tab=tab))
        else:
            parts.append(_node(box, views[box.name], after=after, href=href, chosen=chosen_here, tab=tab))
    return Markup("".join([*parts, "</svg>"]))


def _describe(steps: Sequence[StepView], fans: Mapping[str, Fan]) -> str:
    """What the graph is to those who do not see it."""
    failed = sum(step.state == "Failed" for step in steps if step.name not in fans)
    failed += sum(count for fan in fans.values() for state, count in fan.totals if state == "Failed")
    total = len(steps) + sum(len(fans[step.name].members) - 1 for step in steps if step.name in fans)
    return f"Graph of {total} steps" + (f", {failed} failed" if failed else "")


def _node(box: Box, step: StepView, *, after: Sequence[str], href: str, chosen: bool, tab: bool) -> str:
    look = state_of(step.state)
    name = _cut(box.name)
    note = (
        duration(step.seconds)
        if step.seconds is not None
        else ""
        if step.state in ("Recorded", "Defined")
        else look.word
    )
    dot = " · " if note else ""
    details = f", {look.word}" + (f", needs {', '.join(step.needs[:5])}" if step.needs else "")
    details += f"; leads to {', '.join(after[:5])}" if after else ""
    details += f"; whole name {box.name}" if name != box.name else ""
    return _NODE.format(
        tone=look.tone, chosen=" chosen" if chosen else "", href=escape(href), tab=0 if tab else -1,
        step=escape(box.name), label=escape(f"{name} {step.type}{dot}{note}{details}"),
        current=_CURRENT if chosen else "",
        **_place(box, 22, 40), rx=round(box.height / 2) if step.type == "Condition" else 6, icon=look.icon,
        name=escape(name),
        type=escape(step.type), dot=dot, note=escape(note), back="", bar="",
    )  # fmt: skip


def _fan(box: Box, fan: Fan, *, after: Sequence[str], href: str, chosen: bool, tab: bool) -> str:
    """A stack of boxes with a bar of its members' states."""
    look = state_of(fan.state)
    details = f"; leads to {', '.join(after[:5])}" if after else ""
    back = "".join(_BACK.format(box.x + shift, box.y + shift, box.width, box.height) for shift in (8, 4))
    bar, at, width = "", box.x + 42, box.width - 56
    for state, count in fan.totals:
        part = width * count / len(fan.members)
        bar += _BAND.format(state_of(state).tone, round(at, 1), box.y + box.height - 9, round(part, 1))
        at += part
    note = _words(fan)
    return _NODE.format(
        tone=look.tone, chosen=" chosen" if chosen else "", href=escape(href), tab=0 if tab else -1,
        step=escape(fan.name), label=escape(f"{fan.label} {note}; {fan.type}, {fan.words}{details}"),
        **_place(box, 19, 35), current=_CURRENT if chosen else "", rx=6, icon=look.icon, name=escape(_cut(fan.label)),
        type="", dot="", note=escape(note), back=back, bar=bar,
    )  # fmt: skip


def _place(box: Box, name_down: int, note_down: int) -> dict[str, int]:
    """The coordinates of a node's parts, in whole pixels: a large graph is mostly numbers. Its name and note stand so
    far below its upper edge."""
    places = {
        "x": box.x, "y": box.y, "w": box.width, "h": box.height, "ix": box.x + 14, "iy": box.y + 17,
        "tx": box.x + 42, "ty": box.y + name_down, "ny": box.y + note_down,
    }  # fmt: skip
    return {name: round(place) for name, place in places.items()}


def _widest(kind: str, name: str) -> str:
    """A label as wide as the box must be: its note is set smaller than its name."""
    note = "x" * round((len(kind) + 3 + _NOTE) * 0.76)
    return max(_cut(name), note, key=len)


def _widest_fan(fan: Fan) -> str:
    """As `_widest`, with room for the boxes behind it."""
    return max(_cut(fan.label), "x" * round(len(_words(fan)) * 0.85), key=len) + "...."


def _words(fan: Fan) -> str:
    return fan.words if len(fan.words) < _LONGEST else f"{fan.words[: _LONGEST - 2]}…"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[:18]}…{name[-11:]}"


def _edge(
    edge: DrawnEdge, views: Mapping[str, StepView], carries: Sequence[str], *, lit: bool, strong: bool, sideways: bool
) -> str:
    looks = f"edge{' lit' if lit else ''}{' strong' if strong else ''}"
    title = escape("\n".join([f"{edge.source} to {edge.target}", *carries]))
    drawn = f'<path class="{looks}" d="{_line(edge.points, sideways=sideways)}"><title>{title}</title></path>'
    condition, _, outcome = views[edge.target].branch.rpartition("=")
    if condition != edge.source:
        return drawn
    (x0, y0), (x1, y1) = edge.points[:2]
    x, y = ((x0 + x1) / 2 + 6, (y0 + 3 * y1) / 4 - 6) if sideways else ((x0 + 3 * x1) / 4, (y0 + 2 * y1) / 3 + 2)
    place = f'x="{round(x, 1)}" y="{round(y, 1)}"'
    return f'{drawn}<text class="note outcome" {place} text-anchor="middle">{escape(outcome)}</text>'


def _line(points: Sequence[tuple[float, float]], *, sideways: bool) -> str:
    """The path of an edge with its arrow, each part from where the one before it ends."""
    whole = [(round(x), round(y)) for x, y in points]
    path = [f"M{whole[0][0]} {whole[0][1]}"]
    for (x0, y0), (x1, y1) in pairwise(whole):
        across, down = x1 - x0, y1 - y0
        if down == 0 if sideways else across == 0:
            path.append(f"l{across} {down}")
        elif sideways:
            path.append(f"c{across // 2} 0 {across // 2} {down} {across} {down}")
        else:
            path.append(f"c0 {down // 2} {across} {down // 2} {across} {down}")
    return "".join([*path, "m-6-4l6 4l-6 4" if sideways else "m-4-6l4 6l4-6"])
