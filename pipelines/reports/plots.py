"""Plots as SVG for the pages, by matplotlib, which is imported only when a page is made.

Grey is the baseline, blue the current data, and a red title marks what violates a constraint.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.reports.page import Html

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BASELINE, CURRENT, BAD, LINES = "#5a6675", "#0b5cad", "#a30d2b", "#76839a"
COLOURS = {BASELINE: "var(--idle)", CURRENT: "var(--run)", BAD: "var(--bad)", LINES: "var(--control)"}
"""matplotlib knows the light colours; in the page they are those of its theme."""
NUMBERED = re.compile(r' id="[\w.]+_\d+"')  # what nothing refers to, and the next plot on the page has again
ABOVE, BELOW = 0.6, 0.75  # inches for the legend and a title, and for what is between two rows
SETTINGS: Any = {"svg.fonttype": "none", "font.family": "sans-serif", "font.size": 8.5, "axes.spines.top": False,
            "axes.spines.right": False, "axes.edgecolor": LINES, "xtick.color": LINES, "ytick.color": LINES,
            "xtick.labelcolor": "black", "ytick.labelcolor": "black", "figure.facecolor": "none",
            "axes.facecolor": "none", "savefig.facecolor": "none"}  # fmt: skip

Draw = Callable[["Axes"], None]


@dataclass(frozen=True)
class Plot:
    """One coordinate system with its title and its two labels, so that a plot says what it shows."""

    title: str
    across: str
    up: str
    draw: Draw
    bad: bool = False


def figure(
    plots: Sequence[Plot], columns: int = 3, height: float = 1.35, width: float = 2.9, left: float = 0.65
) -> Html:
    """All plots of a section in one figure, row by row. Sizes are inches, of one plot and of the room left of it.

    The places are counted out, since matplotlib's own layout engines draw everything twice to find them.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if not plots:
        return Html("")
    columns = min(columns, len(plots))
    rows = math.ceil(len(plots) / columns)
    whole_width, row_height = columns * (left + width) + 0.2, height + BELOW
    whole_height = rows * row_height + ABOVE
    with matplotlib.rc_context(SETTINGS):
        drawn = Figure(figsize=(whole_width, whole_height))
        for index, plot in enumerate(plots):
            row, column = divmod(index, columns)
            across, up = column * (left + width) + left, whole_height - ABOVE - row * row_height - height
            place = (across / whole_width, up / whole_height, width / whole_width, height / whole_height)
            _plot(drawn.add_axes(place), plot)
        handles, labels = drawn.axes[0].get_legend_handles_labels()
        if len(handles) > 1:
            drawn.legend(handles, labels, loc="upper right", ncols=2, frameon=False)
        text = io.StringIO()
        drawn.savefig(text, format="svg", metadata={"Date": None})
    svg = NUMBERED.sub("", text.getvalue()[text.getvalue().index("<svg") :])
    for colour, name in COLOURS.items():
        svg = svg.replace(colour, name)
    return Html(f'<div class="plots">{svg}</div>')


def _plot(axes: Axes, plot: Plot) -> None:
    plot.draw(axes)
    axes.set_title(plot.title, color=BAD if plot.bad else "black", fontweight="bold" if plot.bad else "normal")
    axes.set_xlabel(plot.across)
    axes.set_ylabel(plot.up)


def room_for(names: Sequence[str]) -> float:
    """Inches left of a plot whose bars have these names."""
    return 0.4 + 0.075 * max((len(name) for name in names), default=0)


def histogram(edges: Sequence[float], baseline: Sequence[float] | None, current: Sequence[float]) -> Draw:
    """Shares per bucket: the baseline filled, the current data as a line over it."""

    def draw(axes: Axes) -> None:
        if baseline:
            axes.stairs(baseline, edges, fill=True, color=BASELINE, alpha=0.55, label="baseline")
        axes.stairs(current, edges, color=CURRENT, linewidth=1.6, label="current")
        axes.locator_params(nbins=4)

    return draw


def bars(
    names: Sequence[str],
    baseline: Sequence[float | None] | None,
    current: Sequence[float | None],
    bad: Collection[str] = (),
) -> Draw:
    """Two bars per name, the first name on top; ``bad`` names in red. A value that is missing has no bar."""

    def draw(axes: Axes) -> None:
        places = [float(-index) for index in range(len(names))]
        height = 0.38 if baseline else 0.7
        if baseline:
            _barh(axes, [place + height / 2 for place in places], baseline, height, BASELINE, "baseline")
        shift = height / 2 if baseline else 0.0
        _barh(axes, [place - shift for place in places], current, height, CURRENT, "current")
        axes.set_yticks(places, names)
        for name, label in zip(names, axes.get_yticklabels(), strict=True):
            label.set_color(BAD if name in bad else "black")
        axes.axvline(0, color=LINES, linewidth=0.6)

    return draw


def _barh(
    axes: Axes, places: Sequence[float], values: Sequence[float | None], height: float, colour: str, label: str
) -> None:
    shown: list[Any] = [0.0 if value is None else value for value in values]
    axes.barh(places, shown, height=height, color=colour, label=label)


Line = tuple[Sequence[float], Sequence[float]]


def curves(baseline: Line | None, current: Line) -> Draw:
    """A curve of each side, such as two ROC curves."""

    def draw(axes: Axes) -> None:
        if baseline:
            axes.plot(*baseline, color=BASELINE, linewidth=1.8, label="baseline")
        axes.plot(*current, color=CURRENT, linewidth=1.4, label="current")
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)

    return draw
