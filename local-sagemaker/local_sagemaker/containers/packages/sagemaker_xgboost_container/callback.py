"""Callbacks of a training: a debugger's hook is made by ``smdebug`` alone, which is not in the library sets."""

from __future__ import annotations

import logging
from typing import Any


def add_debugging(
    callbacks: list[Any],
    hyperparameters: Any,
    train_dmatrix: Any,
    val_dmatrix: Any = None,
    json_config_path: Any = None,
) -> None:
    """Adds the hook of SageMaker Debugger; nothing where there is none, as in a job without a configuration of it."""
    try:
        from smdebug.xgboost import Hook  # type: ignore[import-not-found, unused-ignore]

        hook = Hook.hook_from_config(json_config_path)
    except (ImportError, OSError, ValueError) as error:
        logging.debug("No hook of a debugger: %s", error)
        return
    hook.hyperparameters, hook.train_data = hyperparameters, train_dmatrix
    if val_dmatrix is not None:
        hook.validation_data = val_dmatrix
    callbacks.append(hook)
