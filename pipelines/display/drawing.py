"""The graph as SVG, and tables as HTML, coloured by status.

Boxes bring their own fill and text colour, and everything else takes the page's, so that both light and dark themes
can be read. Nothing refers to a style sheet, a script or an id: outputs of a notebook are shown out of context.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from pipelines.display.graph import Edge, Graph
from pipelines.display.layout import Point, ScreenLayout, ScreenSize, lay_out

FONT = "font-family:system-ui,sans-serif"
LINE = "#8a8f98"  # seen on white as on black
INK = "#1f2328"
# Fill and border by status; what is not listed here has not started.
COLOURS: Mapping[str, tuple[str, str]] = {
    "Succeeded": ("#d5f0dc", "#2e7d4f"),
    "Failed": ("#fbd9d7", "#b3261e"),
    "Executing": ("#d6e6fb", "#1a66c2"),
    "Starting": ("#d6e6fb", "#1a66c2"),
    "Stopping": ("#fdebc8", "#9a6700"),
    "Stopped": ("#fdebc8", "#9a6700"),
}
WAITING = ("#eceff3", "#8a8f98")


def draw(graph: Graph, statuses: Mapping[str, str], remarks: Mapping[str, str]) -> str:
    """The graph as an ``<svg>`` element.

    :param statuses: of the steps that have started, by name.
    :param remarks: what a step's box says beside its type, by name.
    """
    longest = max(map(len, graph.types), default=0)
    size = ScreenSize(width=max(150.0, longest * 7.5 + 28))
    layout = lay_out(graph, size)
    edges = [_edge(edge, layout.routes[edge], size) for edge in graph.edges]
    boxes = [
        _box(name, kind, statuses.get(name, ""), remarks.get(name, ""), layout.centres[name], size)
        for name, kind in graph.types.items()
    ]
    return _svg(layout, [*edges, *boxes])


def _svg(layout: ScreenLayout, parts: Iterable[str]) -> str:
    width, height = f"{layout.width:.0f}", f"{layout.height:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="The graph of the pipeline" style="max-width:100%;height:auto;{FONT}">'
        f"{''.join(parts)}</svg>"
    )


def _box(name: str, kind: str, status: str, remark: str, centre: Point, size: ScreenSize) -> str:
    fill, border = COLOURS.get(status, WAITING)
    dashed = "" if status else ' stroke-dasharray="4 3"'
    left, top = centre[0] - size.width / 2, centre[1] - size.height / 2
    corner = size.height / 2 if kind == "Condition" else 7
    below = " · ".join(filter(None, [kind, remark or status]))
    return (
        f"<g><title>{escape(' · '.join(filter(None, [name, kind, status, remark])))}</title>"
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{size.width:.1f}" height="{size.height:.1f}" rx="{corner:g}" '
        f'fill="{fill}" stroke="{border}" stroke-width="1.5"{dashed}/>'
        f'<text x="{centre[0]:.1f}" y="{centre[1] - 3:.1f}" text-anchor="middle" font-size="12.5" font-weight="600" '
        f'fill="{INK}">{escape(name)}</text>'
        f'<text x="{centre[0]:.1f}" y="{centre[1] + 14:.1f}" text-anchor="middle" font-size="11" fill="{INK}">'
        f"{escape(below)}</text></g>"
    )


def _edge(edge: Edge, route: Sequence[Point], size: ScreenSize) -> str:
    """A smooth line that leaves and reaches every point vertically, with an arrow at its end."""
    half = size.height / 2
    points = [(route[0][0], route[0][1] + half), *route[1:-1], (route[-1][0], route[-1][1] - half - 6)]
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (y0 + y1) / 2
        path += f"C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"
    x, y = points[-1]
    arrow = f"{x - 4:.1f},{y:.1f} {x + 4:.1f},{y:.1f} {x:.1f},{y + 6:.1f}"
    label = ""
    if edge.label:
        at, down = points[0][0] + 8, points[0][1] + 14
        label = f'<text x="{at:.1f}" y="{down:.1f}" font-size="11" fill="{LINE}">{escape(edge.label)}</text>'
    return (
        f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.4"/><polygon points="{arrow}" fill="{LINE}"/>'
        f"{label}"
    )


def text(value: object) -> str:
    """Any value as HTML."""
    return escape(str(value))


def badge(status: str) -> str:
    """A status as a coloured pill."""
    fill, border = COLOURS.get(status, WAITING)
    return (
        f'<span style="background:{fill};color:{INK};border:1px solid {border};border-radius:9px;padding:0 8px;'
        f'white-space:nowrap">{escape(status)}</span>'
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    cell = "text-align:left;padding:3px 12px 3px 4px;vertical-align:top;border-bottom:1px solid rgba(128,128,128,.35)"
    head = "".join(f'<th style="{cell}">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr style="background:none">{"".join(f"""<td style="{cell}">{value}</td>""" for value in row)}</tr>'
        for row in rows
    )
    return f'<table style="border-collapse:collapse;font-size:12.5px"><tr>{head}</tr>{body}</table>'


def fold(title: str, content: str) -> str:
    """HTML that opens on a click."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"
