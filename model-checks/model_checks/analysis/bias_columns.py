"""A column that decides about bias (label, prediction, facet, group), read in blocks and never held whole.

What the container decides from a whole column is decided here from what a first pass noted of it: its kind of values,
the different ones, and its range. A second pass then finds the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.analysis.bias_metrics import divide
from model_checks.arrays import Codes

INTEGER, FLOAT, BOOLEAN, TEXT = "integer", "float", "boolean", "text"
MEASURED = 0.05  # the share of different values from which integers count as measured, not as categories
DISTINCT = 1 << 20  # different values that are kept; a column with more is one of numbers with a threshold, or refused

_DTYPES: dict[str, Any] = {INTEGER: "int64", FLOAT: "float64", BOOLEAN: "bool"}

Rows = npt.NDArray[np.bool_]


class ColumnScan:
    """What a pass over a column notes. Missing values come with whatever kind the others are of."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.present = self.missing = 0
        self.low, self.high = np.inf, -np.inf
        self.whole = True  # all numbers are
        self.starts_missing = False
        self._kinds: set[str] = set()
        self._fresh: list[npt.NDArray[Any]] = []  # the different numbers, each where it came first
        self._known: npt.NDArray[Any] | None = np.empty(0)  # the same, sorted; None: too many
        self._texts: dict[str, None] | None = {}

    def update(self, series: pd.Series) -> None:
        """Adds the next block of the column."""
        known = series.notna().to_numpy()
        if not self.present and not self.missing and len(known):
            self.starts_missing = not known[0]
        count = int(known.sum())
        self.present += count
        self.missing += len(known) - count
        if not count:
            return
        kind = _kind(series)
        self._kinds.add(kind)
        values = series.to_numpy()[known] if count < len(known) else series.to_numpy()
        if kind == TEXT:
            self._add_texts(values)
        else:
            self._add_numbers(np.asarray(values, dtype=_DTYPES[kind]))

    def _add_texts(self, values: npt.NDArray[Any]) -> None:
        if self._texts is not None:
            self._texts.update(dict.fromkeys(pd.unique(values).tolist()))
            if len(self._texts) > DISTINCT:
                self._texts = None

    def _add_numbers(self, values: npt.NDArray[Any]) -> None:
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        if values.dtype == np.float64 and self.whole:
            self.whole = bool((values % 1 == 0).all())
        if self._known is None:
            return
        unique = pd.unique(values)
        fresh = unique[~np.isin(unique, self._known)]
        if len(fresh):
            self._fresh.append(fresh)
            self._known = np.union1d(self._known, fresh)
            if len(self._known) > DISTINCT:
                self._known = None

    @property
    def kind(self) -> str:
        """The kind of the whole column, as pandas would read it; texts that are all whole numbers are numbers."""
        if self._kinds == {TEXT}:
            return self._kind_of_texts()
        if self._kinds == {BOOLEAN} and not self.missing:
            return BOOLEAN
        if self._kinds <= {INTEGER, FLOAT}:
            return INTEGER if self._kinds == {INTEGER} and not self.missing else FLOAT
        return TEXT

    @property
    def mixed(self) -> bool:
        """Some blocks are of another kind, so that the texts of their values are needed to compare them."""
        return self.kind == TEXT and self._kinds != {TEXT}

    def _kind_of_texts(self) -> str:
        if not self._texts:
            return TEXT
        numbers = pd.to_numeric(pd.Series(list(self._texts), dtype=object), errors="coerce")
        if numbers.isna().any() or not bool((numbers % 1 == 0).all()):
            return TEXT
        return FLOAT if self.missing else INTEGER

    def as_whole(self) -> None:
        """Takes decimals that are all whole for integers."""
        self._kinds = {INTEGER}

    def distinct(self) -> pd.Series | None:
        """The different values in order of appearance, a missing one among them; None when there are too many."""
        if (self._texts is None) if self._kinds == {TEXT} else (self._known is None):
            return None
        values: list[Any] = list(self._texts or ()) if self._kinds == {TEXT} else []
        if self._fresh:
            values = np.concatenate(self._fresh).tolist()
        if self.missing:
            values.insert(0 if self.starts_missing else len(values), np.nan)
        return self.conform(pd.Series(values, dtype=object))

    def conform(self, series: pd.Series) -> pd.Series:
        """A block with the type of the whole column."""
        kind = self.kind
        if kind == TEXT:
            return series.astype(object)
        if not pd.api.types.is_numeric_dtype(series.dtype):
            series = pd.to_numeric(series)
        return series.astype(_DTYPES[kind])

    def different(self) -> int | None:
        """How many different values there are, missing ones not counted; None when there are too many."""
        values = self.distinct()
        return None if values is None else int(values.nunique())

    def continuous(self, values: Sequence[Any] | None) -> bool:
        """Whether the container takes the column for a measured one, with a threshold; else it has categories."""
        if (values and len(values) > 1) or self.kind in (TEXT, BOOLEAN):
            return False
        different = self.different()
        return self.kind == FLOAT or different is None or divide(different, self.present) >= MEASURED

    def extremes(self) -> pd.Series:
        """The lowest and the highest number, with the column's type."""
        if not self.present:
            return pd.Series([np.nan, np.nan])
        distinct = self.distinct() if self._kinds == {TEXT} else None
        ends = [self.low, self.high] if distinct is None else [distinct.min(), distinct.max()]
        return pd.Series(ends).astype(_DTYPES[self.kind])


def _kind(series: pd.Series) -> str:
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return BOOLEAN
    if pd.api.types.is_integer_dtype(dtype):
        return INTEGER
    return FLOAT if pd.api.types.is_float_dtype(dtype) else TEXT


class Threshold:
    """Rows inside the interval from a threshold (exclusive) to the highest value."""

    def __init__(self, intervals: pd.IntervalIndex) -> None:
        self._intervals = intervals

    @property
    def text(self) -> str:
        return ",".join(map(str, self._intervals))

    def rows(self, series: pd.Series) -> Rows:
        values = series.to_numpy(dtype=float)
        inside = np.zeros(len(values), dtype=bool)
        for interval in self._intervals:
            inside |= (values > interval.left) & (values <= interval.right)
        return inside


class Listed:
    """Rows with one of some values."""

    def __init__(self, scan: ColumnScan, values: Sequence[Any]) -> None:
        self.text = ",".join(map(str, values))
        distinct = scan.distinct()
        if distinct is None:
            self._accepted: list[Any] = list(values)
        else:
            self._accepted = distinct[_equal_to_any(distinct, values)].tolist()

    def rows(self, series: pd.Series) -> Rows:
        return series.isin(self._accepted).to_numpy()


def _equal_to_any(column: pd.Series, values: Sequence[Any]) -> Rows:
    """Where a column has one of some values; where none of them occurs, of those values in the column's type.

    Raises ValueError for a value that has no such form. The type is that of the first row, as in the container.
    """
    categories = column.astype("category")

    def compare(accepted: Sequence[Any]) -> Rows:
        return np.any([(categories == value).to_numpy(dtype=bool) for value in accepted], axis=0)

    rows = compare(values)
    if rows.any() or isinstance(values[0], kind := type(categories.iloc[0])):
        return np.asarray(rows)
    try:
        converted: list[Any] = [kind(value) for value in values]
    except ValueError as error:
        if "invalid literal for int()" in str(error):  # '1.0'
            converted = [float(value) for value in values]
        else:
            raise ValueError(
                "'label' has not positive elements. Double-check if 'label' and 'positive_label_values'"
                "have correct data-types or values."
            ) from None
    return compare(converted)


def threshold(scan: ColumnScan, values: Sequence[Any] | None, extremes: pd.Series | None = None) -> Threshold:
    """The interval of a continuous column. Raises ValueError when there is no threshold, or it is no number."""
    limits: list[Any] = list(values or ())
    if limits and not isinstance(limits[0], int | float):
        try:
            limits[0] = float(limits[0])
        except ValueError:
            raise ValueError(
                "Facet/label value provided must be a single numeric threshold for continuous data"
            ) from None
    if not limits:
        raise ValueError("Threshold values must be provided for continuous features")
    highest = (scan.extremes() if extremes is None else extremes).max()
    breaks = sorted(limits if abs(highest) in limits else [*limits, highest])
    return Threshold(pd.IntervalIndex.from_breaks(breaks))


class Categories:
    """The different values of a column as codes."""

    def __init__(self, scan: ColumnScan) -> None:
        distinct = scan.distinct()
        if distinct is None:
            raise ValueError(f"Column {scan.name} has more than {DISTINCT} different values")
        self.values = distinct
        self._index = pd.Index(distinct.dropna())
        self._places = np.flatnonzero(distinct.notna().to_numpy())
        missing = np.flatnonzero(distinct.isna().to_numpy())
        self._missing = int(missing[0]) if len(missing) else 0

    def codes(self, series: pd.Series) -> Codes:
        positions = self._index.get_indexer(series)
        return (
            np.where(positions < 0, self._missing, self._places[positions])
            if len(self._places)
            else np.zeros(len(series), int)
        )
