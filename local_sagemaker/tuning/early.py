"""Early stopping by the median rule of the developer guide. Pure.

A training job is stopped when its objective is worse than the median of what the jobs before it had reached, each as
the running average up to the same epoch. An epoch is a value that the job printed.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence


def averages(values: Sequence[float]) -> list[float]:
    """The running average after each epoch."""
    return [total / count for count, total in enumerate(itertools.accumulate(values), start=1)]


def worse(values: Sequence[float], earlier: Sequence[Sequence[float]], *, minimise: bool) -> bool:
    """Whether to stop a job that printed `values`; `earlier` are the running averages of those that have ended."""
    epoch = len(values) - 1
    reached = [one[epoch] for one in earlier if epoch < len(one)]
    if epoch < 0 or not reached:
        return False
    median = statistics.median(reached)
    return values[-1] > median if minimise else values[-1] < median
