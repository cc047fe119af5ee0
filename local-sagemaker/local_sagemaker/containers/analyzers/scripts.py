"""The user's record preprocessor and post-analytics scripts, and the record that a preprocessor is called with."""

from __future__ import annotations

import importlib.util
import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from local_sagemaker.containers.analyzers.contract import AnalysisError, shown

WRONG_PREPROCESSOR = "Preprocess Handler not implemented correctly in customer script."
RAISING_PREPROCESSOR = "Error: Exception while invoking preprocessor script."
"""Text: aws/sagemaker-python-sdk issue 2665, aws-samples/amazon-sagemaker-immersion-day issue 29."""
WRONG_POSTPROCESSOR = "Postprocess Handler not implemented correctly in customer script."

Row = dict[str, Any]


class CapturedData:
    """One side of a captured request: ``data``, ``encoding``, ``observedContentType``, ``mode``."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.data = fields.get("data")
        self.encoding = fields.get("encoding")
        self.observedContentType = fields.get("observedContentType")
        self.mode = fields.get("mode")

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


class EventMetadata:
    """``event_id``, ``event_time`` and ``custom_attribute`` of a captured request."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.event_id = fields.get("eventId")
        self.event_time = fields.get("inferenceTime")
        self.custom_attribute = fields.get("customAttributes")
        self.inference_id = fields.get("inferenceId")

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


class InferenceRecord:
    """A captured request as the documented preprocessor interface shows it; ``event_dict`` is the record itself."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        captured = event.get("captureData") or {}
        self.event_dict = event
        self.event_version = event.get("eventVersion")
        self.endpoint_input = _side(captured, "endpointInput")
        self.endpoint_output = _side(captured, "endpointOutput")
        self.batch_transform_output = _side(captured, "batchTransformOutput")
        self.ground_truth = CapturedData(event["groundTruthData"]) if event.get("groundTruthData") else None
        self.event_metadata = EventMetadata(event.get("eventMetadata") or {})

    def as_dict(self) -> Mapping[str, Any]:
        return self.event_dict


def _side(captured: Mapping[str, Any], name: str) -> CapturedData | None:
    return CapturedData(captured[name]) if captured.get(name) else None


def preprocessor(path: Path) -> Callable[[Any], list[Row]]:
    """The script's ``preprocess_handler`` as a function from a record to its rows, columns in sorting order."""
    handler = _function(_load(path, RAISING_PREPROCESSOR), "preprocess_handler", WRONG_PREPROCESSOR)
    log = logging.getLogger("preprocess")
    with_logger = len(inspect.signature(handler).parameters) > 1

    def rows(record: Any) -> list[Row]:
        try:
            found = handler(record, log) if with_logger else handler(record)
        except Exception as error:
            log.exception("preprocess_handler failed")
            raise AnalysisError(RAISING_PREPROCESSOR) from error
        found = [found] if isinstance(found, Mapping) else found
        if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
            raise AnalysisError(WRONG_PREPROCESSOR)
        return [{str(name): row[name] for name in sorted(row, key=str)} for row in found]

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
    found = getattr(module, name, None)
    if not callable(found):
        raise AnalysisError(otherwise)
    return found  # type: ignore[no-any-return]


def _load(path: Path, otherwise: str) -> ModuleType:
    if not path.is_file():
        raise AnalysisError(f"Error: The script {shown(path)} does not exist.")
    spec = importlib.util.spec_from_file_location(f"customer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise AnalysisError(otherwise)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        logging.getLogger("preprocess").exception("%s can't be loaded", path.name)
        raise AnalysisError(otherwise) from error
    return module
