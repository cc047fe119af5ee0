"""Bias metrics of a dataset and of predictions, by smclarify: the library inside the Clarify container.

smclarify decides which rows belong to a facet or have a positive outcome, and computes each metric. What is done here
once, and by it for each metric and value anew, is to find those rows.
"""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import smclarify.bias.metrics as metrics
from smclarify.bias import report
from smclarify.bias.metrics import common
from smclarify.bias.metrics.common import DataType

Report = dict[str, Any]
Rows = pd.Series

FLIP_ROWS = 100_000  # of larger datasets, the flip test looks at this many rows, always the same ones

PRE_TRAINING: tuple[Callable[..., float], ...] = tuple(sorted(metrics.PRETRAINING_METRICS, key=lambda m: m.__name__))
POST_TRAINING: tuple[Callable[..., float], ...] = tuple(sorted(metrics.POSTTRAINING_METRICS, key=lambda m: m.__name__))

logging.getLogger("smclarify").setLevel(logging.CRITICAL)  # it logs the values of each column, and each failed metric


@dataclass(frozen=True)
class Facet:
    """A sensitive column; `values` are its categories or its threshold, None is each category in turn."""

    name: str
    values: list[Any] | None = None


@dataclass(frozen=True)
class BiasData:
    """A dataset for bias analysis: features and facets, the labels, and for the second stage the predictions.

    `positive` are the label's positive values or its threshold. The frame holds neither label nor predictions.
    """

    frame: pd.DataFrame
    label_name: str
    labels: pd.Series
    positive: list[Any]
    facets: Sequence[Facet]
    predictions: pd.Series | None = None
    group: pd.Series | None = None
    columns: dict[str, pd.Series] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", self.frame.reset_index(drop=True))
        object.__setattr__(self, "labels", plain_strings(self.labels))
        if self.predictions is not None:
            object.__setattr__(self, "predictions", plain_strings(self.predictions))


def plain_strings(series: pd.Series) -> pd.Series:
    """The series from index 0, text as a category: smclarify can't judge the string dtype of pandas 3 (its own rule
    takes text for a category too, unless all of it is integers and of many different values)."""
    series = series.reset_index(drop=True)
    if pd.api.types.is_string_dtype(series.dtype) and not isinstance(series.dtype, pd.CategoricalDtype):
        numbers = pd.to_numeric(series, errors="coerce")
        known = numbers.dropna()
        if len(known) and len(known) == series.count() and bool((known % 1 == 0).all()):
            return known.astype("int64") if len(known) == len(series) else numbers
        return series.astype(object).astype("category")
    return series


@dataclass(frozen=True)
class Outcome:
    """The rows with a positive outcome, or why they can't be known."""

    rows: Rows | None
    error: str = ""


def interval_rows(series: pd.Series, intervals: pd.IntervalIndex) -> Rows:
    """The rows inside any of the (left-open, right-closed) intervals."""
    values = series.to_numpy(dtype=float)
    inside = np.zeros(len(values), dtype=bool)
    for interval in intervals:
        inside |= (values > interval.left) & (values <= interval.right)
    return pd.Series(inside, index=series.index)


def label_outcome(data: BiasData) -> tuple[Rows, str]:
    """The rows with a positive label, and the text of ``label_value_or_threshold``. Raises ValueError."""
    if not data.positive:
        raise ValueError("Positive label values or thresholds are empty for Label column")
    kind, series = common.ensure_series_data_type(data.labels, copy.copy(data.positive))
    if kind == DataType.CONTINUOUS:
        intervals = report._interval_index(series, [float(value) for value in data.positive])
        return interval_rows(series, intervals), ",".join(map(str, intervals))
    return _categorical_rows(series, data.positive), ",".join(map(str, data.positive))


def _categorical_rows(series: pd.Series, values: Sequence[Any]) -> Rows:
    return report._categorical_data_idx(series, list(values)).astype(bool)


def predicted_outcome(data: BiasData) -> Outcome:
    """The rows with a positive prediction, by smclarify's rules: the range is that of labels and predictions."""
    if data.predictions is None:
        return Outcome(None, "Predicted labels are not given")
    label_kind, labels = common.ensure_series_data_type(data.labels, copy.copy(data.positive))
    kind, predictions = common.ensure_series_data_type(data.predictions, copy.copy(data.positive))
    if kind != label_kind:
        return Outcome(None, "Predicted Label Column series datatype is not the same as Label Column series")
    if kind == DataType.CONTINUOUS:
        predictions = predictions.astype(labels.dtype)
        thresholds = [float(value) for value in data.positive]
        rows = interval_rows(predictions, report._interval_index(pd.concat([labels, predictions]), thresholds))
    else:
        rows = _categorical_rows(predictions, data.positive)
    if not rows.any():
        text = "No Label values are present in the predicted Label Column,"
        return Outcome(None, text + "Positive Predicted Index Series contains all False values")
    return Outcome(rows)


def facet_groups(data: BiasData, facet: Facet) -> list[tuple[str, Outcome]]:
    """The text and the rows of each value (or of the threshold) of a facet."""
    if facet.name not in data.frame.columns:
        raise ValueError(f"Facet column {facet.name} is not present in the dataset")
    values = copy.copy(facet.values) or None
    try:
        kind, series = common.ensure_series_data_type(plain_strings(data.frame[facet.name]), values)
        if kind == DataType.CONTINUOUS:
            intervals = report._interval_index(series, values)
            return [(",".join(map(str, intervals)), Outcome(interval_rows(series, intervals)))]
        listed = [values] if values else [[value] for value in series.unique()]
        return [(",".join(map(str, some)), Outcome(_categorical_rows(series, some))) for some in listed]
    except (ValueError, TypeError) as error:
        return [(",".join(map(str, values or [])), Outcome(None, str(error)))]


def section(data: BiasData, methods: Sequence[Callable[..., float]]) -> Report:
    """One stage of analysis.json. A metric that can't be computed has a null value and the error."""
    positive, text = label_outcome(data)
    predicted = predicted_outcome(data) if any(method in POST_TRAINING for method in methods) else Outcome(positive)
    facets: dict[str, list[Report]] = {}
    for facet in data.facets:
        features = data.frame.drop(columns=facet.name, errors="ignore")
        for value, group in facet_groups(data, facet):
            found = [_metric(method, data, features, group, positive, predicted) for method in methods]
            facets.setdefault(facet.name, []).append({"value_or_threshold": value, "metrics": found})
    return {"label": data.label_name, "facets": facets, "label_value_or_threshold": text}


def _metric(
    method: Callable[..., float],
    data: BiasData,
    features: pd.DataFrame,
    group: Outcome,
    positive: Rows,
    predicted: Outcome,
) -> Report:
    found: Report = {"name": method.__name__, "description": common.metric_description(method), "value": None}
    error = group.error or predicted.error
    if error:
        return {**found, "error": error}
    rows = _flip_rows(len(features)) if method.__name__ == "FT" else None
    try:
        value = metrics.call_metric(
            method,
            df=_some(features, rows),
            feature=_some(features, rows),
            sensitive_facet_index=_some(group.rows, rows),
            label=_some(positive, rows),
            positive_label_index=_some(positive, rows),
            predicted_label=_some(predicted.rows, rows),
            positive_predicted_label_index=_some(predicted.rows, rows),
            group_variable=_some(data.group, rows),
        )
    except Exception as failure:
        return {**found, "error": str(failure)}
    return {**found, "value": number(float(value))}


def _flip_rows(count: int) -> npt.NDArray[np.int64] | None:
    """The rows of the flip test, None for all: neighbours are looked for in a time that grows faster than the rows."""
    if count <= FLIP_ROWS:
        return None
    return np.sort(np.random.default_rng(0).choice(count, FLIP_ROWS, replace=False))


def _some(data: Any, rows: npt.NDArray[np.int64] | None) -> Any:
    return data if rows is None or data is None else data.iloc[rows].reset_index(drop=True)


def number(value: float) -> float | str | None:
    """A metric's value as analysis.json holds it: infinities as text."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def chosen(methods: str | Sequence[str], known: Sequence[Callable[..., float]]) -> list[Callable[..., float]]:
    """The metrics of a configuration: ``"all"`` or a list of names. Raises ValueError for an unknown name."""
    if methods == "all" or methods == ["all"]:
        return list(known)
    names = [methods] if isinstance(methods, str) else list(methods)
    known_names = {method.__name__: method for method in known}
    unknown = [name for name in names if name not in known_names]
    if unknown:
        raise ValueError(
            f"Invalid metric_name: {', '.join(unknown)}: metrics should be one of the registered metrics "
            f"{list(known_names)}"
        )
    return [method for method in known if method.__name__ in names]


def violations(current: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[Report]:
    """The metrics that are farther from zero than in the baseline's analysis.json; nulls are passed over."""
    found: list[Report] = []
    for stage in ("pre_training_bias_metrics", "post_training_bias_metrics"):
        for facet, entries in (baseline.get(stage) or {}).get("facets", {}).items():
            now = ((current.get(stage) or {}).get("facets") or {}).get(facet, [])
            for entry in entries:
                same = _same_value(now, entry["value_or_threshold"])
                if same is not None:
                    found.extend(_worse(facet, same, entry))
    return found


def _worse(facet: str, current: Report, baseline: Report) -> list[Report]:
    values = {metric["name"]: _parsed(metric["value"]) for metric in current["metrics"]}
    found = []
    for metric in baseline["metrics"]:
        before, now = _parsed(metric["value"]), values.get(metric["name"])
        if before is not None and now is not None and abs(now) > abs(before):
            found.append(
                {
                    "facet": facet,
                    "facet_value": current["value_or_threshold"],
                    "metric_name": metric["name"],
                    "constraint_check_type": "bias_drift_check",
                    "description": f"Metric value {_shown(now)} doesn't meet the baseline constraint "
                    f"requirement {_shown(before)}",
                }
            )
    return found


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


def _parsed(value: Any) -> float | None:
    return None if value is None else float(value)


def _shown(value: float) -> str:
    return str(number(value))
