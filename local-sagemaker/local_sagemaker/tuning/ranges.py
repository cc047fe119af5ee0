"""The ranges that a tuning job searches, each as a scale from 0 to 1. Pure.

Scaling types are those of the developer guide: logarithmic for values above 0, reverse logarithmic for continuous
values in [0, 1). What Auto chooses is AWS's secret; here it is logarithmic where the range spans a factor of 100.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ValidationError

_WIDE = 100.0


@dataclass(frozen=True)
class Categorical:
    """One of a list of texts."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        """How many values there are."""
        return len(self.values)

    def at(self, position: float) -> str:
        """The value at a position from 0 to 1."""
        return self.values[min(int(position * len(self.values)), len(self.values) - 1)]

    def features(self, value: str) -> list[float]:
        """The value as numbers from 0 to 1 for a model: one for each choice. Raises ValueError for another value."""
        chosen = self.values.index(value)
        return [float(index == chosen) for index in range(len(self.values))]

    def all(self) -> Iterator[str]:
        """Every value."""
        yield from self.values


@dataclass(frozen=True)
class Numeric:
    """Numbers from `low` to `high`, both included; whole numbers only with `whole`. `scaling` is never Auto."""

    name: str
    low: float
    high: float
    whole: bool
    scaling: str

    @property
    def count(self) -> float:
        """How many values there are."""
        if self.whole:
            return self.high - self.low + 1
        return 1 if self.low == self.high else math.inf

    def at(self, position: float) -> str:
        """The value at a position from 0 to 1, as the text that hyperparameters are."""
        low, high = self._bent(self.low), self._bent(self.high + self.whole)
        value = self._straight(low + position * (high - low))
        if self.whole:
            return str(int(min(max(math.floor(value), self.low), self.high)))
        return repr(float(min(max(value, self.low), self.high)))

    def features(self, value: str) -> list[float]:
        """The value as a number from 0 to 1 for a model. Raises ValueError for one that is out of the range."""
        number = float(value)
        if not self.low <= number <= self.high:
            raise ValueError(value)
        low, high = self._bent(self.low), self._bent(self.high)
        return [(self._bent(number) - low) / (high - low) if high != low else 0.0]

    def all(self) -> Iterator[str]:
        """Every value of a range of whole numbers."""
        for number in range(int(self.low), int(self.high) + 1):
            yield str(number)

    def _bent(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.log(value)
        return -math.log1p(-value) if self.scaling == "ReverseLogarithmic" else value

    def _straight(self, value: float) -> float:
        if self.scaling == "Logarithmic":
            return math.exp(value)
        return -math.expm1(-value) if self.scaling == "ReverseLogarithmic" else value


Range = Categorical | Numeric
Space = tuple[Range, ...]


def parse(ranges: Mapping[str, Any]) -> Space:
    """The ranges of a ParameterRanges member, in a fixed order. Raises ValidationError for what can't be searched."""
    space: list[Range] = []
    for member, whole in (("IntegerParameterRanges", True), ("ContinuousParameterRanges", False)):
        space += [_numeric(item, whole=whole) for item in ranges.get(member, [])]
    for item in ranges.get("CategoricalParameterRanges", []):
        space.append(Categorical(item["Name"], tuple(item["Values"])))
    names = [one.name for one in space]
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f"Hyperparameter '{name}' has more than one range.")
    return tuple(space)


def combinations(space: Space) -> float:
    """How many different points there are; infinity with a continuous range."""
    return math.prod(one.count for one in space)


def points(space: Space) -> Iterator[dict[str, str]]:
    """Every combination of ranges without continuous ones."""
    for values in itertools.product(*(list(one.all()) for one in space)):
        yield {one.name: value for one, value in zip(space, values, strict=True)}


def features(space: Space, values: Mapping[str, str]) -> list[float] | None:
    """A point as numbers from 0 to 1 for a model; None when it lies outside of the space (a parent's, say)."""
    row: list[float] = []
    try:
        for one in space:
            row += one.features(values[one.name])
    except (KeyError, ValueError):
        return None
    return row


def _numeric(item: Mapping[str, str], *, whole: bool) -> Numeric:
    name, scaling = item["Name"], item.get("ScalingType", "Auto")
    try:
        low, high = (float(int(text) if whole else text) for text in (item["MinValue"], item["MaxValue"]))
    except ValueError as error:
        kind = "whole numbers" if whole else "numbers"
        raise ValidationError(f"MinValue and MaxValue of hyperparameter '{name}' must be {kind}.") from error
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValidationError(f"MinValue of hyperparameter '{name}' must not be greater than its MaxValue.")
    if scaling == "Auto":
        scaling = "Logarithmic" if low > 0 and high / low >= _WIDE else "Linear"
    if scaling == "Logarithmic" and low <= 0:
        raise ValidationError(f"Logarithmic scaling needs values greater than 0; hyperparameter '{name}' has others.")
    if scaling == "ReverseLogarithmic" and (whole or low < 0 or high >= 1):
        raise ValidationError(
            f"ReverseLogarithmic scaling needs a continuous range within 0 <= x < 1; that of '{name}' is not."
        )
    return Numeric(name, low, high, whole, scaling)
