"""The next values to try, where that needs no model: at random, or in the order of a grid. Pure, and the same again
for the same seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from local_sagemaker.tuning.ranges import Space, combinations, points

Values = Mapping[str, str]
_DRAWS = 50
_LISTED = 100_000


@dataclass(frozen=True)
class Observation:
    """A point that was tried. `objective` is None while it is not known, and for good when the job failed."""

    values: Values
    objective: float | None
    running: bool = False


@dataclass(frozen=True)
class SearchState:
    """What a strategy decides on: the point number `number` (from 0) of a space, after the `observations` so far."""

    strategy: str
    space: Space
    seed: int
    number: int
    observations: Sequence[Observation]
    minimise: bool


def draw(state: SearchState) -> dict[str, str]:
    """A point at random, one that was not tried before as long as there is one."""
    source = random.Random(f"{state.seed}/{state.number}")
    taken = {key(one.values) for one in state.observations}
    for _ in range(_DRAWS):
        point = {one.name: one.at(source.random()) for one in state.space}
        if key(point) not in taken:
            return point
    left = _remaining_points(state.space, taken)
    return source.choice(left) if left else point


def on_grid(state: SearchState) -> dict[str, str]:
    """The points in order, the last range's values changing fastest."""
    return next(itertools.islice(points(state.space), state.number, None))


def key(values: Values) -> tuple[tuple[str, str], ...]:
    """A point as something that sets can hold."""
    return tuple(sorted(values.items()))


def _remaining_points(space: Space, taken: Collection[tuple[tuple[str, str], ...]]) -> list[dict[str, str]]:
    if combinations(space) > _LISTED:
        return []
    return [point for point in points(space) if key(point) not in taken]
