"""Trains a classifier of irises on this machine: no cloud, a second or two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "DEMO-local-xgboost-model"
ROWS = "test_point.csv"
PARAMETERS = {"max_depth": 5, "learning_rate": 0.2, "n_estimators": 10, "objective": "multi:softmax"}


@dataclass(frozen=True)
class TrainingResult:
    """Where the model and the first rows of the test split are, and how good the model is on that split."""

    model: Path
    rows: Path
    accuracy: float


def train(folder: Path) -> TrainingResult:
    """Trains, saves and checks what was saved.

    The model is saved as a pickle of the classifier, which keeps all of it; ``packaging`` turns it into what the
    container reads.
    """
    import joblib
    import numpy
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split
    from xgboost import XGBClassifier

    iris: Any = load_iris()
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        iris.data, iris.target, test_size=0.2, random_state=100, stratify=iris.target
    )
    classifier = XGBClassifier(**PARAMETERS).fit(train_rows, train_labels)
    folder.mkdir(parents=True, exist_ok=True)
    trained = TrainingResult(
        folder / MODEL, folder / ROWS, float((classifier.predict(test_rows) == test_labels).mean())
    )
    joblib.dump(classifier, trained.model)
    numpy.savetxt(trained.rows, test_rows[:5], delimiter=",")
    again = joblib.load(trained.model).predict(numpy.loadtxt(trained.rows, delimiter=","))
    if list(again) != list(classifier.predict(test_rows[:5])):
        raise ValueError(f"{trained.model} does not predict as the model that was saved into it")
    return trained
