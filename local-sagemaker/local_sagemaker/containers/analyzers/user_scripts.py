"""The user's record preprocessor and post-analytics scripts."""

from __future__ import annotations

import importlib.util
import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from local_sagemaker import image_programs
from local_sagemaker.containers.analyzers.contract import as_job_path
from model_checks.errors import AnalysisError

WRONG_PREPROCESSOR = "Preprocess Handler not implemented correctly in customer script."
RAISING_PREPROCESSOR = "Error: Exception while invoking preprocessor script."
"""Text: aws/sagemaker-python-sdk issue 2665, aws-samples/amazon-sagemaker-immersion-day issue 29."""
WRONG_POSTPROCESSOR = "Postprocess Handler not implemented correctly in customer script."

ScriptRow = dict[str, Any]


def preprocessor(path: Path) -> Callable[[Any], list[ScriptRow]]:
    """The script's ``preprocess_handler`` as a function from a record to its rows, columns in sorting order."""
    handler = _function(_load(path, RAISING_PREPROCESSOR), "preprocess_handler", WRONG_PREPROCESSOR)
    log = logging.getLogger("preprocess")
    with_logger = len(inspect.signature(handler).parameters) > 1

    def rows(record: Any) -> list[ScriptRow]:
        try:
            outputs = handler(record, log) if with_logger else handler(record)
        except Exception as error:
            log.exception("preprocess_handler failed")
            raise AnalysisError(RAISING_PREPROCESSOR) from error
        outputs = [outputs] if isinstance(outputs, Mapping) else outputs
        if not isinstance(outputs, list) or not all(isinstance(row, Mapping) for row in outputs):
            raise AnalysisError(WRONG_PREPROCESSOR)
        return [{str(name): row[name] for name in sorted(row, key=str)} for row in outputs]

    return rows


def postprocess(path: Path) -> None:
    """Calls the script's ``postprocess_handler``; the reports are on disk already."""
    handler = _function(_load(path, WRONG_POSTPROCESSOR), "postprocess_handler", WRONG_POSTPROCESSOR)
    try:
        handler()
    except Exception as error:
        logging.getLogger("postprocess").exception("postprocess_handler failed")
        raise AnalysisError(WRONG_POSTPROCESSOR) from error


def _function(module: ModuleType, name: str, otherwise: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise AnalysisError(otherwise)
    return function  # type: ignore[no-any-return]


def _load(path: Path, otherwise: str) -> ModuleType:
    if not path.is_file():
        raise AnalysisError(f"Error: The script {as_job_path(path)} does not exist.")
    spec = importlib.util.spec_from_file_location(f"customer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise AnalysisError(otherwise)
    module = importlib.util.module_from_spec(spec)
    try:
        with image_programs.hide(("model_checks",)):
            spec.loader.exec_module(module)
    except Exception as error:
        logging.getLogger("preprocess").exception("%s can't be loaded", path.name)
        raise AnalysisError(otherwise) from error
    return module
