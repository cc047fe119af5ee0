"""What is gathered from each column while a dataset is read once, in blocks that can be profiled apart and merged.

A column is profiled as numbers or as text, decided by its first values. Numbers that turn out to be mixed with text
are noted in `needs_text`: those columns are read a second time, as text (`profile_dataset`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pandas.util import hash_array

from model_checks.analysis import type_inference
from model_checks.analysis.sketches import DistinctSketch, QuantileSketch
from model_checks.analysis.type_inference import KINDS, UNKNOWN, TypeCounts
from model_checks.arrays import Floats

CATEGORIES = 120  # a String column with more distinct values has no distribution (Deequ's low-cardinality limit)
_UNKNOWN, _FRACTIONAL, _INTEGRAL, _, _STRING = range(len(KINDS))
_COUNTED = 10_000  # distinct values that are counted nevertheless, for the comparison with a baseline's distribution

Table = Mapping[str, pa.Array]
Domains = Mapping[str, frozenset[str]]
NO_DOMAINS: Domains = {}


@dataclass
class Moments:
    """Count, mean, squared deviations, sum and range; of parts, merged without loss (Chan et al.)."""

    count: int = 0
    mean: float = 0.0
    deviations: float = 0.0
    total: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    @classmethod
    def of(cls, values: Floats) -> Moments:
        total = float(values.sum())
        mean = total / len(values)
        centred = values - mean
        squares = float(np.square(centred, out=centred).sum())
        return cls(len(values), mean, squares, total, float(values.min()), float(values.max()))

    def merge(self, other: Moments) -> None:
        if not other.count:
            return
        count = self.count + other.count
        step = other.mean - self.mean
        self.deviations += other.deviations + step * step * self.count * other.count / count
        self.total += other.total
        self.mean = self.total / count
        self.count = count
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    @property
    def std_dev(self) -> float:
        """The population's: divided by n."""
        return float(np.sqrt(self.deviations / self.count))


@dataclass
class Column:
    """The accumulated profile of one column."""

    types: TypeCounts = field(default_factory=TypeCounts)
    moments: Moments = field(default_factory=Moments)
    quantiles: QuantileSketch = field(default_factory=QuantileSketch)
    distinct: DistinctSketch = field(default_factory=DistinctSketch)
    texts: DistinctSketch = field(default_factory=DistinctSketch)
    categories: Counter[str] | None = field(default_factory=Counter)
    numbers_as_text: bool = False
    domain: frozenset[str] = frozenset()
    inside: int = 0  # values that are in `domain`
    has_text: bool = False
    has_numbers: bool = False

    @property
    def item_count(self) -> int:
        return self.types.missing + self.types.present

    @property
    def completeness(self) -> float:
        return self.types.present / self.item_count if self.item_count else 0.0

    @property
    def needs_text(self) -> bool:
        """Text and numbers met, and the numbers were not kept as text."""
        return self.has_text and self.has_numbers and not self.numbers_as_text

    def update(self, array: pa.Array, seen: int = 0) -> None:
        """Adds values; `seen` is how many rows of the dataset came before."""
        array = type_inference.to_known_type(array)
        present = array.drop_null() if array.null_count else array
        self.types.missing += len(array) - len(present)
        if not len(present):
            return
        if pa.types.is_string(array.type):
            self._update_text(present, seen)
        elif pa.types.is_floating(array.type):
            self._update_floats(present, seen)
        else:
            self.types.integral += len(present)
            self._update_numbers(present.cast(pa.float64()).to_numpy(zero_copy_only=False), seen)

    def _update_floats(self, present: pa.Array, seen: int) -> None:
        values = present.cast(pa.float64()).to_numpy(zero_copy_only=False)
        known = np.isfinite(values)
        self.types.missing += int(len(values) - known.sum())
        self.types.fractional += int(known.sum())
        if known.any():
            self._update_numbers(values[known], seen)

    def _update_numbers(self, values: Floats, seen: int) -> None:
        self.has_numbers = True
        self.moments.merge(Moments.of(values))
        self.quantiles.update(values, seen)
        self.distinct.update_doubles(values)

    def _update_text(self, present: pa.StringArray, seen: int) -> None:
        decimals = None if self.numbers_as_text else type_inference.decimals(present)
        if decimals is not None:
            self.types.add(decimals[0])
            self._update_numbers(decimals[1], seen)
            return
        self._update_values(present, seen)

    def _update_values(self, present: pa.StringArray, seen: int) -> None:
        encoded = present.dictionary_encode()
        unique, codes = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
        kinds = type_inference.value_types(unique)
        numeric = (kinds == _FRACTIONAL) | (kinds == _INTEGRAL)
        numbers = np.full(len(unique), np.inf)
        numbers[numeric] = type_inference.numbers(unique.filter(pa.array(numeric)))
        kinds[numeric & np.isinf(numbers)] = _STRING
        numeric &= np.isfinite(numbers)
        counts = np.bincount(codes, minlength=len(unique))
        for kind, count in zip(KINDS, np.bincount(kinds, counts, len(KINDS)).tolist(), strict=True):
            name = "missing" if kind == UNKNOWN else kind.lower()
            setattr(self.types, name, getattr(self.types, name) + int(count))
        if numeric.any() and not self.numbers_as_text:
            self._update_numbers(numbers[codes[numeric[codes]]], seen)
        as_text = (kinds != _UNKNOWN) if self.numbers_as_text else (kinds != _UNKNOWN) & ~numeric
        if as_text.any():
            self._count_texts(unique.filter(pa.array(as_text)).to_numpy(zero_copy_only=False), counts[as_text])

    def _count_texts(self, texts: npt.NDArray[np.object_], counts: npt.NDArray[np.int64]) -> None:
        self.has_text = True
        self.texts.update(hash_array(texts, categorize=False))
        if self.domain:
            self.inside += int(counts[[text in self.domain for text in texts]].sum())
        if self.categories is not None:
            self.categories.update(dict(zip(texts.tolist(), counts.tolist(), strict=True)))
            self._limit_categories()

    def _limit_categories(self) -> None:
        if self.categories is not None and len(self.categories) > _COUNTED:
            self.categories = None

    def merge(self, other: Column) -> None:
        """Adds the profile of later values of the same column."""
        self.types.add(other.types)
        self.moments.merge(other.moments)
        self.quantiles.merge(other.quantiles)
        self.distinct.merge(other.distinct)
        self.texts.merge(other.texts)
        if self.categories is not None:
            if other.categories is None:
                self.categories = None
            else:
                self.categories.update(other.categories)
                self._limit_categories()
        self.inside += other.inside
        self.has_text |= other.has_text
        self.has_numbers |= other.has_numbers


@dataclass
class DatasetProfile:
    """The profile of every column, in the dataset's order."""

    item_count: int = 0
    columns: dict[str, Column] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        table: Table,
        rows: int,
        seen: int = 0,
        as_text: frozenset[str] = frozenset(),
        domains: Domains = NO_DOMAINS,
        before: DatasetProfile | None = None,
    ) -> DatasetProfile:
        """Profiles one block; `as_text` names the columns whose numbers are counted as text as well.

        What it is merged into afterwards can be given as `before`: it saves work on what that has settled.
        """
        profile = cls(rows)
        for name, array in table.items():
            column = Column(numbers_as_text=name in as_text, domain=domains.get(name, frozenset()))
            known = before.columns.get(name) if before else None
            if known:
                column.distinct.follow(known.distinct)
                column.texts.follow(known.texts)
            column.update(array, seen)
            profile.columns[name] = column
        return profile

    def merge(self, other: DatasetProfile) -> None:
        """Adds a later block. A column that only one of the blocks has is missing in the rows of the other."""
        for name, column in other.columns.items():
            if name not in self.columns:
                self.columns[name] = Column(numbers_as_text=column.numbers_as_text)
                self.columns[name].types.missing = self.item_count
            self.columns[name].merge(column)
        for name in self.columns.keys() - other.columns.keys():
            self.columns[name].types.missing += other.item_count
        self.item_count += other.item_count


Work = Callable[[Table, int, int], DatasetProfile]


class Blocks(Protocol):
    """Reads a dataset: calls ``work(table, rows, rows before)`` for each block, on whichever thread it likes.

    The results come in the dataset's order. Columns may be numbers where their text says no more than their value;
    those in `text` are to be texts, and only those are needed then.
    """

    def __call__(self, work: Work, text: frozenset[str] | None = None) -> Iterable[DatasetProfile]: ...


def profile_dataset(blocks: Blocks, domains: Domains = NO_DOMAINS) -> DatasetProfile:
    """Profiles a dataset that can be read more than once.

    Values inside the `domains` of String columns are counted.
    """
    whole = _pass(blocks, domains, frozenset())
    mixed = frozenset(name for name, column in whole.columns.items() if column.needs_text)
    if mixed:
        again = _pass(blocks, domains, mixed)
        whole.columns.update({name: again.columns[name] for name in mixed})
    return whole


def _pass(blocks: Blocks, domains: Domains, only_as_text: frozenset[str]) -> DatasetProfile:
    def work(table: Table, rows: int, seen: int) -> DatasetProfile:
        if only_as_text:
            table = {name: array for name, array in table.items() if name in only_as_text}
        return DatasetProfile.of(table, rows, seen, only_as_text, domains, whole)

    whole = DatasetProfile()
    for part in blocks(work, only_as_text) if only_as_text else blocks(work):
        whole.merge(part)
    return whole
