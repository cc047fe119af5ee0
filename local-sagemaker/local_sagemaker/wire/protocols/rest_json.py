"""REST with JSON bodies (SageMaker Runtime, Lambda, API Gateway)."""

from __future__ import annotations

from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.event_stream import CONTENT_TYPE as CONTENT_TYPE_OF_EVENTS
from local_sagemaker.wire.event_stream import encode_events
from local_sagemaker.wire.protocols.json import dump, from_document, read_document, to_document
from local_sagemaker.wire.protocols.rest import empty_response, has_body_members, members_from, payload, raw_payload
from local_sagemaker.wire.request import WireRequest, WireResponse

CONTENT_TYPE = "application/json"


def parse(request: WireRequest, target: Target) -> dict[str, Any]:
    """Members from path, query, headers and the JSON body (or the raw body, where the model says so)."""
    shape = target.operation.input_shape
    if shape is None:
        return {}
    members = members_from(request, target, shape)
    whole = payload(shape)
    if whole is None:
        if has_body_members(shape):
            document = read_document(request.body.whole())
            body = from_document(shape, document)
            members.update({name: value for name, value in body.items() if _in_body(shape.members[name])})
    elif whole[1].type_name in ("structure", "list", "map"):
        data = request.body.whole()
        if data:
            members[whole[0]] = from_document(whole[1], read_document(data))
    else:
        value = raw_payload(whole[1], request)
        if value is not None:
            members[whole[0]] = value
    return members


def _in_body(member: Any) -> bool:
    return "location" not in member.serialization


def respond(response: dict[str, Any], target: Target) -> WireResponse:
    """Status, headers and a JSON object, or the payload as it is."""
    result = empty_response(response, target)
    shape = target.operation.output_shape
    whole = payload(shape)
    if shape is None:
        result.body = b""
    elif whole is None:
        document = to_document(shape, response)
        if has_body_members(shape) or result.status != 204:
            names = {m.serialization.get("name", n) for n, m in shape.members.items() if _in_body(m)}
            result.body = dump({name: value for name, value in document.items() if name in names})
    elif whole[1].serialization.get("eventstream"):
        result.headers["Content-Type"] = CONTENT_TYPE_OF_EVENTS
        result.body = encode_events(whole[1], response[whole[0]])
    elif whole[1].type_name in ("structure", "list", "map"):
        result.body = dump(to_document(whole[1], response.get(whole[0]) or {}))
    else:
        value = response.get(whole[0], b"")
        result.body = value.encode() if isinstance(value, str) else value
    if result.body and not any(name.lower() == "content-type" for name in result.headers):
        plain = whole is not None and whole[1].type_name in ("blob", "string") and target.operation.name != "Invoke"
        result.headers["Content-Type"] = "application/octet-stream" if plain else CONTENT_TYPE
    return result


def error(error: ServiceError, _request: WireRequest, _request_id: str) -> WireResponse:
    """The code in a header, the text (and the error's other members) in the body."""
    document = {**getattr(error, "detail", {}), "Message": error.message, "message": error.message}
    return WireResponse(error.status, {"Content-Type": CONTENT_TYPE, "x-amzn-ErrorType": error.code}, dump(document))
