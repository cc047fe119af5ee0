"""Distances between a baseline's distribution and the current one, from the two statistics.json features.

L-infinity for numbers (over the sketches' points: the two-sample Kolmogorov-Smirnov distance) and categories, and
chi-squared for categories. ``Robust`` takes off the slack that samples of these sizes have by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from model_checks.analysis.sketches import with_weights

Feature = Mapping[str, Any]

SLACK = 1.8  # sqrt(-ln(alpha / 2) / 2) for an alpha of about 0.003
_COCHRAN_SMALL, _COCHRAN_2X2, _YATES_SHARE = 5, 10, 0.2


def numeric_distance(baseline: Feature, current: Feature) -> float:
    """The largest difference of the two cumulative distributions, over the points of both sketches."""
    left, left_weights = with_weights(baseline["distribution"]["kll"]["sketch"]["data"])
    right, right_weights = with_weights(current["distribution"]["kll"]["sketch"]["data"])
    points = np.union1d(left, right)
    return float(np.max(np.abs(_cumulative(left, left_weights, points) - _cumulative(right, right_weights, points))))


def _cumulative(values: Any, weights: Any, points: Any) -> Any:
    ranks = np.concatenate([[0.0], np.cumsum(weights)])
    return ranks[np.searchsorted(values, points, side="right")] / ranks[-1]


def categories(feature: Feature) -> dict[str, int]:
    """The counts of a String feature's values."""
    return {bucket["value"]: bucket["count"] for bucket in feature["distribution"]["categorical"]["buckets"]}


def categorical_distance(baseline: Mapping[str, int], current: Mapping[str, int]) -> float:
    """The largest difference of the two shares of a value."""
    left, right = sum(baseline.values()), sum(current.values())
    names = baseline.keys() | current.keys()
    return max(abs(baseline.get(name, 0) / left - current.get(name, 0) / right) for name in names)


def robust(distance: float, baseline_count: int, current_count: int) -> float:
    """The distance less what two samples of these sizes differ by chance, never negative."""
    slack = SLACK * math.sqrt((baseline_count + current_count) / (baseline_count * current_count))
    return max(0.0, distance - slack)


def chi_squared(baseline: Mapping[str, int], current: Mapping[str, int]) -> tuple[float, float] | None:
    """Statistic and p-value against the baseline's shares; None when too few categories are left to compare.

    The smallest categories are merged until the expected counts allow the test (Cochran's and Yates' rules).
    """
    known = {name: current.get(name, 0) for name in baseline}
    observed_total, baseline_total = sum(known.values()), sum(baseline.values())
    if not observed_total:
        return None
    cells = sorted((baseline[name] * observed_total / baseline_total, float(known[name])) for name in baseline)
    while len(cells) >= 2 and not _large_enough([expected for expected, _ in cells]):
        (first_expected, first_seen), (second_expected, second_seen), *rest = cells
        cells = sorted([(first_expected + second_expected, first_seen + second_seen), *rest])
    if len(cells) < 2:
        return None
    result = stats.chisquare([seen for _, seen in cells], [expected for expected, _ in cells])
    return float(result.statistic), float(result.pvalue)


def _large_enough(expected: list[float]) -> bool:
    if len(expected) == 2:
        return min(expected) >= _COCHRAN_2X2
    return sum(count < _COCHRAN_SMALL for count in expected) <= _YATES_SHARE * len(expected)
