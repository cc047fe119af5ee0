"""The features of Model Monitor's ``statistics.json`` and ``constraints.json``: their numbers and distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FeatureReport = Mapping[str, Any]


def by_name(file: Mapping[str, Any]) -> dict[str, FeatureReport]:
    """The features of either file by name, in the order of the file."""
    return {feature["name"]: feature for feature in file.get("features", [])}


def numbers(feature: FeatureReport) -> Mapping[str, Any]:
    """Mean, deviation and so on; of a text column the counts only."""
    statistics: Mapping[str, Any] = feature.get("numerical_statistics") or feature.get("string_statistics") or {}
    return statistics


def mean(feature: FeatureReport) -> float | None:
    return numbers(feature).get("mean")


def completeness(feature: FeatureReport) -> float | None:
    """The share of values that are present. Files of older containers have the counts only."""
    common = numbers(feature).get("common", {})
    total = common.get("num_present", 0) + common.get("num_missing", 0)
    return common["num_present"] / total if total else None


def present(feature: FeatureReport) -> int:
    return int(numbers(feature).get("common", {}).get("num_present", 0))


def categories(feature: FeatureReport) -> dict[str, float]:
    """The counts of a text column's values; empty where the file has none, as for columns of many values."""
    distribution = numbers(feature).get("distribution", {})
    return {item["value"]: item["count"] for item in distribution.get("categorical", {}).get("buckets", [])}


def points(feature: FeatureReport) -> list[tuple[float, float]]:
    """The values that the sketch keeps, each with the number of rows it stands for, in ascending order."""
    kll = numbers(feature).get("distribution", {}).get("kll", {})
    levels = kll.get("sketch", {}).get("data", [])
    if levels:
        return sorted((value, 2.0**level) for level, values in enumerate(levels) for value in values)
    return [((item["lower_bound"] + item["upper_bound"]) / 2, item["count"]) for item in kll.get("buckets", [])]


def distance(baseline: FeatureReport, current: FeatureReport) -> float | None:
    """The largest difference of the two cumulative distributions (of shares, for text); None if nothing compares."""
    before, now = categories(baseline), categories(current)
    if before and now:
        left, right = sum(before.values()), sum(now.values())
        return max(abs(before.get(name, 0) / left - now.get(name, 0) / right) for name in {**before, **now})
    return _between(points(baseline), points(current))


def _between(before: list[tuple[float, float]], now: list[tuple[float, float]]) -> float | None:
    left, right = (sum(weight for _, weight in side) for side in (before, now))
    if not left or not right:
        return None
    steps: dict[float, float] = {}
    for side, share in ((before, 1 / left), (now, -1 / right)):
        for value, weight in side:
            steps[value] = steps.get(value, 0.0) + weight * share
    largest = gap = 0.0
    for value in sorted(steps):
        gap += steps[value]
        largest = max(largest, abs(gap))
    return largest


def slack(baseline: FeatureReport, current: FeatureReport) -> float:
    """What two samples of these sizes may differ by chance, which the comparison method ``Robust`` takes off."""
    before, now = present(baseline), present(current)
    return 1.8 * math.sqrt((before + now) / (before * now)) if before and now else 0.0
