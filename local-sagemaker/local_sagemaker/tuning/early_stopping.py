"""Whether a running training job is stopped, by what it and the others printed of the objective metric. Pure.

An epoch is a value that a job printed. Early stopping is the developer guide's median rule. Of Hyperband the API
reference says what `MinResource` and `MaxResource` are; here it halves successively without waiting for others (ASHA).
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Series = Sequence[float]
_KEPT = 3  # one of so many continues at each rung
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")


def averages(values: Series) -> list[float]:
    """The running average after each epoch."""
    return [total / count for count, total in enumerate(itertools.accumulate(values), start=1)]


def worse(values: Series, earlier: Sequence[Series], *, minimise: bool) -> bool:
    """The median rule: the value is worse than the median of the running averages of `earlier` at the same epoch."""
    if not values:
        return False
    epoch = len(values) - 1
    reached = [averages(one[: epoch + 1])[epoch] for one in earlier if epoch < len(one)]
    if not reached:
        return False
    median = statistics.median(reached)
    return values[-1] > median if minimise else values[-1] < median


def drops_out(values: Series, others: Sequence[Series], resources: tuple[int, int], *, minimise: bool) -> bool:
    """Hyperband: at `low` epochs, and at each three times as many, only the best third of those that came so far
    continues; nothing continues beyond `high`. `resources` are these two."""
    low, high = resources
    if len(values) > high:
        return True
    if len(values) < low:
        return False
    rung = low
    while rung * _KEPT <= min(len(values), high):
        rung *= _KEPT
    reached = [one[rung - 1] for one in others if len(one) >= rung]
    own = values[rung - 1]
    better = sum(value < own if minimise else value > own for value in reached)
    return better >= math.ceil((len(reached) + 1) / _KEPT)


def resources(config: Mapping[str, Any], static: Mapping[str, str]) -> tuple[int, int] | None:
    """MinResource and MaxResource of Hyperband, the latter also from a static hyperparameter; None if not known."""
    hyperband = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    low, high = int(hyperband.get("MinResource", 1)), hyperband.get("MaxResource")
    texts = [static[name].strip('"') for name in _EPOCHS if name in static]
    if high is None and texts and texts[0].isdigit():
        high = int(texts[0])
    return (low, int(high)) if high is not None else None
