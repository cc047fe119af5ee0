"""SVG of a graph of steps: links in reading order, each labelled by what it shows and where it leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup

from local_sagemaker.studio.graph.layout import Box, DrawnEdge, GraphLayout, arrange, reduce
from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.step_states import StepView
from local_sagemaker.studio.views.times import duration

_LONGEST = 30
_OPEN = '<svg class="graph" role="group" aria-label="{}" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
_NODE = (
    '<a class="node tone-{tone}{chosen}" href="{href}" tabindex="{tab}" data-step="{step}" aria-label="{label}"'
    "{current}>"
    '<rect class="box" x="{x}" y="{y}" width="{w}" height="{h}" rx="{rx}"/>'
    '<use href="#i-{icon}" x="{ix}" y="{iy}" width="18" height="18"/>'
    '<text class="name" x="{tx}" y="{ty}">{name} </text>'
    '<text class="note" x="{tx}" y="{ny}">{type} · {note}</text></a>'
)


@lru_cache(maxsize=64)
def _layout(nodes: tuple[tuple[str, tuple[str, ...]], ...]) -> GraphLayout:
    return arrange(reduce(dict(nodes)))


def draw(steps: Sequence[StepView], order: Sequence[str], addresses: Mapping[str, str], chosen: str = "") -> Markup:
    """The graph of an execution's steps. `order` is that of the definition, `addresses` where each step leads."""
    views = {step.name: step for step in steps}
    layout = _layout(tuple((name, views[name].needs) for name in order if name in views))
    leads: dict[str, list[str]] = {}
    for step in steps:
        for need in step.needs:
            leads.setdefault(need, []).append(step.name)
    failed = sum(step.state == "Failed" for step in steps)
    label = f"Graph of {len(steps)} steps" + (f", {failed} failed" if failed else "")
    parts = [Markup(_OPEN).format(label, w=round(layout.width), h=round(layout.height))]
    parts += [_edge(edge, lit=chosen in (edge.source, edge.target)) for edge in layout.edges]
    in_order = chosen or (layout.boxes[0].name if layout.boxes else "")
    for box in layout.boxes:
        step = views[box.name]
        after, is_chosen = leads.get(box.name, []), box.name == chosen
        parts.append(_node(box, step, after, addresses[box.name], chosen=is_chosen, tab=box.name == in_order))
    return Markup("").join([*parts, Markup("</svg>")])


def _node(box: Box, step: StepView, leads: Sequence[str], href: str, *, chosen: bool, tab: bool) -> Markup:
    look = state_of(step.state)
    name = box.name if len(box.name) <= _LONGEST else f"{box.name[:18]}…{box.name[-11:]}"
    note = duration(step.seconds) if step.seconds is not None else look.word
    details = f", {look.word}" + (f", needs {', '.join(step.needs[:5])}" if step.needs else "")
    details += f"; leads to {', '.join(leads[:5])}" if leads else ""
    details += f"; whole name {box.name}" if name != box.name else ""
    return Markup(_NODE).format(
        tone=look.tone, chosen=" chosen" if chosen else "", href=href, tab=0 if tab else -1, step=box.name,
        label=f"{name} {step.type} · {note}{details}", current=Markup(' aria-current="true"') if chosen else "",
        x=box.x, y=box.y, w=box.width, h=box.height, rx=box.height / 2 if step.type == "Condition" else 6,
        icon=look.icon, ix=box.x + 14, iy=box.y + 17, tx=box.x + 42, ty=box.y + 22, ny=box.y + 40, name=name,
        type=step.type, note=note,
    )  # fmt: skip


def _edge(edge: DrawnEdge, *, lit: bool) -> Markup:
    points = edge.points
    path = [f"M{points[0][0]} {points[0][1]}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path.append(f"L{x1} {y1}" if x0 == x1 else f"C{x0} {middle} {x1} {middle} {x1} {y1}")
    x, y = points[-1]
    arrow = f"M{x - 4} {y - 6}L{x} {y}L{x + 4} {y - 6}"
    return Markup('<path class="edge{}" d="{} {}"/>').format(" lit" if lit else "", " ".join(path), arrow)
