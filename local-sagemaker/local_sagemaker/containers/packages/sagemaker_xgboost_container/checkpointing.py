"""Checkpoints of a training script: one file a round, the last ones kept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import xgboost as xgb

CHECKPOINT_FILENAME = "xgboost-checkpoint"
TEMP_FILE_SUFFIX = ".sagemaker-ignore"
FILE_LOCK_SUFFIX = ".sagemaker-uploading"
FILE_SAFE_SUFFIX = ".sagemaker-uploaded"
_NAME = re.compile(re.escape(CHECKPOINT_FILENAME) + r"\.(\d+)")


def train(train_args: Mapping[str, Any], checkpoint_dir: str | None) -> xgb.Booster:
    """``xgboost.train(**train_args)`` that continues from the newest checkpoint, and writes one each round."""
    arguments = dict(train_args)
    model, first = load_checkpoint(checkpoint_dir)
    arguments["num_boost_round"] = arguments.get("num_boost_round", 10) - first
    callbacks = list(arguments.get("callbacks") or [])
    if checkpoint_dir:
        callbacks.append(save_checkpoint(checkpoint_dir, start_iteration=first, iteration=first))
    arguments.update(xgb_model=model, callbacks=callbacks)
    return xgb.train(**arguments)


def load_checkpoint(checkpoint_dir: str | None, max_try: int = 5) -> tuple[str | None, int]:
    """The file of the newest checkpoint and the number of the next round; (None, 0) without one."""
    if not checkpoint_dir or not os.path.isdir(checkpoint_dir):
        return None, 0
    rounds = sorted(int(match[1]) for match in map(_NAME.fullmatch, os.listdir(checkpoint_dir)) if match)
    if not rounds:
        return None, 0
    return os.path.join(checkpoint_dir, f"{CHECKPOINT_FILENAME}.{rounds[-1]}"), rounds[-1] + 1


def save_checkpoint(
    checkpoint_dir: str, start_iteration: int = 0, max_to_keep: int = 5, num_round: int | None = None, rank: int = 0,
    iteration: int = 0, end_iteration: int | None = None,
) -> SaveCheckpointCallBack:  # fmt: skip
    """A callback of ``xgboost.train`` that writes ``xgboost-checkpoint.<round>`` on the first host."""
    return SaveCheckpointCallBack(checkpoint_dir, start_iteration, max_to_keep, num_round, rank)


class SaveCheckpointCallBack(getattr(xgb.callback, "TrainingCallback", object)):  # type: ignore[misc]
    """Writes a checkpoint each round and removes all but the last `max_to_keep` that are not being uploaded."""

    def __init__(
        self, checkpoint_dir: str, start_iteration: int = 0, max_to_keep: int = 5, num_round: int | None = None,
        rank: int = 0, iteration: int = 0, end_iteration: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.checkpoint_dir, self.start_iteration, self.max_to_keep, self.rank = (
            checkpoint_dir, start_iteration, max_to_keep, rank,
        )  # fmt: skip

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if self.rank == 0:
            os.makedirs(self.checkpoint_dir, exist_ok=True)
            number = self.start_iteration + epoch
            file = os.path.join(self.checkpoint_dir, f"{CHECKPOINT_FILENAME}.{number}")
            model.save_model(file + TEMP_FILE_SUFFIX)
            os.replace(file + TEMP_FILE_SUFFIX, file)
            self._remove_old(number)
        return False

    def __call__(self, environment: Any) -> None:
        """As libraries before 1.3 call it."""
        self.after_iteration(environment.model, environment.iteration, None)

    def _remove_old(self, newest: int) -> None:
        for match in map(_NAME.fullmatch, os.listdir(self.checkpoint_dir)):
            if match and int(match[1]) <= newest - self.max_to_keep:
                file = os.path.join(self.checkpoint_dir, match[0])
                if not os.path.exists(file + FILE_LOCK_SUFFIX):
                    os.remove(file)
