"""Where each step is drawn: a layered layout from top to bottom, after Sugiyama's method.

Steps go into layers by the longest way to them; an edge that skips layers gets a bend in each; the order within a
layer follows the neighbours' (barycentres), and so do the horizontal positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pipelines.display.graph import Edge, Graph

SWEEPS = 8
Point = tuple[float, float]


@dataclass(frozen=True)
class ScreenSize:
    """Of a step's box, and of the gaps between boxes, in pixels."""

    width: float = 200
    height: float = 46
    gap: float = 24
    rise: float = 40

    @property
    def bend(self) -> float:
        """The room that an edge takes in a layer that it only passes."""
        return self.gap


@dataclass(frozen=True)
class ScreenLayout:
    """Centres of the boxes, the points that each edge goes through, and the size of the whole."""

    centres: Mapping[str, Point]
    routes: Mapping[Edge, Sequence[Point]]
    width: float
    height: float


def lay_out(graph: Graph, size: ScreenSize) -> ScreenLayout:
    """The graph must have no cycle, as any definition that SageMaker accepts."""
    depths = _depths(graph)
    layers: list[list[str]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for name, depth in depths.items():
        layers[depth].append(name)
    chains = {edge: _chain(edge, depths) for edge in graph.edges}
    for chain in chains.values():
        for bend in chain[1:-1]:
            layers[depths[chain[0]] + chain.index(bend)].append(bend)
    above, below = _neighbours(chains.values())
    _order(layers, above, below)
    across = _positions(layers, above, below, lambda name: size.width if name in depths else size.bend, size.gap)
    left = min((across[name] - size.width / 2 for name in depths), default=0) - size.gap / 2
    right = max((across[name] + size.width / 2 for name in depths), default=0) + size.gap / 2
    points = {
        name: (across[name] - left, size.gap / 2 + size.height / 2 + depth * (size.height + size.rise))
        for depth, layer in enumerate(layers)
        for name in layer
    }
    height = len(layers) * (size.height + size.rise) - size.rise + size.gap
    routes = {edge: [points[name] for name in chain] for edge, chain in chains.items()}
    return ScreenLayout({name: points[name] for name in depths}, routes, right - left, height)


def _depths(graph: Graph) -> dict[str, int]:
    """The number of edges on the longest way to each step."""
    sources: dict[str, list[str]] = {name: [] for name in graph.types}
    for edge in graph.edges:
        sources[edge.target].append(edge.source)
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            depths[name] = max((depth(source) + 1 for source in sources[name]), default=0)
        return depths[name]

    for name in graph.types:
        depth(name)
    return depths


def _chain(edge: Edge, depths: Mapping[str, int]) -> list[str]:
    """The edge's ends, and a bend for each layer between them. No step's name has a space in it."""
    between = range(depths[edge.source] + 1, depths[edge.target])
    return [edge.source, *(f"{edge.source} {edge.target} {depth}" for depth in between), edge.target]


Neighbours = dict[str, list[str]]


def _neighbours(chains: Iterable[Sequence[str]]) -> tuple[Neighbours, Neighbours]:
    above: Neighbours = {}
    below: Neighbours = {}
    for chain in chains:
        for upper, lower in itertools.pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    return above, below


def _order(layers: list[list[str]], above: Neighbours, below: Neighbours) -> None:
    """Sorts each layer in place so that few edges cross."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        pairs = list(itertools.pairwise(layers))
        for upper, lower in pairs if downwards else reversed(pairs):
            fixed, moved, neighbours = (upper, lower, above) if downwards else (lower, upper, below)
            places = {name: place for place, name in enumerate(fixed)}
            own = {name: place for place, name in enumerate(moved)}
            means = {
                name: fmean([places[other] for other in neighbours[name]]) if neighbours.get(name) else own[name]
                for name in moved
            }
            moved.sort(key=means.__getitem__)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best


def _crossings(layers: Sequence[Sequence[str]], below: Neighbours) -> int:
    count = 0
    for upper, lower in itertools.pairwise(layers):
        places = {name: place for place, name in enumerate(lower)}
        ends = [(start, places[end]) for start, name in enumerate(upper) for end in below.get(name, ())]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


def _positions(
    layers: Sequence[Sequence[str]],
    above: Neighbours,
    below: Neighbours,
    width: Callable[[str], float],
    gap: float,
) -> dict[str, float]:
    """Horizontal centres: as near to the neighbours' as the order and the widths allow."""
    across: dict[str, float] = {}
    for layer in layers:
        total = sum(width(name) for name in layer) + gap * (len(layer) - 1)
        edge = -total / 2
        for name in layer:
            across[name] = edge + width(name) / 2
            edge += width(name) + gap
    for sweep in range(SWEEPS):
        neighbours = above if sweep % 2 == 0 else below
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = [
                fmean([across[other] for other in neighbours[name]]) if neighbours.get(name) else across[name]
                for name in layer
            ]
            across.update(zip(layer, _apart(wanted, [width(name) for name in layer], gap), strict=True))
    return across


def _apart(wanted: Sequence[float], widths: Sequence[float], gap: float) -> list[float]:
    """Positions near the wanted ones that keep the order and do not overlap: the mean of two greedy ways."""
    needed = [(left + right) / 2 + gap for left, right in itertools.pairwise(widths)]
    rightwards, leftwards = list(wanted), list(wanted)
    for place, distance in enumerate(needed, 1):
        rightwards[place] = max(rightwards[place], rightwards[place - 1] + distance)
    for place, distance in reversed(list(enumerate(needed))):
        leftwards[place] = min(leftwards[place], leftwards[place + 1] - distance)
    return [(one + other) / 2 for one, other in zip(rightwards, leftwards, strict=True)]
