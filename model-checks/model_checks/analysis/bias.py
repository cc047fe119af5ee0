"""Bias metrics of a dataset and of predictions, by smclarify: the library inside the Clarify container.

Its formulas are given counts of rows (`bias_counts`) in place of the rows. Those few that look at every row are written
out here, from their published definitions; the flip test looks at rows, of which there are at most `FLIP_ROWS`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import smclarify.bias.metrics as metrics
from smclarify.bias.metrics import common

from model_checks.analysis.bias_counts import BiasStream, Block, Counted, Entry, Facet, count

__all__ = ["POST_TRAINING", "PRE_TRAINING", "BiasData", "Facet", "chosen", "counted", "section", "violations"]

Report = dict[str, Any]
Metric = Callable[..., float]
Floats = npt.NDArray[np.float64]

FLIP_ROWS = 100_000  # of larger datasets, the flip test looks at this many rows, always the same ones

PRE_TRAINING: tuple[Metric, ...] = tuple(sorted(metrics.PRETRAINING_METRICS, key=lambda m: m.__name__))
POST_TRAINING: tuple[Metric, ...] = tuple(sorted(metrics.POSTTRAINING_METRICS, key=lambda m: m.__name__))

logging.getLogger("smclarify").setLevel(logging.CRITICAL)  # it logs the values of each column, and each failed metric


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
        block = Block(self.frame, self.labels, self.predictions, self.group)
        return BiasStream(lambda *_: iter([block]), self.label_name, self.positive, self.facets)


class Cells:
    """Stands for a column in smclarify's formulas, which index columns and ask for lengths: here each element is a
    combination of values, and a length is how many rows have it."""

    def __init__(self, values: pd.Series, rows: pd.Series) -> None:
        self._values, self._rows = values, rows

    def __getitem__(self, chosen: pd.Series) -> Cells:
        return Cells(self._values[chosen], self._rows[chosen])

    def __len__(self) -> int:
        return int(self._rows.sum())

    def __eq__(self, value: object) -> Any:
        return self._values == value

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self._values.to_numpy(dtype)

    @property
    def empty(self) -> bool:
        return not len(self)


def counted(data: BiasData | BiasStream, methods: Sequence[Metric]) -> Counted:
    """The dataset's counts, and the rows of the flip test where it is among the methods. Raises ValueError."""
    stream = data.stream() if isinstance(data, BiasData) else data
    return count(stream, FLIP_ROWS if any(method.__name__ == "FT" for method in methods) else None)


def section(data: BiasData | Counted, methods: Sequence[Metric]) -> Report:
    """One stage of analysis.json. A metric that can't be computed has a null value and the error.

    Raises ValueError, as smclarify does, when the predictions can't be judged or none of them is positive. That no
    prediction exceeds the threshold of a measured label is said by each metric: a weak regression model is for the
    quality gate to stop.
    """
    found = counted(data, methods) if isinstance(data, BiasData) else data
    error = found.predicted_error if any(method in POST_TRAINING for method in methods) else ""
    if error and found.refused:
        raise ValueError(error)
    facets: dict[str, list[Report]] = {}
    for position, counts in enumerate(found.facets):
        for entry in counts.entries:
            about = _About(found, position, entry)
            metrics = [_metric(method, about, entry.error or error) for method in methods]
            facets.setdefault(counts.facet.name, []).append({"value_or_threshold": entry.text, "metrics": metrics})
    return {"label": found.label_name, "facets": facets, "label_value_or_threshold": found.label_text}


@dataclass(frozen=True)
class _About:
    """What the metrics of one facet's value are computed from."""

    counted: Counted
    position: int
    entry: Entry

    @cached_property
    def table(self) -> npt.NDArray[np.int64]:
        return self.counted.facets[self.position].inside(self.entry)

    @cached_property
    def cells(self) -> dict[str, Any]:
        """The arguments of smclarify's formulas."""
        facet, label, predicted, group = np.nonzero(self.table)
        rows = pd.Series(self.table[facet, label, predicted, group])
        groups = self.counted.groups
        return {
            "feature": Cells(rows, rows),
            "sensitive_facet_index": pd.Series(facet == 1),
            "positive_label_index": pd.Series(label == 1),
            "positive_predicted_label_index": pd.Series(predicted == 1),
            "group_variable": Cells(groups.iloc[group].reset_index(drop=True), rows) if groups is not None else None,
        }

    def flip_test(self, method: Metric) -> float:
        sample, inside = self.counted.sample, self.entry.inside
        assert sample is not None and inside is not None
        name = self.counted.facets[self.position].facet.name
        return method(
            sample.frame.drop(columns=name, errors="ignore"),
            pd.Series(inside[sample.facets[self.position]]),
            pd.Series(sample.predicted),
        )


def _metric(method: Metric, about: _About, error: str) -> Report:
    name = method.__name__
    found: Report = {"name": name, "description": common.metric_description(method), "value": None}
    if error:
        return {**found, "error": error}
    try:
        if name == "FT":
            value = about.flip_test(method)
        elif name in FORMULAS:
            value = FORMULAS[name](about.table)
        else:
            value = metrics.call_metric(method, **about.cells)
    except Exception as failure:
        return {**found, "error": str(failure)}
    return {**found, "value": number(float(value))}


def _shares(table: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The distribution of the label in the rest and in the facet, over outcomes that both have."""
    sizes = table.sum(axis=(2, 3))
    shares = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1)
    both = (sizes > 0).all(axis=0)
    if not both.any():
        raise ValueError("No instance of common facet found, dataset may be too small")
    return shares[0, both], shares[1, both]


def _divergence(p: Floats, q: Floats) -> float:
    return float(np.sum(p * np.log(p / q)))


def _jensen_shannon(table: npt.NDArray[np.int64]) -> float:
    a, d = _shares(table)
    middle = 1 / 2 * (a + d)
    return 0.5 * (_divergence(a, middle) + _divergence(d, middle))


def _distance(table: npt.NDArray[np.int64], order: float) -> float:
    a, d = _shares(table)
    return float(np.linalg.norm(a - d, order))


def _entropy(table: npt.NDArray[np.int64]) -> float:
    """Generalised entropy with alpha 2 of the benefits: prediction minus label plus 1."""
    by_outcome = table.sum(axis=(0, 3))
    rows = np.array([by_outcome[1, 0], by_outcome[0, 0] + by_outcome[1, 1], by_outcome[0, 1]])
    mean = float(rows @ np.arange(3) / rows.sum())
    if mean == 0:
        raise ValueError(
            "All predicted labels are false negatives. "
            "There should be at least one prediction that is not false negative."
        )
    return float(rows @ ((np.arange(3) / mean) ** 2 - 1) / (rows.sum() * 2))


FORMULAS: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {  # smclarify's own look at each row
    "KL": lambda table: _divergence(*_shares(table)),
    "JS": _jensen_shannon,
    "LP": lambda table: _distance(table, 2),
    "TVD": lambda table: 0.5 * _distance(table, 1),
    "KS": lambda table: _distance(table, np.inf),
    "GE": _entropy,
}


def number(value: float) -> float | str | None:
    """A metric's value as analysis.json holds it: infinities as text."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def chosen(methods: str | Sequence[str], known: Sequence[Metric]) -> list[Metric]:
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
