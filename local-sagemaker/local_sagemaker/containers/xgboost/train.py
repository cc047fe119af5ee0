"""The container's ``train``: the built-in algorithm, or the user's script where hyperparameters name one.

Order, as in the container: hyperparameters, channels, content type, data, training, model file.
"""

from __future__ import annotations

import json
import logging
import os
from functools import partial
from pathlib import Path
from typing import Any

from local_sagemaker.containers.failure import PlatformError, UserError, exit_code_of
from local_sagemaker.containers.paths import ml
from local_sagemaker.containers.program_log import configure
from local_sagemaker.containers.toolkit import train as toolkit
from local_sagemaker.containers.xgboost import channels, data, distributed, hyperparameters, kfold, pipe_mode, training
from local_sagemaker.containers.xgboost.image_tags import Behaviour
from local_sagemaker.xgboost_names import TAG

log = logging.getLogger(__name__)


def main(_arguments: list[str] | None = None) -> int:
    """Runs the job of this process's /opt/ml; returns the exit code."""
    configure()
    texts = _config("hyperparameters", {})
    if "sagemaker_program" in texts:
        log.info("Invoking user training script.")
        return toolkit.run("sagemaker_xgboost_container.training:main")
    return exit_code_of(lambda: algorithm(texts))


def algorithm(texts: dict[str, str]) -> None:
    """The built-in algorithm."""
    log.info("Running XGBoost Sagemaker in algorithm mode")
    tag = os.environ.get(TAG, "")
    config = hyperparameters.validate(texts, silent_accepted=Behaviour.of(tag).silent_accepted)
    configured = _config("inputdataconfig", {})
    channels.validate(configured)
    content_format = channels.content_format(configured["train"].get("ContentType"))
    train_path, validation_path = (ml() / "input" / "data" / name for name in ("train", "validation"))
    has_validation = "validation" in configured
    paths = (train_path, validation_path if has_validation else None)
    is_pipe = configured["train"]["TrainingInputMode"] == "Pipe"
    weighted = config.get("csv_weights") == 1
    train, validation = _matrices(*paths, content_format, csv_weights=weighted, tag=tag,
                                  is_pipe=is_pipe)  # fmt: skip
    hosts = _config("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"]})
    if len(hosts["hosts"]) < 1:
        raise PlatformError("Number of hosts should be an int greater than or equal to 1")
    included = train is not None and (validation is not None or not has_validation)

    both = [path for path in paths if path]
    join = None if is_pipe else partial(data.load_files, both, content_format, csv_weights=weighted)

    def work() -> None:
        assert train is not None
        _train(training.Task(config, train, validation, ml() / "model", _checkpoints(), tag, len(hosts["hosts"]), join))

    if len(hosts["hosts"]) > 1:
        log.info("Distributed node training with %s hosts: %s", len(hosts["hosts"]), hosts["hosts"])
        if not included:
            log.warning("Host %s does not have data. Will broadcast to cluster.", hosts["current_host"])
        distributed.run(hosts["hosts"], hosts["current_host"], included, work)
        return
    if train is None:
        raise UserError(f"No data in training channel path {train_path}")
    if not included:
        raise UserError(f"No data in validation channel path {validation_path}")
    log.info("Single node training.")
    work()


def _matrices(
    train: Path, validation: Path | None, content_format: str, *, csv_weights: bool, tag: str, is_pipe: bool
) -> tuple[Any, Any]:
    """The DMatrices of both channels, None for one without data. The train channel says whether both are pipes."""
    if not is_pipe:
        return data.load_channels(train, validation, content_format, csv_weights=csv_weights)
    if not Behaviour.of(tag).reads_pipes:
        pipe_mode.refuse(content_format)
    loaded = [
        pipe_mode.load(path, content_format, csv_weights=csv_weights) if path else None for path in (train, validation)
    ]
    return loaded[0], loaded[1]


def _train(task: training.Task) -> None:
    if task.config.get("_kfold"):
        kfold.run(task, ml() / "output" / "data")
    else:
        training.run(task)


def _config(name: str, default: dict[str, Any]) -> dict[str, Any]:
    file = ml() / "input" / "config" / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else default


def _checkpoints() -> Path | None:
    """The folder of the checkpoint configuration, which exists only when one was given."""
    folder = _config("checkpointconfig", {}).get("LocalPath")
    if not folder:
        return None
    return ml() / Path(folder).relative_to("/opt/ml") if str(folder).startswith("/opt/ml/") else Path(folder)
