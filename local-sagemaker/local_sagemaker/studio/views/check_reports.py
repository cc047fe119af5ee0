"""What Model Monitor's and Clarify's files say, as tables. Pure: statistics, constraints, analyses in, rows out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MEANINGS = {
    "mae": "mean absolute error: how far off a prediction is on average",
    "mse": "mean squared error: large errors count most",
    "rmse": "root of the mean squared error, in the label's unit",
    "r2": "share of the label's variance that the model explains",
    "accuracy": "share of predictions that are right",
    "precision": "share of the predicted positives that are positive",
    "recall": "share of the positives that were found",
    "f0_5": "precision and recall in one, precision first",
    "f1": "precision and recall in one",
    "f2": "precision and recall in one, recall first",
    "auc": "chance that a positive ranks above a negative",
    "au_prc": "area below precision over recall",
    "true_positive_rate": "share of the positives that were found",
    "true_negative_rate": "share of the negatives that were found",
    "false_positive_rate": "share of the negatives that were called positive",
    "false_negative_rate": "share of the positives that were missed",
}
_LOWER = ("mae", "mse", "rmse", "false_positive_rate", "false_negative_rate", "log_loss", "error")
_HIGHER = (
    "r2", "accuracy", "precision", "recall", "f0_5", "f1", "f2", "auc", "au_prc", "true_positive_rate",
    "true_negative_rate",
)  # fmt: skip


@dataclass(frozen=True)
class MetricRow:
    """A metric of this version beside the baseline's and production's. `verdict`: better, worse, equal or ""."""

    name: str
    meaning: str
    value: float | None
    deviation: float | None = None
    baseline: float | None = None
    production: float | None = None
    bound: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class FeatureRow:
    """A column of the data. `moved` is the distance of the mean from the baseline's in its standard deviations."""

    name: str
    type: str
    completeness: float | None
    mean: float | None
    deviation: float | None
    counts: list[float] = field(default_factory=list)
    baseline_counts: list[float] = field(default_factory=list)
    baseline_mean: float | None = None
    moved: float | None = None


@dataclass(frozen=True)
class BiasRow:
    """A bias metric of a facet, before and after training."""

    facet: str
    name: str
    meaning: str
    value: float | None
    baseline: float | None
    stage: str
    error: str = ""


@dataclass(frozen=True)
class AttributionRow:
    """A feature's share in the predictions, its rank here and in the baseline."""

    feature: str
    value: float
    rank: int
    baseline_rank: int | None


def read_metrics(statistics: Any) -> dict[str, tuple[float | None, float | None]]:
    """Value and standard deviation of each metric of a model-quality statistics file."""
    by_name: dict[str, tuple[float | None, float | None]] = {}
    for group, metrics in (statistics or {}).items():
        if not str(group).endswith("_metrics") or not isinstance(metrics, Mapping):
            continue
        for name, item in metrics.items():
            if isinstance(item, Mapping) and isinstance(item.get("value"), (int, float)):
                by_name[name] = (float(item["value"]), _number(item.get("standard_deviation")))
    return by_name


def metric_rows(statistics: Any, constraints: Any, baseline: Any, production: Any) -> list[MetricRow]:
    """One row a metric, in the order of the file."""
    own, before, now = read_metrics(statistics), read_metrics(baseline), read_metrics(production)
    bounds = {
        name: _number(item.get("threshold"))
        for group in (constraints or {}).values()
        if isinstance(group, Mapping)
        for name, item in group.items()
        if isinstance(item, Mapping)
    }
    return [
        MetricRow(
            name, _MEANINGS.get(name, ""), value, deviation, before.get(name, (None,))[0], now.get(name, (None,))[0],
            bounds.get(name), compare(name, value, now.get(name, before.get(name, (None, None)))[0]),
        )
        for name, (value, deviation) in own.items()
    ]  # fmt: skip


def compare(name: str, value: float | None, other: float | None) -> str:
    """better, worse or equal where the metric's direction is known, else ""."""
    if value is None or other is None:
        return ""
    if abs(value - other) <= 1e-12 * max(abs(value), abs(other), 1e-300):
        return "equal"
    plain = name.rpartition(":")[2].rpartition("-")[2].rpartition(".")[2].lower()
    if plain in _LOWER:
        return "better" if value < other else "worse"
    if plain in _HIGHER:
        return "better" if value > other else "worse"
    return ""


def feature_rows(statistics: Any, baseline: Any) -> list[FeatureRow]:
    """The columns, those that moved most first."""
    before = {item.get("name"): item for item in (baseline or {}).get("features", [])}
    rows = [_feature(item, before.get(item.get("name"))) for item in (statistics or {}).get("features", [])]
    return sorted(rows, key=lambda row: -(row.moved or 0))


def _feature(item: Mapping[str, Any], other: Mapping[str, Any] | None) -> FeatureRow:
    own, before = _numerical(item), _numerical(other or {})
    common = own.get("common") or (item.get("string_statistics") or {}).get("common") or {}
    present, missing = common.get("num_present", 0), common.get("num_missing", 0)
    mean, deviation = _number(own.get("mean")), _number(own.get("std_dev"))
    old = _number(before.get("mean"))
    spread = _number(before.get("std_dev"))
    moved = abs(mean - old) / spread if mean is not None and old is not None and spread else None
    return FeatureRow(
        str(item.get("name")), str(item.get("inferred_type", "")),
        present / (present + missing) if present + missing else None, mean, deviation, _counts(own), _counts(before),
        old, moved,
    )  # fmt: skip


def _numerical(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("numerical_statistics") or {}


def _counts(statistics: Mapping[str, Any]) -> list[float]:
    buckets = ((statistics.get("distribution") or {}).get("kll") or {}).get("buckets") or []
    return [float(bucket.get("count", 0)) for bucket in buckets]


def bias_rows(before: Any, after: Any, baseline_before: Any, baseline_after: Any) -> list[BiasRow]:
    """The metrics of both stages, by facet."""
    stages = (
        ("before training", "pre_training_bias_metrics", before, baseline_before),
        ("after training", "post_training_bias_metrics", after, baseline_after),
    )
    rows = []
    for stage, member, document, other in stages:
        known = {(facet, item["name"]): item.get("value") for facet, item in _bias_items(other, member)}
        for facet, item in _bias_items(document, member):
            rows.append(
                BiasRow(
                    facet,
                    item["name"],
                    item.get("description", ""),
                    _number(item.get("value")),
                    _number(known.get((facet, item["name"]))),
                    stage,
                    item.get("error", ""),
                )
            )
    return rows


def _bias_items(document: Any, member: str) -> list[tuple[str, Mapping[str, Any]]]:
    facets = ((document or {}).get(member) or {}).get("facets") or {}
    return [
        (f"{name} {group.get('value_or_threshold', '')}".strip(), item)
        for name, groups in facets.items()
        for group in groups
        for item in group.get("metrics", [])
    ]


def attribution_rows(analysis: Any, baseline: Any) -> list[AttributionRow]:
    """Features by their mean absolute SHAP value, largest first."""
    own, before = _shares(analysis), _shares(baseline)
    ranks = {name: place + 1 for place, (name, _) in enumerate(before)}
    return [AttributionRow(name, value, place + 1, ranks.get(name)) for place, (name, value) in enumerate(own)]


def _shares(analysis: Any) -> list[tuple[str, float]]:
    for method in ((analysis or {}).get("explanations") or {}).values():
        for label in method.values() if isinstance(method, Mapping) else ():
            values = label.get("global_shap_values") if isinstance(label, Mapping) else None
            if values:
                return sorted(((name, float(value)) for name, value in values.items()), key=lambda item: -abs(item[1]))
    return []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
