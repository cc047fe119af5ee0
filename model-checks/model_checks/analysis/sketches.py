"""Sketches of a stream of values: quantiles (KLL) and the number of distinct values.

Quantiles are by the KLL algorithm (Karnin, Lang, Liberty: Optimal Quantile Approximation in Streams, 2016), which is
in no library of AWS's images. Distinct values are estimated from the smallest hashes (exact up to `KEPT`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_checks.arrays import Floats

Hashes = npt.NDArray[np.uint64]

K = 2048
SHRINK = 0.64
UNSAMPLED = 1 << 19
"""Values that all enter the sketch; beyond, as in the KLL paper, a sampler stands for the lowest levels."""
COMPACTED, EVERY = 1 << 17, 3
"""From this many values on, sorted runs enter with one of 2**EVERY values each: what the lowest levels would do."""
KEPT = 1 << 12  # smallest hashes kept: exact up to here, then a relative standard error of 1.6 %
BUCKETS = 10

_NO_LIMIT = np.uint64(2**64 - 1)
_RECENT = 1 << 15  # hashes that a sketch remembers to have been added
_SLOT = np.uint64(_RECENT - 1)
_FEW = np.uint64(1 << 62)
_AT_ONCE = 1 << 13
_FIRST, _SECOND, _HALF = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(32)


def _groups(values: Floats, height: int) -> tuple[Floats, Floats]:
    """Rows of 2**height consecutive values, and the rest."""
    whole = len(values) >> height << height
    return values[:whole].reshape(-1, 1 << height), values[whole:]


class QuantileSketch:
    """KLL over doubles. Of streams with more than `UNSAMPLED` values, one of 2**h is sampled, evenly over the stream.

    Which values are sampled depends on their position in the stream only, so that a run can be repeated.
    """

    def __init__(self) -> None:
        self._levels: list[Floats] = []  # a value of level i stands for 2**i values
        self._first: list[Floats] | None = []  # the values themselves, in file order, while there are at most K
        self.count = 0

    def update(self, values: Floats, seen: int | None = None) -> None:
        """Adds values; `seen` is how many the whole stream had before, when this sketch holds only a part of it."""
        if not len(values):
            return
        before = self.count if seen is None else seen
        height = max(0, (before // UNSAMPLED).bit_length())
        self.count += len(values)
        if self._first is not None:
            self._first = [*self._first, values.copy()] if self.count <= K else None
        dice = np.random.default_rng(before)
        if before < COMPACTED:
            self._put(values, 0)
        else:
            if height:
                picked, values = _groups(values, height)
                at = dice.integers(0, 1 << height, len(picked))
                self._put_sorted(np.take_along_axis(picked, at[:, None], 1)[:, 0], height, dice)
            self._put_sorted(values, 0, dice)
        self._compact(dice)

    def _put_sorted(self, values: Floats, height: int, dice: np.random.Generator) -> None:
        """Adds values that each stand for 2**height by one of 2**EVERY of a sorted run.

        A run loses at most 2**EVERY - 1 ranks: far less than the sketch does.
        """
        picked, rest = _groups(np.sort(values), EVERY)
        self._put(picked[:, dice.integers(0, 1 << EVERY)], height + EVERY)
        self._put(rest, height)

    def _put(self, values: Floats, height: int) -> None:
        if len(values):
            self._levels += [np.empty(0)] * (height + 1 - len(self._levels))
            self._levels[height] = np.concatenate([self._levels[height], values])

    def _compact(self, dice: np.random.Generator) -> None:
        """No more values than K allows: of the lowest full level, every other value goes up (KLL paper, section 3)."""
        while True:
            top = len(self._levels) - 1
            capacities = [max(8, math.ceil(K * SHRINK ** (top - level))) for level in range(top + 1)]
            if sum(map(len, self._levels)) <= sum(capacities):
                return
            full = next(level for level, held in enumerate(self._levels) if len(held) > capacities[level])
            pairs, self._levels[full] = _groups(np.sort(self._levels[full]), 1)
            self._put(pairs[:, dice.integers(0, 2)], full + 1)

    def merge(self, other: QuantileSketch) -> None:
        """Adds what the other, of later values of the stream, has seen."""
        self.count += other.count
        for height, values in enumerate(other._levels):
            self._put(values, height)
        self._compact(np.random.default_rng(self.count))
        if self._first is not None:
            both = other._first is not None and self.count <= K
            self._first = [*self._first, *(other._first or [])] if both else None

    def levels(self) -> list[Floats]:
        """Values per level, lowest first. Up to K values they are all in level 0, in file order, as AWS writes them."""
        if self._first is not None:
            return [np.concatenate(self._first)] if self._first else []
        return list(self._levels)


def with_weights(levels: Sequence[Sequence[float] | Floats]) -> tuple[Floats, Floats]:
    """Sorted values and the weight of each."""
    values = np.concatenate([np.asarray(level, dtype=np.float64) for level in levels]) if len(levels) else np.empty(0)
    weights = (
        np.concatenate([np.full(len(level), 2.0**height) for height, level in enumerate(levels)])
        if len(levels)
        else np.empty(0)
    )
    order = np.argsort(values, kind="stable")
    return values[order], weights[order]


def buckets(levels: Sequence[Floats], low: float, high: float) -> list[dict[str, float]]:
    """Ten equal widths from `low` to `high`, counted from the sketch: [lower, upper), the last closed."""
    values, weights = with_weights(levels)
    ranks = np.concatenate([[0.0], np.cumsum(weights)])
    edges = [low + (high - low) * position / BUCKETS for position in range(BUCKETS + 1)]
    below = [float(ranks[np.searchsorted(values, edge, side="left")]) for edge in edges[:-1]]
    below.append(float(ranks[-1]))
    return [
        {"lower_bound": edges[i], "upper_bound": edges[i + 1], "count": below[i + 1] - below[i]} for i in range(BUCKETS)
    ]


def hash_doubles(values: Floats) -> Hashes:
    """A 64-bit mix of each value; equal numbers (0.0 and -0.0 too) have equal hashes."""
    mixed = (values + 0.0).view(np.uint64)
    scratch = np.empty(min(len(mixed), _AT_ONCE), dtype=np.uint64)
    for at in range(0, len(mixed), _AT_ONCE):  # pieces that stay in the processor's cache
        piece = mixed[at : at + _AT_ONCE]
        shifted = scratch[: len(piece)]
        for factor in (_FIRST, _SECOND):
            np.right_shift(piece, _HALF, out=shifted)
            np.bitwise_xor(piece, shifted, out=piece)
            np.multiply(piece, factor, out=piece)
        np.right_shift(piece, _HALF, out=shifted)
        np.bitwise_xor(piece, shifted, out=piece)
    return mixed


class DistinctSketch:
    """The number of distinct values from the `KEPT` smallest hashes (k minimum values).

    A sketch of a block that will be merged into another one can `follow` it: it leaves out hashes that can't matter
    any more, and those that it knows to have been added, by a table of recent ones.
    """

    def __init__(self) -> None:
        self._smallest: Hashes = np.empty(0, dtype=np.uint64)
        self._handed_out: Hashes | None = None  # what its followers have added lately
        self._recent: Hashes | None = None  # the same of the sketch that is followed
        self._limit = _NO_LIMIT

    @property
    def bound(self) -> np.uint64:
        """The hash at or above which none can matter any more."""
        return min(self._limit, self._smallest[-1]) if len(self._smallest) == KEPT else self._limit

    def follow(self, whole: DistinctSketch) -> None:
        """Saves work on what the sketch that this one will be merged into has settled."""
        if whole._handed_out is None:
            whole._handed_out = np.full(_RECENT, _NO_LIMIT)
        self._recent, self._limit = whole._handed_out, whole.bound

    def update_doubles(self, values: Floats) -> None:
        """Adds numbers."""
        self.update(hash_doubles(values))

    def update(self, hashes: Hashes) -> None:
        """Adds the hashes of values."""
        bound = self.bound
        if bound < _FEW:  # nearly all are above it
            hashes = hashes[hashes < bound]
        if self._recent is not None:
            slots = np.bitwise_and(hashes, _SLOT).view(np.int64)
            new = self._recent.take(slots) != hashes
            new &= hashes < bound
            hashes = hashes[new]
            self._recent[slots[new]] = hashes
        if not len(hashes):
            return
        both = np.sort(np.concatenate([self._smallest, hashes]))
        first = np.ones(len(both), dtype=bool)
        np.not_equal(both[1:], both[:-1], out=first[1:])
        self._smallest = both[first][:KEPT]

    def merge(self, other: DistinctSketch) -> None:
        """Adds what the other has seen."""
        self.update(other._smallest)

    def estimate(self) -> float:
        """The number of distinct values: exact below `KEPT`."""
        if len(self._smallest) < KEPT:
            return float(len(self._smallest))
        return float(round((KEPT - 1) / (float(self._smallest[-1]) / 2.0**64)))
