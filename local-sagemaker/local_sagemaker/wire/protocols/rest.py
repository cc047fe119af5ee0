"""Where REST operations keep their members outside of the body: path, query, headers, status.

Shared by the JSON and XML protocols (Smithy, "HTTP bindings"); the body is theirs. What has bytes that are not UTF-8
can be signed, but is no text: such members are refused.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from local_sagemaker.api.scalars import Shape, from_text, to_text
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.request import WireRequest, WireResponse

STATUS = "__status__"


def members_from(request: WireRequest, target: Target, shape: Shape) -> dict[str, Any]:
    """The input's members that are not in the body."""
    values: dict[str, Any] = {}
    query: dict[str, list[str]] = {}
    if request.query:
        fixed = dict(parse_qsl(target.operation.http["requestUri"].partition("?")[2], keep_blank_values=True))
        for name, value in request.parameters():
            if name not in fixed:  # a fixed part distinguishes operations, it is no member's value
                query.setdefault(name, []).append(value)
    headers = request.headers
    for member, member_shape, location, name in _bindings(shape):
        if location == "header":
            if name in headers:
                values[member] = _from_header(member_shape, _text(headers[name], name))
        elif location == "uri":
            if name in target.labels:
                values[member] = from_text(member_shape, _text(target.labels[name], name))
        elif location == "headers":
            values[member] = {
                key[len(name) :]: _text(value, key) for key, value in headers.items() if key.startswith(name)
            }
        elif query:
            value = _query_value(member_shape, name, query, shape)
            if value is not None:
                values[member] = value
    return {member: value for member, value in values.items() if value != {}}


@lru_cache(maxsize=1024)
def _bindings(shape: Shape) -> list[tuple[str, Shape, str, str]]:
    """(member, its shape, location, name there) of those outside of the body; names of headers in lower case."""
    bindings = []
    for member, member_shape in shape.members.items():
        serialization = member_shape.serialization
        location, name = serialization.get("location"), serialization.get("name", member)
        if location in ("header", "headers", "uri", "querystring"):
            bindings.append((member, member_shape, location, name.lower() if location.startswith("header") else name))
    return bindings


def _query_value(member: Shape, name: str, query: dict[str, list[str]], shape: Shape) -> Any:
    if member.type_name == "map":
        taken = {other.serialization.get("name") for other in shape.members.values() if other is not member}
        rest = {key: values for key, values in query.items() if key not in taken}
        if member.value.type_name == "list":
            return rest or None
        return {key: from_text(member.value, values[0]) for key, values in rest.items()} or None
    if name not in query:
        return None
    if member.type_name == "list":
        return [from_text(member.member, value) for value in query[name]]
    return from_text(member, query[name][0])


def _text(value: str, name: str) -> str:
    """The same text. Raises for bytes that were not UTF-8, which `WireRequest.from_scope` made surrogates."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnreadableText(name) from error
    return value


class UnreadableText(ValueError):
    """Bytes that are not UTF-8 in a header or in the path. `place` names it: the header, or the path's label."""

    def __init__(self, place: str) -> None:
        super().__init__(f"'{place}' is not UTF-8")
        self.place = place


def _from_header(member: Shape, text: str) -> Any:
    if member.type_name == "list":
        return [from_text(member.member, part.strip()) for part in text.split(",") if part.strip()]
    return from_text(member, text)


def empty_response(response: dict[str, Any], target: Target) -> WireResponse:
    """A response with the status and headers of the output, its body still empty.

    An operation with a status that the model has no member for (206 for a part of an object) says it as `STATUS`.
    """
    result = WireResponse(int(response.get(STATUS) or target.operation.http.get("responseCode", 200)))
    shape = target.operation.output_shape
    for member, location, name, member_shape in _response_bindings(shape) if shape is not None else ():
        value = response.get(member)
        if value is None:
            continue
        if location == "statusCode":
            result.status = int(value)
        elif location == "header":
            result.headers[name] = _to_header(member_shape, value)
        else:
            for key, text in value.items():
                result.headers[name + key] = str(text)
    return result


@lru_cache(maxsize=1024)
def _response_bindings(shape: Shape) -> list[tuple[str, str, str, Shape]]:
    """(member, location, name there, its shape) of the output's members outside of the body."""
    bindings = []
    for member, member_shape in shape.members.items():
        serialization = member_shape.serialization
        location = serialization.get("location")
        if location in ("statusCode", "header", "headers"):
            name = serialization.get("name", "" if location == "headers" else member)
            bindings.append((member, location, name, member_shape))
    return bindings


def _to_header(member: Shape, value: Any) -> str:
    if member.type_name == "list":
        return ",".join(to_text(member.member, item, "rfc822") for item in value)
    return to_text(member, value, "rfc822")


def payload(shape: Shape | None) -> tuple[str, Shape] | None:
    """The member that is the whole body, if the shape has one."""
    name = shape.serialization.get("payload") if shape is not None else None
    return (name, shape.members[name]) if shape is not None and name else None


def has_body_members(shape: Shape) -> bool:
    """Whether members without a place of their own share the body."""
    return any("location" not in member.serialization for member in shape.members.values())


def raw_payload(member: Shape, request: WireRequest) -> Any:
    """The value of a payload that is no document: a stream, bytes or text; None for an absent text."""
    if member.type_name == "blob":
        return request.body if member.serialization.get("streaming") else request.body.whole()
    data = request.body.whole()
    return data.decode("utf-8", "replace") if data else None
