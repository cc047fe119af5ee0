"""Metrics that the container computes itself with scikit-learn, on raw margins (contracts: containers 3.4).

So ``rmse`` of a logistic objective is the error of log-odds here, as it is on SageMaker. Before 1.2 the containers
computed three metrics, on predictions; those of 1.2 computed six.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb
from sklearn import metrics

from local_sagemaker.containers.xgboost import compat
from local_sagemaker.xgboost_names import CONTAINER_METRICS, MAXIMISED

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray  # NumPy of older images has none

    Array: TypeAlias = NDArray[np.float32]

Score = Callable[[Any, Any], float]
Evaluation = Callable[[Any, xgb.DMatrix], list[tuple[str, float]]]


def _of_classes(score: Callable[..., float]) -> Score:
    """A score of predicted classes: margin above zero, or the largest of several margins."""

    def compute(labels: Array, margins: Array) -> float:
        if margins.ndim > 1:
            return float(score(labels, margins.argmax(axis=1)))
        return float(score(labels, margins > 0 if compat.MARGINS else np.rint(margins)))

    return compute


def _of_values(score: Callable[..., float]) -> Score:
    return lambda labels, margins: float(score(labels, margins))


SCORES: dict[str, Score] = {
    "accuracy": _of_classes(metrics.accuracy_score),
    "balanced_accuracy": _of_classes(metrics.balanced_accuracy_score),
    "f1": _of_classes(partial(metrics.f1_score, average="macro")),
    "f1_binary": _of_classes(partial(metrics.f1_score, average="binary")),
    "f1_macro": _of_classes(partial(metrics.f1_score, average="macro")),
    "mse": _of_values(metrics.mean_squared_error),
    "rmse": _of_values(lambda labels, margins: metrics.mean_squared_error(labels, margins) ** 0.5),
    "mae": _of_values(metrics.mean_absolute_error),
    "precision": _of_classes(metrics.precision_score),
    "precision_macro": _of_classes(partial(metrics.precision_score, average="macro")),
    "precision_micro": _of_classes(partial(metrics.precision_score, average="micro")),
    "r2": _of_values(metrics.r2_score),
    "recall": _of_classes(metrics.recall_score),
    "recall_macro": _of_classes(partial(metrics.recall_score, average="macro")),
    "recall_micro": _of_classes(partial(metrics.recall_score, average="micro")),
}


def _own() -> Sequence[str]:
    if compat.HAS_CALLBACKS:
        return CONTAINER_METRICS
    return ("accuracy", "f1", "mse", "f1_binary", "f1_macro", "r2")[: 6 if compat.MARGINS else 3]


OWN = _own()
"""Those of this image."""


def split(tuning_metric: str | None, eval_metric: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """The metrics of a training, as (XGBoost's own, the container's).

    The tuning metric is taken together with `eval_metric`, sorted when both are given.
    """
    wanted = list(eval_metric or ())
    if tuning_metric:
        tuned = tuning_metric.removeprefix("validation:")
        wanted = sorted({*wanted, tuned}) if wanted else [tuned]
    return [m for m in wanted if m not in OWN], [m for m in wanted if m in OWN]


def evaluation(names: Sequence[str]) -> Evaluation | None:
    """XGBoost's custom metric function for these metrics, None for none."""
    if not names:
        return None

    def evaluate(margins: Array, matrix: xgb.DMatrix) -> list[tuple[str, float]]:
        return [(name, SCORES[name](matrix.get_label(), margins)) for name in names]

    return evaluate


def metric_to_watch(tuning_metric: str | None, eval_metric: Sequence[str] | None) -> str | None:
    """The metric that early stopping watches: the tuning metric, else the last of `eval_metric`."""
    if tuning_metric:
        return tuning_metric.removeprefix("validation:")
    return eval_metric[-1] if eval_metric else None


def is_maximised(metric: str) -> bool:
    """Whether more is better."""
    return metric.split("@")[0] in MAXIMISED
