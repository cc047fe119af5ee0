"""The sections of a data-quality page: every feature's numbers beside the baseline's, and its distribution."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.reports import features
from pipelines.reports.evidence import Evidence
from pipelines.reports.features import FeatureReport
from pipelines.reports.page import Html, Section, data, join, paragraph, table
from pipelines.reports.plots import Plot, bars, figure, histogram

BUCKETS = 24
PLOTTED = 12  # features; a wide data set's page shows those that moved most
CATEGORIES = 8
COLUMN_CHECKS = ("Missing columns", "Extra columns")
DISTINCT = "approximate_num_distinct_values"
EXPLAINED = (
    "Distance is the largest difference between the two cumulative distributions (0: the same, 1: nothing in common). "
    "The check compares it with the threshold{slack}. Moved is how far the mean went, in standard deviations of the "
    "baseline. Present is the share of rows that have a value."
)


def sections(evidence: Evidence) -> Iterator[Section]:
    now, before = features.by_name(evidence.statistics), features.by_name(evidence.baseline_statistics)
    distances = {name: features.distance(before[name], now[name]) for name in now if name in before}
    violating = {str(item.get("feature_name")) for item in evidence.violations}
    if violating.intersection(COLUMN_CHECKS):  # which name no column
        violating |= now.keys() ^ before.keys()
    order = sorted(now, key=lambda name: (name not in violating, -round(distances.get(name) or 0.0, 9)))
    yield _distributions(evidence, order[:PLOTTED], len(now), violating)
    yield _table(evidence, distances, violating)


def _distributions(evidence: Evidence, names: Sequence[str], total: int, violating: set[str]) -> Section:
    now, before = features.by_name(evidence.statistics), features.by_name(evidence.baseline_statistics)
    plots, plotted = [], {}
    for name in names:
        shown = distribution(before.get(name), now[name])
        if shown is None:
            continue
        plotted[name] = shown
        title = evidence.names.of(name)
        if "edges" in shown:
            draw = histogram(shown["edges"], shown["baseline"], shown["current"])
            plots.append(Plot(title, "value", "share of rows", draw, name in violating))
        else:
            draw = bars(shown["values"], shown["baseline"], shown["current"])
            plots.append(Plot(title, "share of rows", "", draw, name in violating))
    words = f"All {total} features" if len(names) == total else f"{len(names)} of {total} features"
    if before:
        words += ", those that moved most first; a red title marks those that violate a constraint"
    words += "."
    return Section("Distributions", join(paragraph(words), figure(plots)), {"distributions": plotted})


def distribution(baseline: FeatureReport | None, current: FeatureReport) -> dict[str, Any] | None:
    """The shares of both sides over the same buckets (or categories); None if the file has no distribution."""
    counts = features.categories(current)
    if counts:
        return _shares(features.categories(baseline or {}), counts)
    now, before = features.points(current), features.points(baseline or {})
    if not now:
        return None
    low, high = min(now[0][0], *(before[:1] or now)[0][:1]), max(now[-1][0], *(before[-1:] or now)[-1][:1])
    step = (high - low) / BUCKETS or 1 / BUCKETS  # a constant column has one bucket of its own
    edges = [low + index * step for index in range(BUCKETS + 1)]
    return {"edges": edges, "baseline": _counted(before, edges), "current": _counted(now, edges)}


def _counted(points: Sequence[tuple[float, float]], edges: Sequence[float]) -> list[float] | None:
    total = sum(weight for _, weight in points)
    if not total:
        return None
    counts = [0.0] * (len(edges) - 1)
    for value, weight in points:
        counts[max(0, min(bisect_right(edges, value) - 1, len(counts) - 1))] += weight
    return [count / total for count in counts]


def _shares(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, Any]:
    largest = sorted({**before, **now}, key=lambda value: -max(before.get(value, 0), now.get(value, 0)))[:CATEGORIES]
    shares = [
        [side.get(value, 0) / sum(side.values()) for value in largest] if side else None for side in (before, now)
    ]
    return {"values": largest, "baseline": shares[0], "current": shares[1]}


def _table(evidence: Evidence, distances: Mapping[str, float | None], violating: set[str]) -> Section:
    now, before = features.by_name(evidence.statistics), features.by_name(evidence.baseline_statistics)
    config = evidence.baseline_constraints.get("monitoring_config", {}).get("distribution_constraints", {})
    robust = str(config.get("comparison_method", "Robust")).lower().endswith("robust")
    rows = []
    for name in {**now, **before}:
        left, right = before.get(name, {}), now.get(name, {})
        key = "comparison_threshold" if features.points(right) else "categorical_comparison_threshold"
        rows.append((name in violating, _row(evidence, name, left, right, distances.get(name), config.get(key))))
    heads = ["Feature", "Distance", "Threshold", "Moved", "Mean before", "now", "Deviation before", "now",
             "Present before", "now", "Smallest before", "now", "Largest before", "now", "Distinct before", "now",
             "Type"]  # fmt: skip
    slack = ", after what two samples of these sizes differ by chance is taken off" if robust else ""
    body = table(heads, rows, numeric=range(1, len(heads) - 1))
    words = paragraph(EXPLAINED.format(slack=slack)) if before else Html("")
    return Section("Features", join(words, body))


def _row(
    evidence: Evidence,
    name: str,
    before: FeatureReport,
    now: FeatureReport,
    distance: float | None,
    threshold: float | None,
) -> list[Any]:  # fmt: skip
    sides = {"baseline": features.numbers(before), "current": features.numbers(now)}
    types = list(dict.fromkeys(side["inferred_type"] for side in (before, now) if side))
    distinct = "distinct_count" if "distinct_count" in {**sides["baseline"], **sides["current"]} else DISTINCT
    compared = None if distance is None else max(0.0, distance - _slack(evidence, before, now))

    def both(field: str) -> list[Html]:
        return [data(numbers.get(field), name, field, which) for which, numbers in sides.items()]

    return [
        evidence.names.of(name),
        data(compared, name, "distance"),
        data(threshold, name, "threshold"),
        _moved(sides["baseline"], sides["current"]),
        *both("mean"),
        *both("std_dev"),
        data(features.completeness(before), name, "completeness", "baseline"),
        data(features.completeness(now), name, "completeness", "current"),
        *both("min"),
        *both("max"),
        *both(distinct),
        " -> ".join(types),
    ]


def _slack(evidence: Evidence, before: FeatureReport, now: FeatureReport) -> float:
    config = evidence.baseline_constraints.get("monitoring_config", {}).get("distribution_constraints", {})
    robust = str(config.get("comparison_method", "Robust")).lower().endswith("robust")
    return features.slack(before, now) if robust else 0.0


def _moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    if before.get("mean") is None or now.get("mean") is None:
        return ""
    change, deviation = now["mean"] - before["mean"], before.get("std_dev")
    if not round(change / (deviation or 1), 9):
        return "0"
    return f"{round(change / deviation, 2) + 0.0:+.2f}" if deviation else f"{change:+.4g} (constant before)"
