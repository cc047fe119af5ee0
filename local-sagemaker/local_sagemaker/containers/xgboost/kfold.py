"""Cross-validation: hyperparameters ``_kfold`` and ``_num_cv_round`` (contracts: containers 3.5)."""
# ruff: noqa: ARG002 - the callback has the parameters of XGBoost's interface

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb
from scipy import sparse
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost import compat, model_file, round_callbacks
from local_sagemaker.containers.xgboost.compat import TrainingCallback
from local_sagemaker.containers.xgboost.training import Task, boost, early_stopping

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray  # NumPy of older images has none

    Array: TypeAlias = NDArray[np.float64]

log = logging.getLogger(__name__)


class _Scores(TrainingCallback):  # type: ignore[misc]
    """Keeps the last scores of a booster."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, float] = {}

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
        """Takes the newest value of every metric."""
        self.last = {f"{data}-{name}": log[-1] for data, logs in evals_log.items() for name, log in logs.items()}
        return False


def run(task: Task, output: Path) -> None:
    """Trains a booster per fold and repetition; writes the out-of-fold predictions to ``predictions.csv``.

    The watch list is the full train and validation data, not the folds, as in the container.
    """
    config = task.config
    objective = config["objective"]  # the container, too, fails without one
    classified = "num_class" in config or objective.startswith("binary:")
    table = _join(task)
    labels = table.get_label()
    folds, repetitions = config["_kfold"], config.get("_num_cv_round", 1)
    splitter = (RepeatedStratifiedKFold if classified else RepeatedKFold)(n_splits=folds, n_repeats=repetitions)
    predictions = [_Predictions(labels, config.get("num_class", 0)) for _ in range(repetitions)]
    scores: list[dict[str, float]] = []
    watchlist = [(task.train, "train"), *([(task.validation, "validation")] if task.validation is not None else [])]
    log.info("Run %s-round of %s-fold cross validation with %s rows", repetitions, folds, table.num_row())
    for number, (rows, held_out) in enumerate(splitter.split(np.zeros(len(labels)), labels)):
        last = _Scores()
        callbacks = [round_callbacks.LogLine(), last, *early_stopping(config, task.validation is not None)]
        booster = boost(config, table.slice(rows), watchlist, callbacks)
        predictions[number // folds].add(held_out, booster.predict(table.slice(held_out)))
        model_file.save(booster, task.model_folder / f"{model_file.NAME}-{number}", task.tag)
        scores.append(last.last)
    means = [f"{name}:{np.mean([score[name] for score in scores]):.5f}" for name in scores[0]]
    sys.stdout.write("\t".join([f"[{config['num_round']}]", *means]) + "\n")
    _write(predictions, output / "predictions.csv", objective)


class _Predictions:
    """Out-of-fold predictions of one repetition."""

    def __init__(self, labels: Array, classes: int) -> None:
        self.labels, self.classes = labels, classes
        self.values: Array | None = None

    def add(self, rows: NDArray[np.int64], values: Array) -> None:
        if self.values is None:
            self.values = np.zeros((len(self.labels), *values.shape[1:]))
        self.values[rows] = values


def _write(predictions: list[_Predictions], file: Path, objective: str) -> None:
    """Columns: the label; for classes the mean probability and the class, else the mean prediction."""
    every = np.stack([fold.values for fold in predictions if fold.values is not None])
    mean = every.mean(axis=0)
    if objective == "multi:softprob":
        columns = [mean.max(axis=1), mean.argmax(axis=1)]
    elif objective == "binary:logistic":
        columns = [mean, mean > 0.5]
    elif objective in ("multi:softmax", "binary:hinge"):
        columns = [_vote(every)]
    else:
        columns = [mean]
    file.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(file, np.column_stack([predictions[0].labels, *columns]), delimiter=",", fmt="%f")


def _vote(every: Array) -> Array:
    values, codes = np.unique(every, return_inverse=True)
    counts = np.stack([(codes.reshape(every.shape) == code).sum(axis=0) for code in range(len(values))])
    return np.asarray(values[counts.argmax(axis=0)])


def _join(task: Task) -> xgb.DMatrix:
    train, validation = task.train, task.validation
    if validation is None:
        return train
    if not compat.READS_ROWS:
        if task.join is None:
            raise UserError("Cross validation of channels in Pipe mode needs XGBoost 1.7 or later here")
        return task.join()
    parts = [train, validation]
    width = max(part.num_col() for part in parts)
    rows = [part.get_data() for part in parts]
    for part in rows:
        part.resize(part.shape[0], width)
    weights = [part.get_weight() for part in parts]
    matrix = xgb.DMatrix(sparse.vstack(rows, format="csr"), label=np.concatenate([p.get_label() for p in parts]))
    if all(len(weight) for weight in weights):
        matrix.set_weight(np.concatenate(weights))
    return matrix
