"""Places for the boxes of a graph, in layers from top to bottom or from left to right. Pure, the same in every process.

After Sugiyama, Tagawa and Toda: layers by the longest path, dummy points for edges over several layers, barycentre
sweeps (ties by the order given), then straightening. Crossings are counted with an accumulator tree, O(E log V).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

GAP_X, GAP_Y, HEIGHT = 16.0, 44.0, 52.0
GAP_COLUMNS = 60.0
NARROWEST, WIDEST = 168.0, 284.0
_SWEEPS, _STRAIGHTEN = 6, 8
_DUMMY = 8.0


@dataclass(frozen=True)
class Box:
    """A node's place: its left upper corner and size."""

    name: str
    x: float
    y: float
    width: float
    height: float = HEIGHT


@dataclass(frozen=True)
class DrawnEdge:
    """From one node to another, through points."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class GraphLayout:
    """A drawing without paint."""

    boxes: tuple[Box, ...]
    edges: tuple[DrawnEdge, ...]
    width: float
    height: float
    crossings: int


def box_width(label: str) -> float:
    """The width of a node with this label."""
    return min(WIDEST, max(NARROWEST, 7.9 * len(label) + 56))


def arrange(
    nodes: Mapping[str, Sequence[str]], labels: Mapping[str, str] | None = None, *, sideways: bool = False
) -> GraphLayout:
    """Places nodes; `nodes` has for each the names of those that it comes after. Cycles are not allowed.

    `sideways`: the layers are columns, from left to right.
    """
    if not nodes:
        return GraphLayout((), (), 0, 0, 0)
    above = {name: [item for item in needs if item in nodes] for name, needs in nodes.items()}
    layer = _layers(above)
    points, upward, chains = _with_dummies(above, layer)
    widths = {name: box_width((labels or {}).get(name, name)) for name in nodes}
    rows = _order(points, upward)
    if sideways:
        places = _straighten(rows, upward, dict.fromkeys(nodes, HEIGHT))
        return _place_columns(above, layer, rows, places, widths, chains, _crossings(rows, upward))
    places = _straighten(rows, upward, widths)
    return _place_all(above, layer, rows, places, widths, chains, _crossings(rows, upward))


def _layers(above: Mapping[str, Sequence[str]]) -> dict[str, int]:
    layer: dict[str, int] = {}
    for root in above:
        pending = [root]
        while pending:
            name = pending[-1]
            missing = [item for item in above[name] if item not in layer]
            if missing and name not in layer:
                pending += missing
                continue
            layer[name] = max((layer[item] + 1 for item in above[name]), default=0)
            pending.pop()
    return layer


def _with_dummies(
    above: Mapping[str, Sequence[str]], layer: Mapping[str, int]
) -> tuple[list[list[str]], dict[str, list[str]], dict[tuple[str, str], list[str]]]:
    """Rows of points, the points above each in the row before, and the dummies of each edge."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    upward: dict[str, list[str]] = {}
    chains: dict[tuple[str, str], list[str]] = {}
    for name in above:
        rows[layer[name]].append(name)
        upward[name] = []
    for name, needs in above.items():
        for need in needs:
            previous, chain = need, []
            for row in range(layer[need] + 1, layer[name]):
                dummy = f"\0{need}\0{name}\0{row}"
                rows[row].append(dummy)
                upward[dummy] = [previous]
                chain.append(dummy)
                previous = dummy
            upward[name].append(previous)
            chains[need, name] = chain
    return rows, upward, chains


def _downward(upward: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    down: dict[str, list[str]] = {name: [] for name in upward}
    for name, items in upward.items():
        for item in items:
            down[item].append(name)
    return down


def _order(rows: list[list[str]], upward: Mapping[str, Sequence[str]]) -> list[list[str]]:
    downward = _downward(upward)
    best, fewest = [list(row) for row in rows], _crossings(rows, upward)
    current = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        if fewest == 0 and sweep:
            break
        down = sweep % 2 == 0
        indices = range(1, len(current)) if down else range(len(current) - 2, -1, -1)
        for index in indices:
            fixed = current[index - 1] if down else current[index + 1]
            place = {name: at for at, name in enumerate(fixed)}
            neighbours = upward if down else downward
            own = {name: at for at, name in enumerate(current[index])}

            current[index].sort(key=partial(_weight, place, neighbours, own))
        crossings = _crossings(current, upward)
        if crossings < fewest:
            best, fewest = [list(row) for row in current], crossings
    return best


def _weight(
    place: Mapping[str, int], neighbours: Mapping[str, Sequence[str]], own: Mapping[str, int], name: str
) -> tuple[float, int]:
    """The barycentre of a point: the mean place of its neighbours in the fixed row; ties keep their order."""
    near = [place[item] for item in neighbours[name] if item in place]
    return (sum(near) / len(near) if near else own[name]), own[name]


def _crossings(rows: Sequence[Sequence[str]], upward: Mapping[str, Sequence[str]]) -> int:
    total = 0
    for index in range(1, len(rows)):
        place = {name: at for at, name in enumerate(rows[index - 1])}
        ends = [at for name in rows[index] for at in sorted(place[item] for item in upward[name] if item in place)]
        total += _inversions(ends, len(place))
    return total


def _inversions(values: Sequence[int], size: int) -> int:
    tree, total = [0] * (size + 1), 0
    for seen, value in enumerate(values):
        at, smaller = value + 1, 0
        while at:
            smaller += tree[at]
            at -= at & -at
        total += seen - smaller
        at = value + 1
        while at <= size:
            tree[at] += 1
            at += at & -at
    return total


def _straighten(
    rows: Sequence[Sequence[str]], upward: Mapping[str, Sequence[str]], widths: Mapping[str, float]
) -> dict[str, float]:
    """The centre of every point: near the middle of its neighbours, in the row's order, without overlap."""
    downward = _downward(upward)
    centre: dict[str, float] = {}
    for row in rows:
        at = 0.0
        for name in row:
            width = widths.get(name, _DUMMY)
            centre[name] = at + width / 2
            at += width + GAP_X
        shift = at / 2
        for name in row:
            centre[name] -= shift
    for sweep in range(_STRAIGHTEN):
        ordered = rows if sweep % 2 == 0 else list(reversed(rows))
        for row in ordered:
            _settle(row, centre, upward if sweep % 2 == 0 else downward, widths)
    return centre


def _settle(
    row: Sequence[str], centre: dict[str, float], neighbours: Mapping[str, Sequence[str]], widths: Mapping[str, float]
) -> None:
    """Least-squares places under the order of the row: pools of adjacent violators, one mean each."""
    wanted, offset, offsets = [], 0.0, []
    for at, name in enumerate(row):
        if at:
            offset += (widths.get(row[at - 1], _DUMMY) + widths.get(name, _DUMMY)) / 2 + GAP_X
        near = [centre[item] for item in neighbours[name]]
        wanted.append((sum(near) / len(near) if near else centre[name]) - offset)
        offsets.append(offset)
    pools: list[list[float]] = []  # sum, count
    for value in wanted:
        pools.append([value, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1][0] += last[0]
            pools[-1][1] += last[1]
    at = 0
    for total, count in pools:
        for _ in range(int(count)):
            centre[row[at]] = total / count + offsets[at]
            at += 1


def _place_all(
    above: Mapping[str, Sequence[str]], layer: Mapping[str, int], rows: Sequence[Sequence[str]],
    centre: Mapping[str, float], widths: Mapping[str, float], chains: Mapping[tuple[str, str], Sequence[str]],
    crossings: int,
) -> GraphLayout:  # fmt: skip
    left = min(centre[name] - widths.get(name, _DUMMY) / 2 for row in rows for name in row) - 8
    boxes = {
        name: Box(
            name, round(centre[name] - widths[name] / 2 - left, 1), 8 + layer[name] * (HEIGHT + GAP_Y), widths[name]
        )
        for name in above
    }
    edges = []
    for name, needs in above.items():
        for need in needs:
            points = [_below(boxes[need])]
            for step, dummy in enumerate(chains[need, name], layer[need] + 1):
                top = 8 + step * (HEIGHT + GAP_Y)
                x = round(centre[dummy] - left, 1)
                points += [(x, top), (x, top + HEIGHT)]
            points.append(_over(boxes[name]))
            edges.append(DrawnEdge(need, name, tuple(points)))
    right = max(centre[name] + widths.get(name, _DUMMY) / 2 for row in rows for name in row) - left
    return GraphLayout(
        tuple(boxes.values()), tuple(edges), right + 8, len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 16, crossings
    )


def _place_columns(
    above: Mapping[str, Sequence[str]], layer: Mapping[str, int], rows: Sequence[Sequence[str]],
    centre: Mapping[str, float], widths: Mapping[str, float], chains: Mapping[tuple[str, str], Sequence[str]],
    crossings: int,
) -> GraphLayout:  # fmt: skip
    """As `_place_all` with layers as columns, each as wide as its widest box; `centre` are heights."""
    sizes = [max((widths[name] for name in row if name in widths), default=0.0) for row in rows]
    lefts = [8 + sum(sizes[:place]) + place * GAP_COLUMNS for place in range(len(rows))]
    extents = {name: HEIGHT if name in widths else _DUMMY for row in rows for name in row}
    top = min(centre[name] - extent / 2 for name, extent in extents.items()) - 8
    boxes = {
        name: Box(name, round(lefts[layer[name]], 1), round(centre[name] - HEIGHT / 2 - top, 1), widths[name])
        for name in above
    }
    edges = []
    for name, needs in above.items():
        for need in needs:
            before, after = boxes[need], boxes[name]
            points = [(round(before.x + before.width, 1), round(before.y + HEIGHT / 2, 1))]
            for step, dummy in enumerate(chains[need, name], layer[need] + 1):
                y = round(centre[dummy] - top, 1)
                points += [(round(lefts[step], 1), y), (round(lefts[step] + sizes[step], 1), y)]
            points.append((after.x, round(after.y + HEIGHT / 2, 1)))
            edges.append(DrawnEdge(need, name, tuple(points)))
    bottom = max(centre[name] + extent / 2 for name, extent in extents.items()) - top
    return GraphLayout(tuple(boxes.values()), tuple(edges), lefts[-1] + sizes[-1] + 8, bottom + 8, crossings)


def _below(box: Box) -> tuple[float, float]:
    return round(box.x + box.width / 2, 1), box.y + box.height


def _over(box: Box) -> tuple[float, float]:
    return round(box.x + box.width / 2, 1), box.y


def reduce(nodes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The same graph without edges that a longer way implies: they add lines, but no order."""
    index = {name: 1 << place for place, name in enumerate(nodes)}
    layer = _layers({name: [item for item in needs if item in nodes] for name, needs in nodes.items()})
    above: dict[str, int] = {}
    reduced: dict[str, list[str]] = {}
    for name in sorted(nodes, key=layer.__getitem__):
        needs = [item for item in dict.fromkeys(nodes[name]) if item in nodes]
        implied = 0
        for item in needs:
            implied |= above[item]
        reduced[name] = [item for item in needs if not implied & index[item]]
        above[name] = implied
        for item in needs:
            above[name] |= index[item]
    return {name: reduced[name] for name in nodes}
