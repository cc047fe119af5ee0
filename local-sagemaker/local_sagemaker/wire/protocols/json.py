"""AWS JSON 1.1: the operation in ``X-Amz-Target``, everything else in the body (SageMaker, CloudWatch Logs).

`from_document` and `to_document` are also the JSON bodies of the REST protocol.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from local_sagemaker.api.scalars import Shape, time_form, time_from_text, time_to_text
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.request import WireRequest, WireResponse

CONTENT_TYPE = "application/x-amz-json-1.1"
NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""Floats that JSON has no form for go as these texts."""


def parse(request: WireRequest, target: Target) -> dict[str, Any]:
    """The members of the JSON object in the body."""
    document = read_document(request.body.whole())
    shape = target.operation.input_shape
    return from_document(shape, document) if shape is not None else {}


def respond(response: dict[str, Any], target: Target) -> WireResponse:
    """The output as a JSON object."""
    shape = target.operation.output_shape
    document = to_document(shape, response) if shape is not None else {}
    return WireResponse(headers={"Content-Type": CONTENT_TYPE}, body=dump(document))


def error(error: ServiceError, _request: WireRequest, _request_id: str) -> WireResponse:
    """``{"__type": code, "message": text}``, the form that botocore and the AWS CLI read."""
    document = {"__type": error.code, **getattr(error, "detail", {}), "message": error.message}
    return WireResponse(error.status, {"Content-Type": CONTENT_TYPE, "x-amzn-ErrorType": error.code}, dump(document))


def dump(document: Any) -> bytes:
    """A JSON document as bytes, compact."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_document(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; an empty body is an empty object."""
    try:
        document = load(body, constants=False) if body.strip() else {}
    except JsonError as error:
        text = f"The request body is not JSON: {error}."
        raise ServiceError(text, code="SerializationException", status=400) from error
    if not isinstance(document, dict):
        raise ServiceError("Start of structure expected.", code="SerializationException", status=400)
    return document


def from_document(shape: Shape, value: Any) -> Any:
    """A JSON value as its shape says: times as seconds, blobs as bytes, nulls and unknown members left out."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict) or getattr(shape, "is_document_type", False):
            return value
        members = {}
        for name, member in shape.members.items():
            content = value.get(member.serialization.get("name", name))
            if content is not None:
                members[name] = from_document(member, content)
        return members
    if kind == "list":
        return [from_document(shape.member, item) for item in value] if isinstance(value, list) else value
    if kind == "map":
        if not isinstance(value, dict):
            return value
        return {key: from_document(shape.value, item) for key, item in value.items() if item is not None}
    if kind == "timestamp" and isinstance(value, str):
        return time_from_text(value)
    if kind == "blob" and isinstance(value, str):
        return base64.b64decode(value)
    if kind in ("float", "double") and isinstance(value, str):
        return NUMBERS.get(value, value)
    return value


def to_document(shape: Shape, value: Any) -> Any:
    """A value as JSON: the reverse of `from_document`."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        return {
            member.serialization.get("name", name): to_document(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [to_document(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_document(shape.value, item) for key, item in value.items() if item is not None}
    if kind == "timestamp":
        form = time_form(shape, "unixtimestamp")
        return value if form == "unixtimestamp" else time_to_text(value, form)
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if kind in ("float", "double") and value != value:
        return "NaN"
    if kind in ("float", "double") and value in (NUMBERS["Infinity"], NUMBERS["-Infinity"]):
        return "Infinity" if value > 0 else "-Infinity"
    return value
