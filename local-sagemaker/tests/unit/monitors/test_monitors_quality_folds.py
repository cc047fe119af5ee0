"""Model quality counted in folds: the same values as of rows that are held, and deviations of the right size."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from model_checks.analysis import model_quality as quality
from model_checks.analysis.quality_folds import ErrorFolds, LabelFolds, folds, score_ranges
from model_checks.datasets import csv_blocks, predictions
from model_checks.datasets.dataset import Dataset
from model_checks.datasets.predictions import PredictionAttributes

RANDOM = np.random.default_rng(3)
SIZE = 4000
ACTUAL = RANDOM.integers(0, 2, SIZE)
SCORES = np.clip(ACTUAL * 0.2 + RANDOM.random(SIZE) * 0.8, 0, 1).round(6)
FRAME = pd.DataFrame({"y": ACTUAL, "p": (SCORES > 0.5).astype(int), "score": SCORES, "z": RANDOM.normal(size=SIZE)})
FRAME["guess"] = FRAME["z"] + RANDOM.normal(size=SIZE) / 3


def compared(folded: Any, held: Any, where: str = "") -> None:
    """Values equal to the last digits; deviations, of other samples, of the same size."""
    if isinstance(held, dict):
        assert list(folded) == list(held), where
        for name, value in held.items():
            compared(folded[name], value, f"{where}/{name}")
    elif where.endswith("standard_deviation") and held:
        assert held / 6 < folded < held * 6, where
    else:
        assert folded == pytest.approx(held, rel=1e-9, abs=1e-12), where


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr(csv_blocks, "BLOCK", 5000)
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    return Dataset(tmp_path, {"csv": {"header": True}})


@pytest.mark.parametrize(
    "attributes",
    [PredictionAttributes("y", "p", "score"), PredictionAttributes("y", None, "score"), PredictionAttributes("y", "p")],
)
def test_binary_problems_in_folds(
    dataset: Dataset, attributes: PredictionAttributes, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, scores = predictions.labels(dataset, attributes, 0.5)
    held = quality.binary(labels, "1", scores)
    monkeypatch.setattr(predictions, "HELD", 900)
    folded, none = predictions.labels(dataset, attributes, 0.5)
    assert none is None and isinstance(folded, LabelFolds)
    compared(quality.binary(folded, "1"), held)
    if attributes.probability:
        found = held["binary_classification_metrics"]["auc"]["value"]
        assert found == pytest.approx(roc_auc_score(ACTUAL, SCORES), abs=1e-12)


def test_several_classes_in_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = np.array(["1", "2.0", "2", "3.5"])
    frame = pd.DataFrame({"y": names[RANDOM.integers(0, 3, 2000)], "p": names[RANDOM.integers(0, 4, 2000)]})
    frame["y"] = frame["y"].where(frame.index < 1500, "late")
    frame.to_csv(tmp_path / "a.csv", index=False)
    dataset = Dataset(tmp_path, {"csv": {"header": True}})
    monkeypatch.setattr(csv_blocks, "BLOCK", 2000)
    held = quality.multiclass(predictions.labels(dataset, PredictionAttributes("y", "p"), 0.5)[0])
    monkeypatch.setattr(predictions, "HELD", 300)
    folded = quality.multiclass(predictions.labels(dataset, PredictionAttributes("y", "p"), 0.5)[0])
    assert json.dumps(folded["dataset"]) == json.dumps(held["dataset"])
    assert "2.0" not in str(held) and held["multiclass_classification_metrics"]["confusion_matrix"]["2"]["2"]
    for section in (folded, held):  # few classes are in order of appearance, which blocks see otherwise
        matrix = section["multiclass_classification_metrics"]["confusion_matrix"]
        section["multiclass_classification_metrics"]["confusion_matrix"] = {
            name: dict(sorted(row.items())) for name, row in sorted(matrix.items())
        }
    compared(folded, held)


def test_regressions_in_folds(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = predictions.numbers(dataset, "z", "guess")
    assert not isinstance(arrays, ErrorFolds)
    monkeypatch.setattr(predictions, "HELD", 900)
    folded = predictions.numbers(dataset, "z", "guess")
    assert isinstance(folded, ErrorFolds)
    compared(quality.regression_of_folds(folded), quality.regression(*arrays))


def test_folds_are_of_equal_size_and_come_again() -> None:
    assert np.bincount(folds(100, 7)).tolist() == [20] * 5
    assert (folds(100, 7) == folds(100, 7)).all()
    assert (folds(100, 7) != folds(100, 8)).any()


def test_score_ranges_keep_the_order_and_six_decimals() -> None:
    sixth = np.arange(1_000_001) / 1_000_000
    assert (np.diff(score_ranges(sixth)) > 0).all()
    odd = np.array([np.nan, -np.inf, -1e30, -7.0, -2.5, -1e-9, 0.0, 1e-5, 1.0, 1.01, 3.0, 1e30, np.inf])
    ranges = score_ranges(odd)
    assert (np.diff(ranges) >= 0).all() and (np.diff(ranges[1:]) > 0).all()
    wide = np.sort(RANDOM.normal(size=5000) * 50)
    assert (np.diff(score_ranges(wide)) >= 0).all()
    near = RANDOM.uniform(1.5, 1000, 1000)
    apart = near * (1 + 1 / 1000)
    assert (score_ranges(near) < score_ranges(apart)).all()


def test_areas_of_any_scores_are_within_what_is_stated() -> None:
    scores = ACTUAL + RANDOM.normal(size=SIZE) * 2
    for given, error in ((SCORES + RANDOM.random(SIZE) * 1e-7, 1e-6), (scores, 1e-4)):
        found = LabelFolds()
        found.add(["0", "1"], ACTUAL, ACTUAL, given)
        assert found.scores is not None
        assert found.scores.curves(1, None).auc == pytest.approx(roc_auc_score(ACTUAL, given), abs=error)
