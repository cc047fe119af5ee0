"""The AWS query protocol: operation and members as a form, responses as XML (Smithy, "AWS query protocol").

CloudFormation speaks it, and so do IAM, STS and SNS, whose requests moto reads; of these only errors are written here.
"""

from __future__ import annotations

import re
from typing import Any

from local_sagemaker.api.scalars import Shape, from_text
from local_sagemaker.errors import ServiceError
from local_sagemaker.ids import request_id
from local_sagemaker.wire.detect import Target
from local_sagemaker.wire.protocols.xml import escape, write_members
from local_sagemaker.wire.request import WireRequest, WireResponse

CONTENT_TYPE = "text/xml"
_POSITION = re.compile(r"[1-9][0-9]{0,4}")
Node = dict[str, Any]
"""A part of the form as a tree: names up to the next dot. The text of a leaf is at `_TEXT`, which no name can be."""
_TEXT = "."


def parse(request: WireRequest, target: Target) -> dict[str, Any]:
    """The members in the form: ``Tags.member.1.Key=a`` and the like."""
    tree: Node = {}
    for name, value in request.form():
        node = tree
        for part in name.split("."):
            node = node.setdefault(part, {})
        node[_TEXT] = value
    shape = target.operation.input_shape
    return _structure(shape, tree) if shape is not None else {}


def _value(shape: Shape, node: Node) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, node)
    if kind == "list":
        return _list(shape, node)
    if kind == "map":
        return _map(shape, node)
    return from_text(shape, node.get(_TEXT, ""))


def _structure(shape: Shape, node: Node) -> dict[str, Any]:
    members = {}
    for name, member in shape.members.items():
        tag = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            tag = member.member.serialization.get("name", tag)
        if tag in node:
            members[name] = _value(member, node[tag])
    return members


def _list(shape: Shape, node: Node) -> list[Any]:
    """An empty list is a name without a value."""
    items = node if shape.serialization.get("flattened") else node.get(_member_name(shape), {})
    return [_value(shape.member, items[position]) for position in _in_order(items)]


def _map(shape: Shape, node: Node) -> dict[str, Any]:
    entries = node if shape.serialization.get("flattened") else node.get("entry", {})
    key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
    pairs = (entries[position] for position in _in_order(entries))
    return {pair.get(key, {}).get(_TEXT, ""): _value(shape.value, pair.get(value, {})) for pair in pairs}


def _member_name(shape: Shape) -> str:
    return str(shape.member.serialization.get("name", "member"))


def _in_order(items: Node) -> list[str]:
    return sorted((name for name in items if _POSITION.fullmatch(name)), key=int)


def respond(response: dict[str, Any], target: Target) -> WireResponse:
    """``<NameResponse><NameResult>``, then the request's id."""
    operation = target.operation
    shape = operation.output_shape
    identity = request_id()
    namespace = operation.service_model.metadata.get("xmlNamespace", "")
    parts = [f'<{operation.name}Response xmlns="{namespace}">']
    if shape is not None:
        wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
        parts.append(write_members(shape, response, wrapper))
    parts.append(f"<ResponseMetadata><RequestId>{identity}</RequestId></ResponseMetadata></{operation.name}Response>")
    headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": identity}
    return WireResponse(200, headers, "".join(parts).encode("utf-8", "replace"))


def error(error: ServiceError, _request: WireRequest, request_id: str) -> WireResponse:
    """``<ErrorResponse>`` as IAM and STS write it."""
    kind = "Sender" if error.status < 500 else "Receiver"
    text = (
        f"<ErrorResponse><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return WireResponse(error.status, {"Content-Type": CONTENT_TYPE}, text.encode("utf-8", "replace"))
