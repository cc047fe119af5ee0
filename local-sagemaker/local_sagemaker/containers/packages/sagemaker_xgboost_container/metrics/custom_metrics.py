"""The container's own metrics, as functions for ``xgboost.train``: of margins or predictions, and a DMatrix."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from _local_programs import load

_metrics = load("xgboost.metrics")
Metric = Callable[[Any, Any], "tuple[str, float]"]


def _metric(name: str) -> Metric:
    def compute(preds: Any, dtrain: Any) -> tuple[str, float]:
        return name, _metrics.SCORES[name](dtrain.get_label(), preds)

    compute.__name__ = name
    return compute


CUSTOM_METRICS: dict[str, Metric] = {name: _metric(name) for name in _metrics.OWN}
globals().update(CUSTOM_METRICS)


def get_custom_metrics(eval_metrics: Iterable[str]) -> set[str]:
    """Those of a list that are the container's."""
    return {*eval_metrics} & {*CUSTOM_METRICS}


def configure_feval(custom_metric_list: Iterable[str]) -> Callable[[Any, Any], list[tuple[str, float]]]:
    """One function for all of the named metrics."""
    names = list(custom_metric_list)
    return lambda preds, dtrain: [CUSTOM_METRICS[name](preds, dtrain) for name in names]
