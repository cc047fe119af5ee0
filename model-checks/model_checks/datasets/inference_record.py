"""A captured request as the record preprocessors of Model Monitor are called with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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
