"""What a monitor measured over its executions, with baseline and bound. Pure: its JSON files in, trends out.

Distances are computed from the sketches in statistics.json as the monitor does (Developer Guide, "Schema for
Constraints": L-infinity, with the slack of small samples taken off unless the method is Simple); explanations are
compared by the NDCG score of their ranking, whose bound is 0.9 ("Monitor Feature Attribution Drift").
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

_SLACK = 1.8
_LOWEST_NDCG = 0.9
_DISTANCE = 0.1


@dataclass(frozen=True)
class MonitorFiles:
    """The files of one execution; None where it has none. `at` is its scheduled time."""

    at: float
    statistics: Any = None


@dataclass(frozen=True)
class Trend:
    """One measure of a feature or metric over executions, oldest first.

    `is_upper`: values above the bound violate it; else those below. `margin` is how much of the way from the baseline
    to the bound the newest value is: 1 and more is a violation, None without a bound.
    """

    name: str
    measure: str
    points: list[tuple[float, float]] = field(default_factory=list)
    baseline: float | None = None
    bound: float | None = None
    is_upper: bool = True
    margin: float | None = None

    @property
    def newest(self) -> float | None:
        """The newest value."""
        return self.points[-1][1] if self.points else None

    @property
    def is_outside(self) -> bool:
        """Whether the newest value violates the bound."""
        if self.newest is None or self.bound is None:
            return False
        return self.newest > self.bound if self.is_upper else self.newest < self.bound


Measured = tuple[str, str, float, float | None, float | None, bool]
"""Name, measure, value, baseline, bound, whether the bound is an upper one."""


def read_trends(kind: str, files: Sequence[MonitorFiles], statistics: Any, constraints: Any) -> list[Trend]:
    """The trends of a monitor of this type (MonitoringType), those nearest to their bound first."""
    rows: dict[tuple[str, str], list[tuple[float, Measured]]] = {}
    for item in sorted(files, key=lambda one: one.at):
        for measured in _measure(kind, item.statistics, statistics, constraints):
            rows.setdefault(measured[:2], []).append((item.at, measured))
    trends = [_trend(history) for history in rows.values()]
    return sorted(trends, key=lambda item: (item.margin is None, -(item.margin or 0.0), item.name, item.measure))


def _trend(history: list[tuple[float, Measured]]) -> Trend:
    name, measure, newest, baseline, bound, is_upper = history[-1][1]
    margin = None
    if bound is not None:
        start = baseline if baseline is not None else 0.0
        span = bound - start
        outside = newest > bound if is_upper else newest < bound
        margin = (newest - start) / span if span else float(outside)
    return Trend(name, measure, [(at, row[2]) for at, row in history], baseline, bound, is_upper, margin)


def _measure(kind: str, current: Any, baseline: Any, constraints: Any) -> Iterator[Measured]:
    if not isinstance(current, Mapping):
        return
    if kind == "ModelQuality":
        yield from _model_quality(current, baseline, constraints)
    elif kind == "ModelBias":
        yield from _bias(current, constraints)
    elif kind == "ModelExplainability":
        yield from _explanations(current, constraints)
    else:
        yield from _data_quality(current, baseline, constraints)


def _data_quality(current: Mapping[str, Any], baseline: Any, constraints: Any) -> Iterator[Measured]:
    before = {item.get("name"): item for item in (baseline or {}).get("features", [])}
    known = {item.get("name"): item for item in (constraints or {}).get("features", [])}
    config = ((constraints or {}).get("monitoring_config") or {}).get("distribution_constraints") or {}
    threshold = float(config.get("comparison_threshold", _DISTANCE))
    is_robust = str(config.get("comparison_method", "Robust")).lower() in ("robust", "linf_robust")
    for feature in current.get("features", []):
        name = str(feature.get("name"))
        distance = drift_distance(before.get(name), feature, is_robust=is_robust)
        if distance is not None:
            yield name, "distance from the baseline's distribution", distance, 0.0, threshold, True
        share, old = _completeness(feature), _completeness(before.get(name) or {})
        bound = (known.get(name) or {}).get("completeness")
        if share is not None and (share < 1 or (bound is not None and share < float(bound))):
            yield name, "share of rows with a value", share, old, float(bound) if bound is not None else None, False


def drift_distance(before: Any, current: Any, *, is_robust: bool = True) -> float | None:
    """The largest difference of the cumulative distributions of two numerical features; None where one has none."""
    left, right = _sketch(before), _sketch(current)
    if not left or not right:
        return None
    (points, weights), (others, other_weights) = left, right
    first, second = [0.0, *accumulate(weights)], [0.0, *accumulate(other_weights)]
    distance = max(
        abs(first[bisect_right(points, at)] / first[-1] - second[bisect_right(others, at)] / second[-1])
        for at in {*points, *others}
    )
    if not is_robust:
        return distance
    one, two = _present(before), _present(current)
    return max(0.0, distance - _SLACK * math.sqrt((one + two) / (one * two))) if one > 0 and two > 0 else distance


def _sketch(feature: Any) -> tuple[list[float], list[int]] | None:
    """The sorted points of a sketch, and how many values each stands for: 2**i in level i."""
    kll = (((feature or {}).get("numerical_statistics") or {}).get("distribution") or {}).get("kll") or {}
    levels = (kll.get("sketch") or {}).get("data") or []
    pairs = sorted(
        (float(value), 1 << level)
        for level, values in enumerate(levels)
        for value in values
        if isinstance(value, (int, float))
    )
    return ([value for value, _ in pairs], [weight for _, weight in pairs]) if pairs else None


def _common(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    holder = feature.get("numerical_statistics") or feature.get("string_statistics") or {}
    return holder.get("common") or {}


def _present(feature: Mapping[str, Any]) -> int:
    return int(_common(feature).get("num_present", 0))


def _completeness(feature: Mapping[str, Any]) -> float | None:
    common = _common(feature)
    total = common.get("num_present", 0) + common.get("num_missing", 0)
    return common.get("num_present", 0) / total if total else None


def _model_quality(current: Mapping[str, Any], baseline: Any, constraints: Any) -> Iterator[Measured]:
    before = dict(_values(baseline))
    bounds = {
        name: item
        for group in (constraints or {}).values()
        if isinstance(group, Mapping)
        for name, item in group.items()
        if isinstance(item, Mapping) and isinstance(item.get("threshold"), (int, float))
    }
    for name, value in _values(current):
        item = bounds.get(name)
        upper = item is None or str(item.get("comparison_operator", "")).startswith("Greater")
        yield name, "value", value, before.get(name), float(item["threshold"]) if item else None, upper


def _values(document: Any) -> Iterator[tuple[str, float]]:
    for name, group in (document or {}).items():
        if str(name).endswith("_metrics") and isinstance(group, Mapping):
            for metric, item in group.items():
                if isinstance(item, Mapping) and isinstance(item.get("value"), (int, float)):
                    yield str(metric), float(item["value"])


def _bias(current: Mapping[str, Any], constraints: Any) -> Iterator[Measured]:
    before = dict(_bias_values(constraints))
    for name, value in _bias_values(current):
        old = before.get(name)
        bound = abs(old) if old is not None else None
        yield name, "distance from 0, which is no bias", abs(value), None, bound, True


def _bias_values(document: Any) -> Iterator[tuple[str, float]]:
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for facet, groups in (((document or {}).get(stage) or {}).get("facets") or {}).items():
            for group in groups:
                for item in group.get("metrics", []):
                    if isinstance(item.get("value"), (int, float)):
                        yield f"{item['name']} of {facet} {group.get('value_or_threshold', '')}".strip(), item["value"]


def _explanations(current: Mapping[str, Any], constraints: Any) -> Iterator[Measured]:
    before = dict(_attributions(constraints))
    for label, values in _attributions(current):
        if label in before:
            score = _ndcg(before[label], values)
            yield label, "agreement of the features' ranking (NDCG)", score, 1.0, _LOWEST_NDCG, False
    for label, values in _attributions(current):
        for feature, value in values.items():
            old = before.get(label, {}).get(feature)
            yield f"{feature} ({label})", "mean absolute SHAP value", value, old, None, True


def _attributions(document: Any) -> Iterator[tuple[str, Mapping[str, float]]]:
    for label, entry in (((document or {}).get("explanations") or {}).get("kernel_shap") or {}).items():
        values = entry.get("global_shap_values") if isinstance(entry, Mapping) else None
        if values:
            yield str(label), values


def _ndcg(baseline: Mapping[str, float], current: Mapping[str, float]) -> float:
    low = min([0.0, *baseline.values()])
    relevance = {name: baseline[name] - low if name in baseline else 0.0 for name in {**baseline, **current}}
    ranked = sorted(relevance, key=lambda name: (-current.get(name, -math.inf), -relevance[name]))
    best = _gain(sorted(relevance.values(), reverse=True))
    return _gain([relevance[name] for name in ranked]) / best if best else 1.0


def _gain(values: Sequence[float]) -> float:
    return sum(value / math.log2(rank + 1) for rank, value in enumerate(values, 1))
