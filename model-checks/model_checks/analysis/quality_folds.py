"""Model quality of datasets that are not held: what the metrics need is counted in five folds of the rows.

A sample of 80 % is then all folds but one, so that values and standard deviations come from one pass. Scores are
counted by narrow ranges; those within a range count as equal, which they are for scores of up to six decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model_checks.analysis.curves import Curves
from model_checks.analysis.profile import Moments
from model_checks.arrays import Codes, Counts, Floats

FOLDS = 5
RANGES = 1 << 20  # of scores from 0 to 1
_OUTER = 1 << 19  # ranges below 0, and as many above 1: by sign, exponent and the first 11 bits of the mantissa
_BINS = _OUTER + RANGES + 1 + _OUTER


def folds(rows: int, block: int) -> Codes:
    """A fold for each row of a block, at random, of equal sizes; always the same for the same block."""
    return np.random.default_rng(block).permutation(rows) % FOLDS


def score_ranges(scores: Floats) -> Codes:
    """The range of each score, in the order of the scores; a missing score is the lowest."""
    ranges = _OUTER + np.floor(np.clip(np.nan_to_num(scores), 0.0, 1.0) * RANGES).astype(np.int64)
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        some = np.where(np.isnan(scores[outside]), -np.inf, scores[outside]).astype(np.float32)
        magnitude = ((some.view(np.uint32) & np.uint32(0x7FFFFFFF)) >> np.uint32(12)).astype(np.int64)
        ranges[outside] = np.where(some < 0, _OUTER - 1 - magnitude, _OUTER + RANGES + 1 + magnitude)
    return ranges


@dataclass
class ScoreCounts:
    """Rows by actual class, fold and range of their score."""

    by_class: dict[int, npt.NDArray[np.int32]] = field(default_factory=dict)

    def add(self, actual: Codes, fold: Codes, scores: Floats) -> None:
        cells = fold * _BINS + score_ranges(scores)
        for code in np.unique(actual).tolist():
            if code not in self.by_class:
                self.by_class[code] = np.zeros(FOLDS * _BINS, dtype=np.int32)
            some, counts = np.unique(cells[actual == code], return_counts=True)
            self.by_class[code][some] += counts.astype(np.int32)

    def rename(self, codes: Codes) -> ScoreCounts:
        """The same with other classes: `codes` has the new one of each."""
        by_index: dict[int, npt.NDArray[np.int32]] = {}
        for code, counts in self.by_class.items():
            new = int(codes[code])
            by_index[new] = by_index[new] + counts if new in by_index else counts
        return ScoreCounts(by_index)

    def curves(self, positive: int, without: int | None) -> Curves:
        """The curves over all rows, or over those that are not in one fold."""
        hits, rows = np.zeros(_BINS, dtype=np.int64), np.zeros(_BINS, dtype=np.int64)
        for code, counts in self.by_class.items():
            for fold, some in enumerate(counts.reshape(FOLDS, _BINS)):
                if fold != without:
                    rows += some
                    if code == positive:
                        hits += some
        there = np.flatnonzero(rows)[::-1]
        return Curves.from_counts(hits[there].astype(np.float64), rows[there].astype(np.float64))


@dataclass
class LabelFolds:
    """Rows by fold, actual and predicted class. The codes of blocks are positions in `names`, which may grow."""

    names: Sequence[str] = ()
    matrices: Counts = field(default_factory=lambda: np.zeros((FOLDS, 0, 0), dtype=np.int64))
    scores: ScoreCounts | None = None
    _blocks: int = 0

    def add(self, names: Sequence[str], actual: Codes, predicted: Codes, scores: Floats | None) -> None:
        """Adds a block; `names` are those of all codes so far."""
        size = len(names)
        grown = size - self.matrices.shape[1]
        self.names, self.matrices = names, np.pad(self.matrices, ((0, 0), (0, grown), (0, grown)))
        fold = folds(len(actual), self._blocks)
        self._blocks += 1
        cells = np.bincount((fold * size + actual) * size + predicted, minlength=self.matrices.size)
        self.matrices += cells.reshape(self.matrices.shape)
        if scores is not None:
            self.scores = self.scores or ScoreCounts()
            self.scores.add(actual, fold, scores)

    def rename(self, names: Sequence[str], codes: Codes) -> LabelFolds:
        """The same with other classes: `codes` has the new one of each."""
        into = np.eye(len(names), dtype=np.int64)[codes]
        scores = self.scores.rename(codes) if self.scores else None
        return LabelFolds(names, into.T @ self.matrices @ into, scores)

    def matrix(self, without: int | None = None) -> Counts:
        """Counts by actual and predicted class, of all rows or of those outside a fold."""
        whole: Counts = self.matrices.sum(axis=0)
        return whole if without is None else whole - self.matrices[without]


@dataclass
class Errors:
    """What the metrics of a regression are computed from."""

    rows: int = 0
    absolute: float = 0.0
    squared: float = 0.0
    actual: Moments = field(default_factory=Moments)

    @classmethod
    def of(cls, actual: Floats, predicted: Floats) -> Errors:
        if not len(actual):
            return cls()
        errors = actual - predicted
        return cls(len(errors), float(np.abs(errors).sum()), float(errors @ errors), Moments.of(actual))

    def merge(self, other: Errors) -> None:
        self.rows += other.rows
        self.absolute += other.absolute
        self.squared += other.squared
        self.actual.merge(other.actual)


@dataclass
class ErrorFolds:
    """The errors of a regression by fold."""

    folds: list[Errors] = field(default_factory=lambda: [Errors() for _ in range(FOLDS)])
    _blocks: int = 0

    @property
    def rows(self) -> int:
        return sum(errors.rows for errors in self.folds)

    def add(self, actual: Floats, predicted: Floats) -> None:
        fold = folds(len(actual), self._blocks)
        self._blocks += 1
        for position, errors in enumerate(self.folds):
            errors.merge(Errors.of(actual[fold == position], predicted[fold == position]))

    def errors(self, without: int | None = None) -> Errors:
        total = Errors()
        for position, errors in enumerate(self.folds):
            if position != without:
                total.merge(errors)
        return total
