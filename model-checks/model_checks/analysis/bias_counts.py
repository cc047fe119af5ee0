"""The rows of a dataset counted by facet, label, prediction and group, in two passes of blocks.

The first pass notes what decides who is in a facet and which outcome is positive (`bias_columns`), the second counts.
All bias metrics but the flip test follow from the counts; for that one a sample of the rows is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.analysis.bias_columns import (
    FLOAT,
    INTEGER,
    TEXT,
    Categories,
    ColumnScan,
    Listed,
    Rows,
    Threshold,
    threshold,
)
from model_checks.arrays import Codes

BINS = 20  # of the label's histogram


@dataclass(frozen=True)
class Facet:
    """A sensitive column; `values` are its categories or its threshold, None is each category in turn."""

    name: str
    values: list[Any] | None = None


@dataclass(frozen=True)
class CountedBlock:
    """Some rows: facets and, where they are requested, features; labels; predictions and groups where there are any."""

    frame: pd.DataFrame
    labels: pd.Series
    predictions: pd.Series | None = None
    group: pd.Series | None = None


@dataclass(frozen=True)
class Cut:
    """Scores of a binary label are made labels: 1 above the threshold. None: 0.5, and only what is no label is cut."""

    threshold: float | None = None


@dataclass(frozen=True)
class BiasStream:
    """A dataset for bias analysis. `blocks(features, text)` reads it: with the features or without, and the columns
    named in `text` as text. `positive` are the label's positive values or its threshold."""

    blocks: Callable[[bool, frozenset[str]], Iterator[CountedBlock]]
    label_name: str
    positive: list[Any]
    facets: Sequence[Facet]
    cut: Cut | None = None


@dataclass(frozen=True)
class FacetEntry:
    """A value (or the threshold) of a facet: which of the facet's codes are in it, or why that can't be known."""

    text: str
    inside: Rows | None
    error: str = ""


@dataclass
class FacetCounts:
    """The rows by the facet's code, label, prediction and group."""

    facet: Facet
    entries: list[FacetEntry]
    codes: Callable[[pd.Series], Codes]
    table: npt.NDArray[np.int64]

    def inside(self, entry: FacetEntry) -> npt.NDArray[np.int64]:
        """The rows by being in the facet, label, prediction and group."""
        chosen = self.table[entry.inside] if entry.inside is not None else self.table[:0]
        inside = chosen.sum(axis=0)
        return np.stack([self.table.sum(axis=0) - inside, inside])


@dataclass(frozen=True)
class Histogram:
    """Rows by ranges of the label."""

    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]

    def add(self, labels: pd.Series) -> None:
        """Counts more labels; missing ones are in no range."""
        self.counts[:] += np.histogram(labels.dropna().to_numpy(dtype=float), self.edges)[0]


@dataclass(frozen=True)
class Sample:
    """Rows of the flip test: their features (facets among them), the codes of each facet, and the predictions."""

    frame: pd.DataFrame
    facets: list[Codes]
    predicted: Rows


@dataclass
class Counted:
    """A dataset as bias metrics need it."""

    label_name: str
    label_text: str
    rows: int
    facets: list[FacetCounts]
    predicted_error: str
    groups: pd.Series | None
    histogram: Histogram | None
    cut_at: float | None  # the threshold that predictions were cut at
    refused: bool = False  # whether the error in the predictions is one of the dataset, not of each metric
    positive: int = 0  # rows with a positive label
    predicted: int = 0  # and with a positive prediction
    sample: Sample | None = None


@dataclass
class _Scans:
    """The first pass."""

    label: ColumnScan
    facets: dict[str, ColumnScan]
    rows: int = 0
    prediction: ColumnScan | None = None
    group: ColumnScan | None = None
    text: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, stream: BiasStream, text: frozenset[str] = frozenset()) -> _Scans:
        facets = {facet.name: ColumnScan(facet.name) for facet in stream.facets}
        scans = cls(ColumnScan(stream.label_name), facets, text=text)
        for block in stream.blocks(False, text):
            scans.rows += len(block.labels)
            scans._add(block)
        mixed = frozenset(scan.name for scan in scans._all() if scan.mixed) - text
        return cls.of(stream, text | mixed) if mixed else scans

    def _all(self) -> list[ColumnScan]:
        return [scan for scan in (self.label, self.prediction, self.group, *self.facets.values()) if scan]

    def _add(self, block: CountedBlock) -> None:
        self.label.update(block.labels)
        for name, scan in self.facets.items():
            if name not in block.frame.columns:
                raise ValueError(f"Facet column {name} is not present in the dataset")
            scan.update(block.frame[name])
        if block.predictions is not None:
            self.prediction = self.prediction or ColumnScan(str(block.predictions.name))
            self.prediction.update(block.predictions)
        if block.group is not None:
            self.group = self.group or ColumnScan(str(block.group.name))
            self.group.update(block.group)

    def check(self) -> None:
        """Raises ValueError for an empty dataset, and for a column that needs values and has none."""
        if not self.rows:
            raise ValueError("The dataset has no rows.")
        for scan in (*self.facets.values(), self.label, self.prediction):
            if scan is not None and not scan.present:
                raise ValueError(f"Column {scan.name} has no values.")


@dataclass(frozen=True)
class _Predicted:
    """How predictions are read: cut at a threshold, or as they are."""

    scan: ColumnScan
    cut_at: float | None = None

    @classmethod
    def of(cls, scan: ColumnScan, label: ColumnScan, cut: Cut | None) -> _Predicted:
        if cut is None or scan.kind != FLOAT:
            return cls(scan)
        labels, scores = label.distinct(), scan.distinct()
        if label.different() == 2 and labels is not None:
            strange = scores is None or not set(scores.dropna()) <= set(labels.dropna())
            if strange or cut.threshold is not None:
                at = 0.5 if cut.threshold is None else cut.threshold
                outcomes = ColumnScan(scan.name)
                values = [value for value, there in ((0, scan.low <= at or scan.missing), (1, scan.high > at)) if there]
                kind = {TEXT: "int64", INTEGER: "int64", FLOAT: "float64"}.get(label.kind, "bool")
                outcomes.update(pd.Series(values).astype(kind))  # type: ignore[call-overload]
                outcomes.present = scan.present + scan.missing
                return cls(outcomes, at)
        if label.kind == INTEGER and scan.whole and not scan.missing:
            scan.as_whole()
        return cls(scan)

    def read(self, block: pd.Series) -> pd.Series:
        return self.scan.conform(block if self.cut_at is None else (block > self.cut_at))


def _label_rule(scan: ColumnScan, positive: list[Any]) -> Threshold | Listed:
    if not positive:
        raise ValueError("Positive label values or thresholds are empty for Label column")
    if scan.continuous(positive):
        return threshold(scan, positive)
    return Listed(scan, positive)


def _rule_of_predictions(
    predicted: _Predicted, label: ColumnScan, positive: list[Any]
) -> Callable[[pd.Series], Rows] | str:
    """Which predictions are positive, or why not. The range of a threshold is that of labels and predictions."""
    continuous = label.continuous(positive)
    if predicted.scan.continuous(positive) != continuous:
        return "Predicted Label Column series datatype is not the same as Label Column series"
    if not continuous:
        listed = Listed(predicted.scan, positive)
        return lambda block: listed.rows(predicted.read(block))
    kind = label.extremes().dtype
    ends = pd.concat([label.extremes(), predicted.scan.extremes().astype(kind)])
    interval = threshold(label, positive, ends)
    return lambda block: interval.rows(predicted.read(block).astype(kind))


def _facet_counts(facet: Facet, scan: ColumnScan, groups: int) -> FacetCounts:
    values = facet.values or None
    try:
        if scan.continuous(values) or values:
            rule = threshold(scan, values) if scan.continuous(values) else Listed(scan, values or ())

            def codes(block: pd.Series) -> Codes:
                return rule.rows(scan.conform(block)).astype(np.int64)

            entries = [FacetEntry(rule.text, np.array([False, True]))]
            return FacetCounts(facet, entries, codes, np.zeros((2, 2, 2, groups), dtype=np.int64))
        categories = Categories(scan)
        every = [Listed(scan, [value]) for value in categories.values]
        entries = [FacetEntry(one.text, one.rows(categories.values)) for one in every]
        table = np.zeros((len(every), 2, 2, groups), dtype=np.int64)
        return FacetCounts(facet, entries, lambda block: categories.codes(scan.conform(block)), table)
    except (ValueError, TypeError) as error:
        entries = [FacetEntry(",".join(map(str, values or [])), None, str(error))]
        table = np.zeros((1, 2, 2, groups), dtype=np.int64)
        return FacetCounts(facet, entries, lambda block: np.zeros(len(block), dtype=np.int64), table)


@dataclass(frozen=True)
class _Rules:
    """What the first pass has settled about labels, predictions and groups."""

    scans: _Scans
    label: Threshold | Listed
    predicted: Callable[[pd.Series], Rows] | str
    groups: Categories | None

    def outcomes(self, block: CountedBlock) -> tuple[Rows, Rows, Codes]:
        """Of each row, whether label and prediction are positive, and the group's code."""
        positive = self.label.rows(self.scans.label.conform(block.labels))
        guessed = np.zeros(len(positive), dtype=bool)
        if block.predictions is not None and not isinstance(self.predicted, str):
            guessed = self.predicted(block.predictions)
        if self.groups is None or self.scans.group is None or block.group is None:
            return positive, guessed, np.zeros(len(positive), dtype=np.int64)
        return positive, guessed, self.groups.codes(self.scans.group.conform(block.group))


def count(stream: BiasStream, sampled: int | None = None) -> Counted:
    """Counts the rows. `sampled` is how many are kept for a flip test, None where there is none.

    Raises ValueError for an empty dataset, a column without values, and a label without positive values.
    """
    scans = _Scans.of(stream)
    scans.check()
    label = _label_rule(scans.label, stream.positive)
    predicted = _Predicted.of(scans.prediction, scans.label, stream.cut) if scans.prediction else None
    rule = (
        _rule_of_predictions(predicted, scans.label, stream.positive) if predicted else "Predicted labels are not given"
    )
    rules = _Rules(scans, label, rule, Categories(scans.group) if scans.group else None)
    width = len(rules.groups.values) if rules.groups else 1
    counts = Counted(
        stream.label_name,
        label.text,
        scans.rows,
        [_facet_counts(facet, scans.facets[facet.name], width) for facet in stream.facets],
        rule if isinstance(rule, str) else "",
        rules.groups.values if rules.groups else None,
        _empty_histogram(scans.label),
        predicted.cut_at if predicted else None,
        isinstance(rule, str),
    )
    _tally(counts, stream, rules, sampled)
    if not counts.predicted_error and not counts.predicted:
        text = "No Label values are present in the predicted Label Column,"
        counts.predicted_error = text + "Positive Predicted Index Series contains all False values"
        counts.refused = not isinstance(label, Threshold)
    return counts


def _tally(result: Counted, stream: BiasStream, rules: _Rules, sampled: int | None) -> None:
    """The second pass."""
    keeper = _Keeper(result.rows, sampled, len(result.facets)) if sampled else None
    width = 1 if result.groups is None else len(result.groups)
    for block in stream.blocks(keeper is not None, rules.scans.text):
        positive, guessed, group = rules.outcomes(block)
        result.positive += int(positive.sum())
        result.predicted += int(guessed.sum())
        outcome = (positive * 2 + guessed) * width + group
        codes = [counts.codes(block.frame[counts.facet.name]) for counts in result.facets]
        for counts, facet in zip(result.facets, codes, strict=True):
            cells = np.bincount(facet * (4 * width) + outcome, minlength=counts.table.size)
            counts.table += cells.reshape(counts.table.shape)
        if result.histogram is not None:
            result.histogram.add(rules.scans.label.conform(block.labels))
        if keeper:
            keeper.add(block.frame, codes, guessed)
    result.sample = keeper.sample() if keeper else None


def _empty_histogram(label: ColumnScan) -> Histogram | None:
    if label.kind == TEXT:
        return None
    bins = min(BINS, max(1, label.different() or BINS))
    edges = np.histogram_bin_edges(label.extremes().to_numpy(dtype=float), bins)
    return Histogram(np.zeros(bins, dtype=np.int64), edges)


class _Keeper:
    """Keeps the rows of the flip test: all, or of more than `most` as many at random, always the same ones."""

    def __init__(self, rows: int, most: int, facets: int) -> None:
        self._chosen = None if rows <= most else np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
        self._seen = 0
        self._frames: list[pd.DataFrame] = []
        self._codes: list[list[Codes]] = [[] for _ in range(facets)]
        self._predicted: list[Rows] = []

    def add(self, frame: pd.DataFrame, codes: Sequence[Codes], predicted: Rows) -> None:
        rows = np.arange(len(frame))
        if self._chosen is not None:
            start, end = np.searchsorted(self._chosen, [self._seen, self._seen + len(frame)])
            rows = self._chosen[start:end] - self._seen
        self._seen += len(frame)
        self._frames.append(frame.iloc[rows])
        self._predicted.append(predicted[rows])
        for kept, values in zip(self._codes, codes, strict=True):
            kept.append(values[rows])

    def sample(self) -> Sample:
        frame = pd.concat(self._frames, ignore_index=True)
        return Sample(frame, [np.concatenate(parts) for parts in self._codes], np.concatenate(self._predicted))
