"""Bias sections of Clarify's analysis.json: metrics of a dataset and of predictions, and their drift.

The metrics (`bias_metrics`) are computed from counts of rows (`bias_counts`); the flip test looks at rows, of which
there are at most `FLIP_ROWS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from model_checks.analysis import bias_metrics
from model_checks.analysis.bias_counts import BiasStream, Counted, CountedBlock, Facet, FacetEntry, count
from model_checks.analysis.bias_metrics import FLIP_TEST, POST_TRAINING, PRE_TRAINING, BiasCounts, BiasMetric
from model_checks.report import Report

__all__ = [
    "POST_TRAINING",
    "PRE_TRAINING",
    "BiasData",
    "Facet",
    "choose_metrics",
    "count_metrics",
    "section",
    "violations",
]


FLIP_ROWS = 100_000  # of larger datasets, the flip test looks at this many rows, always the same ones


@dataclass(frozen=True)
class BiasData:
    """A dataset for bias analysis that is held whole: features and facets, labels, and perhaps predictions.

    `positive` are the label's positive values or its threshold. The frame holds neither label nor predictions.
    """

    frame: pd.DataFrame
    label_name: str
    labels: pd.Series
    positive: list[Any]
    facets: Sequence[Facet]
    predictions: pd.Series | None = None
    group: pd.Series | None = None

    def stream(self) -> BiasStream:
        """The same as one block."""
        block = CountedBlock(self.frame, self.labels, self.predictions, self.group)
        return BiasStream(lambda *_: iter([block]), self.label_name, self.positive, self.facets)


def count_metrics(data: BiasData | BiasStream, methods: Sequence[BiasMetric]) -> Counted:
    """The dataset's counts, and the rows of the flip test where it is among the methods. Raises ValueError."""
    stream = data.stream() if isinstance(data, BiasData) else data
    return count(stream, FLIP_ROWS if FLIP_TEST in methods else None)


def section(data: BiasData | Counted, methods: Sequence[BiasMetric]) -> Report:
    """One stage of analysis.json. A metric that can't be computed has a null value and the error.

    Raises ValueError, as the container fails, when the predictions can't be judged or none of them is positive. That no
    prediction exceeds the threshold of a measured label is said by each metric: a weak regression model is for the
    quality gate to stop.
    """
    tallies = count_metrics(data, methods) if isinstance(data, BiasData) else data
    error = tallies.predicted_error if any(method in POST_TRAINING for method in methods) else ""
    if error and tallies.refused:
        raise ValueError(error)
    facets: dict[str, list[Report]] = {}
    for position, counts in enumerate(tallies.facets):
        for entry in counts.entries:
            about = _About(tallies, position, entry)
            metrics = [_metric(method, about, entry.error or error) for method in methods]
            facets.setdefault(counts.facet.name, []).append({"value_or_threshold": entry.text, "metrics": metrics})
    return {"label": tallies.label_name, "facets": facets, "label_value_or_threshold": tallies.label_text}


@dataclass(frozen=True)
class _About:
    """What the metrics of one facet's value are computed from."""

    counted: Counted
    position: int
    entry: FacetEntry

    @cached_property
    def counts(self) -> BiasCounts:
        return BiasCounts(self.counted.facets[self.position].inside(self.entry), self.counted.groups)

    def flip_test(self) -> float:
        sample, inside = self.counted.sample, self.entry.inside
        assert sample is not None and inside is not None
        name = self.counted.facets[self.position].facet.name
        features = sample.frame.drop(columns=name, errors="ignore")
        return bias_metrics.flip_test(features, inside[sample.facets[self.position]], sample.predicted)


def _metric(metric: BiasMetric, about: _About, error: str) -> Report:
    report: Report = {"name": metric.name, "description": metric.description, "value": None}
    if error:
        return {**report, "error": error}
    try:
        value = about.flip_test() if metric is FLIP_TEST else metric.compute(about.counts)
    except (ValueError, TypeError) as failure:  # the container reports what numpy and scikit-learn refuse, too
        return {**report, "error": str(failure)}
    return {**report, "value": number(value)}


def number(value: float) -> float | str | None:
    """A metric's value as analysis.json holds it: infinities as text."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def choose_metrics(methods: str | Sequence[str], known: Sequence[BiasMetric]) -> list[BiasMetric]:
    """The metrics of a configuration: ``"all"`` or a list of names. Raises ValueError for an unknown name."""
    if methods == "all" or methods == ["all"]:
        return list(known)
    names = [methods] if isinstance(methods, str) else list(methods)
    known_names = {method.name: method for method in known}
    unknown = [name for name in names if name not in known_names]
    if unknown:
        raise ValueError(
            f"Invalid metric_name: {', '.join(unknown)}: metrics should be one of the registered metrics "
            f"{list(known_names)}"
        )
    return [method for method in known if method.name in names]


def violations(current: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Report]:
    """The metrics that are farther from zero than in the baseline's analysis.json; nulls are passed over."""
    reports: list[Report] = []
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for facet, entries in (baseline.get(stage) or {}).get("facets", {}).items():
            now = ((current.get(stage) or {}).get("facets") or {}).get(facet, [])
            for entry in entries:
                same = _same_value(now, entry["value_or_threshold"])
                if same is not None:
                    reports.extend(_worse(facet, same, entry))
    return reports


def _worse(facet: str, current: Report, baseline: Report) -> list[Report]:
    values = {metric["name"]: _parse(metric["value"]) for metric in current["metrics"]}
    reports = []
    for metric in baseline["metrics"]:
        before, now = _parse(metric["value"]), values.get(metric["name"])
        if before is not None and now is not None and abs(now) > abs(before):
            reports.append(
                {
                    "facet": facet,
                    "facet_value": current["value_or_threshold"],
                    "metric_name": metric["name"],
                    "constraint_check_type": "bias_drift_check",
                    "description": f"Metric value {_format(now)} doesn't meet the baseline constraint "
                    f"requirement {_format(before)}",
                }
            )
    return reports


def _same_value(entries: Sequence[Report], text: str) -> Report | None:
    """The entry of the same value; of a threshold also one with another maximum, which is that of the data."""
    for entry in entries:
        if entry["value_or_threshold"] == text:
            return entry
    if text.startswith("("):
        for entry in entries:
            if entry["value_or_threshold"].split(",")[0] == text.split(",")[0]:
                return entry
    return None


def _parse(value: Any) -> float | None:
    return None if value is None else float(value)


def _format(value: float) -> str:
    return str(number(value))
