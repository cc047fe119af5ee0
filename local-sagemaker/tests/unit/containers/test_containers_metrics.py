"""Metrics that the container computes on raw margins."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb

from local_sagemaker.containers.xgboost import metrics
from local_sagemaker.xgboost_names import CONTAINER_METRICS

LABELS = np.array([0, 1, 1, 0, 1], dtype=np.float32)
MARGINS = np.array([-1.0, 2.0, -0.5, 0.5, 0.1], dtype=np.float32)  # classes 0 1 0 1 1: 2 true, 1 false positives
EXPECTED = {
    "accuracy": 0.6, "balanced_accuracy": (0.5 + 2 / 3) / 2, "f1_binary": 2 / 3, "f1": (0.5 + 2 / 3) / 2,
    "f1_macro": (0.5 + 2 / 3) / 2, "precision": 2 / 3, "precision_macro": (0.5 + 2 / 3) / 2, "precision_micro": 0.6,
    "recall": 2 / 3, "recall_macro": (0.5 + 2 / 3) / 2, "recall_micro": 0.6,
    "mse": (1 + 1 + 2.25 + 0.25 + 0.81) / 5, "rmse": ((1 + 1 + 2.25 + 0.25 + 0.81) / 5) ** 0.5,
    "mae": (1 + 1 + 1.5 + 0.5 + 0.9) / 5, "r2": 1 - (1 + 1 + 2.25 + 0.25 + 0.81) / 1.2,
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINER_METRICS)
def test_scores(name: str) -> None:
    evaluate = metrics.evaluation([name])
    assert evaluate is not None
    ((found, score),) = evaluate(MARGINS, xgb.DMatrix(np.zeros((5, 1)), LABELS))
    assert found == name
    assert score == pytest.approx(EXPECTED[name], rel=1e-5)


def test_several_classes_are_the_largest_margin() -> None:
    margins = np.array([[3, 1, 0], [0, 2, 1], [0, 2, 1]], dtype=np.float32)
    labels = xgb.DMatrix(np.zeros((3, 1)), np.array([0, 1, 2]))
    evaluate = metrics.evaluation(["accuracy", "recall_macro"])
    assert evaluate is not None
    assert evaluate(margins, labels) == [("accuracy", pytest.approx(2 / 3)), ("recall_macro", pytest.approx(2 / 3))]


@pytest.mark.parametrize(
    ("tuning", "given", "library", "container", "stopping"),
    [
        (None, None, [], [], None),
        (None, ["rmse", "logloss"], ["logloss"], ["rmse"], "logloss"),
        ("validation:auc", None, ["auc"], [], "auc"),
        ("validation:auc", ["rmse", "error"], ["auc", "error"], ["rmse"], "auc"),
    ],
)
def test_which_metrics_are_whose(
    tuning: str | None, given: list[str] | None, library: list[str], container: list[str], stopping: str | None
) -> None:
    assert metrics.split(tuning, given) == (library, container)
    assert metrics.metric_to_watch(tuning, given) == stopping


@pytest.mark.parametrize(
    ("metric", "more_is_better"), [("auc", True), ("ndcg@5", True), ("rmse", False), ("error@0.3", False)]
)
def test_direction(metric: str, more_is_better: bool) -> None:
    assert metrics.is_maximised(metric) is more_is_better
