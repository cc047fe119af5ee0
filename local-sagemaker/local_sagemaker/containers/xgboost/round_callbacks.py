"""What happens after each boosting round: the log line, checkpoints, and the model kept for an early end."""
# ruff: noqa: ARG002 - the callbacks have the parameters of XGBoost's interface

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import xgboost as xgb

from local_sagemaker.containers.xgboost import compat, distributed, model_file
from local_sagemaker.containers.xgboost.compat import TrainingCallback

CHECKPOINT = re.compile(r"xgboost-checkpoint\.(\d+)")
CHECKPOINTS_KEPT = 5


class LogLine(TrainingCallback):  # type: ignore[misc]
    """Prints ``[round]<TAB>train-metric:0.12345<TAB>validation-metric:...``, which metric definitions match."""

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self.first = first

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict[str, dict[str, Any]]) -> bool:
        """One line a round, on the first host only when several train together."""
        if distributed.rank() == 0:
            scores = (f"{data}-{name}:{log[-1]:.5f}" for data, logs in evals_log.items() for name, log in logs.items())
            sys.stdout.write("\t".join([f"[{self.first + epoch}]", *scores]) + "\n")
        return False


class Checkpoints(TrainingCallback):  # type: ignore[misc]
    """Writes ``xgboost-checkpoint.<round>`` each round and keeps the last five.

    The shipped container writes one file under a name that it never finds again; this is what its documentation says.
    """

    def __init__(self, folder: Path, first: int = 0) -> None:
        super().__init__()
        self.folder, self.first = folder, first

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: Any) -> bool:
        """Writes and prunes, on the first host only."""
        if distributed.rank() == 0:
            number = self.first + epoch
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"xgboost-checkpoint.{number}.sagemaker-ignore"
            part.write_bytes(compat.raw(model, "ubj"))
            part.replace(self.folder / f"xgboost-checkpoint.{number}")
            for old, file in checkpoints(self.folder):
                if old <= number - CHECKPOINTS_KEPT:
                    file.unlink(missing_ok=True)
        return False


class ModelEachRound(TrainingCallback):  # type: ignore[misc]
    """Overwrites the model each round, so that a job that is stopped leaves a valid one."""

    def __init__(self, file: Path, tag: str) -> None:
        super().__init__()
        self.file, self.tag = file, tag

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: Any) -> bool:
        """Writes the model, on the first host only."""
        if distributed.rank() == 0:
            model_file.save(model, self.file, self.tag)
        return False


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(round, file) of each checkpoint in a folder, oldest first."""
    matches = ((CHECKPOINT.fullmatch(file.name), file) for file in folder.glob("xgboost-checkpoint.*"))
    return sorted((int(match[1]), file) for match, file in matches if match)


def resume(folder: Path | None) -> tuple[Path | None, int]:
    """The checkpoint to continue from and the round to begin with; (None, 0) when there is none."""
    checkpoint_files = checkpoints(folder) if folder else []
    return (checkpoint_files[-1][1], checkpoint_files[-1][0] + 1) if checkpoint_files else (None, 0)


def end_on_sigterm(model_folder: Path) -> None:
    """On SIGTERM: leaves nothing but finished models in the model folder, and exits with 0, as the container does."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for file in model_folder.iterdir() if model_folder.is_dir() else ():
            if file.is_file() and not file.name.startswith(model_file.NAME):
                file.unlink(missing_ok=True)
        sys.exit(0)  # which flushes the log; here it might be in the middle of a line, and can't be

    signal.signal(signal.SIGTERM, end)
