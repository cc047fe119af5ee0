"""One training on validated hyperparameters and data: metrics, callbacks, errors (contracts: containers 3.4-3.6)."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost as xgb

from local_sagemaker.containers.failure import AlgorithmError, UserError
from local_sagemaker.containers.xgboost import compat, distributed, metrics, model_file, round_callbacks
from local_sagemaker.containers.xgboost.compat import Join, TrainingCallback

# Parts of XGBoost's messages that are the user's doing; the rest is reported as a failure of the algorithm.
USER_ERRORS = (
    "label must be in [0,1] for logistic regression",
    "label must be in [0, num_class)",
    "label must be nonnegative",
    "label must be positive for gamma regression",
    "label must be greater than -1 for rmsle",
    "When using relevance degree as target",
    "label and prediction size not match",
    "feature_names mismatch",
    "feature_names must be unique",
    "base_score must be in (0,1) for logistic loss",
    "base_score must be in (0,1) for the logistic loss",
    "Check failed: base_score > 0.0f && base_score < 1.0f",
    "Check failed: valid: ",
    "only contains 1 class",
    "only pos or neg samples",
    "is invalid for feature",
)
# The container's own, and those of its library that newer ones no longer have; XGBoost would warn of each.
NO_MORE = ("silent", "predictor", "sketch_eps", "dsplit", "deterministic_histogram", "prob_buffer_row")
NOT_FOR_XGBOOST = (
    "num_round", "csv_weights", "early_stopping_rounds", "_kfold", "_num_cv_round", "_tuning_objective_metric",
    "save_model_on_termination", "eval_metric", "use_dask_gpu_training",
    *(NO_MORE if compat.VERSION >= (1, 6) else ()),
)  # fmt: skip
# Objectives whose library would first estimate an intercept, and complain of that, when a label is out of range.
_LOGISTIC = ("binary:logistic", "reg:logistic")
CELLS_PER_THREAD = 100_000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A training job as one host sees it. `checkpoints` is None where no checkpoint configuration was given."""

    config: dict[str, Any]
    train: xgb.DMatrix
    validation: xgb.DMatrix | None
    model_folder: Path
    checkpoints: Path | None
    tag: str
    hosts: int = 1
    join: Join | None = None


def parameters(config: dict[str, Any]) -> dict[str, Any]:
    """What goes to the library."""
    settings = {name: value for name, value in config.items() if name not in NOT_FOR_XGBOOST}
    for name in ("updater", "monotone_constraints", "interaction_constraints"):
        if name in settings:
            value = settings[name]
            settings[name] = ",".join(value) if name == "updater" else _constraint_text(value)
    if settings.get("tree_method") == "gpu_hist":  # this library would continue without a GPU, the container's does not
        raise AlgorithmError("XGB train call failed with exception:\n Must have at least one device")
    if "aft_loss_distribution_scale" in settings:
        settings.setdefault("aft_loss_distribution", "normal")
    settings.setdefault("verbosity", 1)
    return settings


def threads(train: xgb.DMatrix, hosts: int) -> int:
    """How many threads a training gets unless hyperparameters say; it does not change the model.

    All hosts of a job share this machine's cores, and a small table is done sooner by one thread alone.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    by_size = train.num_row() * max(1, train.num_col()) // CELLS_PER_THREAD + 1
    return max(1, min(cores // hosts, by_size))


def _constraint_text(value: Any) -> str:
    text = str(value)
    return text.replace(",)", ")") if isinstance(value, tuple) else text.replace("(", "[").replace(")", "]")


def boost(
    config: dict[str, Any],
    train: xgb.DMatrix,
    watchlist: Sequence[tuple[xgb.DMatrix, str]],
    callbacks: Sequence[TrainingCallback],
    start: tuple[Path | None, int] = (None, 0),
    hosts: int = 1,
) -> xgb.Booster:
    """The rounds of one booster; `callbacks` are called in order, none of them skipped on the last round.

    ``xgboost.train`` would give the container's metrics transformed predictions instead of margins.
    """
    for matrix in (train, *(matrix for matrix, _ in watchlist)):
        check_labels(config, matrix)
    own, ours = metrics.split(config.get("_tuning_objective_metric"), config.get("eval_metric"))
    settings: list[tuple[str, Any]] = [("nthread", threads(train, hosts)), *parameters(config).items()]
    settings += [("eval_metric", name) for name in own]
    file, first = start
    number_of_rounds = config["num_round"] - first
    try:
        if not compat.HAS_CALLBACKS:
            return compat.train_before_callbacks(
                settings, train, watchlist, callbacks, metrics.evaluation(ours), num_round=number_of_rounds,
                patience=config.get("early_stopping_rounds"), start=str(file) if file else None,
            )  # fmt: skip
        container = compat.container(callbacks, metrics.evaluation(ours))
        booster = xgb.Booster(settings, [train, *(matrix for matrix, _ in watchlist)], model_file=file and str(file))
        booster = container.before_training(booster)
        for number in range(number_of_rounds):
            booster.update(train, iteration=number)
            if container.after_iteration(booster, number, train, list(watchlist)):
                break
        return container.after_training(booster)
    except (xgb.core.XGBoostError, ValueError) as error:
        text = str(error).split("\nStack trace", 1)[0]
        if any(known in text for known in USER_ERRORS):
            raise UserError(text) from error
        raise AlgorithmError(f"XGB train call failed with exception:\n {text}") from error


def check_labels(config: dict[str, Any], matrix: xgb.DMatrix) -> None:
    """Raises UserError, in the library's own words, for labels that a logistic objective cannot have."""
    labels = matrix.get_label()
    if config.get("objective") in _LOGISTIC and ((labels < 0) | (labels > 1)).any():
        raise UserError("label must be in [0,1] for logistic regression")


def early_stopping(config: dict[str, Any], has_validation: bool) -> list[TrainingCallback]:
    """Active only with rounds, a validation channel and a named metric; otherwise silently not, as in the container."""
    if not compat.HAS_CALLBACKS:  # it is a parameter of the library's function
        return []
    from xgboost.callback import EarlyStopping

    patience = config.get("early_stopping_rounds")
    metric = metrics.metric_to_watch(config.get("_tuning_objective_metric"), config.get("eval_metric"))
    if not patience or not has_validation or not metric:
        return []
    maximise = metrics.is_maximised(metric)
    return [
        EarlyStopping(rounds=patience, data_name="validation", metric_name=metric, maximize=maximise, save_best=True)
    ]


def run(task: Task) -> None:
    """Trains and saves one model; with several hosts each calls this inside the collective, and the first saves."""
    config = task.config
    watchlist = [(task.train, "train")]
    log.info("Train matrix has %s rows and %s columns", task.train.num_row(), task.train.num_col())
    if task.validation is not None:
        watchlist.append((task.validation, "validation"))
        log.info("Validation matrix has %s rows", task.validation.num_row())
    file, first = round_callbacks.resume(task.checkpoints)
    if file:
        log.info("Checkpoint loaded from %s", file)
        log.info("Resuming from iteration %s", first)
    model = task.model_folder / model_file.NAME
    callbacks: list[TrainingCallback] = [round_callbacks.LogLine(first)]
    if task.checkpoints:
        callbacks.append(round_callbacks.Checkpoints(task.checkpoints, first))
    if config.get("save_model_on_termination") == "true":
        callbacks.append(round_callbacks.ModelEachRound(model, task.tag))
        round_callbacks.end_on_sigterm(task.model_folder)
    callbacks += early_stopping(config, task.validation is not None)
    booster = boost(config, task.train, watchlist, callbacks, (file, first), task.hosts)
    if distributed.rank() == 0:
        model_file.save(booster, model, task.tag)
