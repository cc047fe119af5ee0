"""InvokeEndpoint without a thread: received, verified, sent on and served in the event loop.

The one operation that waits for a process instead of working itself, and whose requests come by the thousand per
second. Everything else about it is as for any operation: signature, the model's constraints, the protocol's errors.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from local_sagemaker.api import models
from local_sagemaker.api.validation import check
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.request import WireRequest, WireResponse

NAME = "sagemaker-runtime:InvokeEndpoint"
LARGEST = 6_291_456
VERIFIED = 4 * LARGEST
"""Bodies up to this size are read and verified before they are refused as too large."""
_BEFORE, _AFTER, _SERVICE = b"/endpoints/", b"/invocations", b"/sagemaker/aws4_request"
Invoke = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def endpoint_of(scope: Mapping[str, Any]) -> str | None:
    """The endpoint's name when this is a signed InvokeEndpoint request, else None (S3 may have such paths too)."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if not path.startswith(_BEFORE) or not path.endswith(_AFTER) or scope["method"] != "POST":
        return None
    for name, value in scope["headers"]:
        if name == b"authorization":
            return unquote(path[len(_BEFORE) : -len(_AFTER)].decode("latin-1")) if _SERVICE in value else None
    return None


def members(name: str, request: WireRequest) -> dict[str, Any]:
    """The operation's input, checked against the model."""
    names = _headers()
    values: dict[str, Any] = {names[header]: value for header, value in request.headers.items() if header in names}
    values["EndpointName"] = name
    _check(tuple(values.items()))
    body = request.body.whole()
    if len(body) > LARGEST:
        raise too_large()
    values["Body"] = body
    return values


def respond(response: Mapping[str, Any]) -> WireResponse:
    """The response's headers and bytes."""
    headers = {header: response[member] for header, member in _RESPONSE_MEMBERS if member in response}
    body: bytes = response["Body"]
    return WireResponse(200, headers, body)


def too_large() -> ServiceError:
    """AWS's error for a body over the limit."""
    text = (
        "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than "
        f"or equal to {LARGEST}"
    )
    return ServiceError(text, code="ValidationError", status=400)


_RESPONSE_MEMBERS = (
    ("Content-Type", "ContentType"),
    ("x-Amzn-Invoked-Production-Variant", "InvokedProductionVariant"),
    ("X-Amzn-SageMaker-Custom-Attributes", "CustomAttributes"),
)


@lru_cache(maxsize=1)
def _headers() -> dict[str, str]:
    """The input's members by their headers."""
    service, _, operation = NAME.partition(":")
    shape = models.operation(service, operation).input_shape
    assert shape is not None
    return {
        member.serialization["name"].lower(): name
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    }


@lru_cache(maxsize=4096)
def _check(headers: tuple[tuple[str, str], ...]) -> None:
    """Most requests differ in their bodies only: what was found right stays right."""
    check(NAME, {**dict(headers), "Body": b""})
