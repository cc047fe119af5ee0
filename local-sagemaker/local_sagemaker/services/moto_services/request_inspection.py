"""What a raw request is for: the operation, whatever the protocol, and by whom it is signed."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

from local_sagemaker.http import RawRequest

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")

# Verbs of operations that change what must outlive a restart...
_CHANGES = re.compile(
    r"(Create|Put|Attach|Detach|Delete|Update|Add|Remove|Tag|Untag|Set|Enable|Disable|Register|Deregister|Import|"
    r"Subscribe|Unsubscribe|Upload|Associate|Disassociate|Schedule|Cancel|Restore|Rotate|Change|BatchDelete|Label|Confirm)"
    r"(?:[A-Z]|$)"
)
# ...except those that only carry data through, of which there may be very many.
_PASSING = frozenset(
    (
        "PutMetricData",
        "PutEvents",
        "PutPartnerEvents",
        "DeleteMessage",
        "DeleteMessageBatch",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "UploadLayerPart",
    )
)


def headers(request: RawRequest) -> dict[str, str]:
    """The headers with lower-case names."""
    return {name.lower(): value for name, value in request.headers.items()}


def form(request: RawRequest) -> dict[str, str]:
    """The parameters of a query-protocol request, from its body or its query; empty for other protocols."""
    kind = headers(request).get("content-type", "")
    text = request.body.decode("utf-8", "replace") if kind.startswith("application/x-www-form-urlencoded") else ""
    return {name: values[-1] for name, values in parse_qs(text or request.query, keep_blank_values=True).items()}


def members(parameters: dict[str, str], name: str) -> list[str]:
    """A list of the query protocol: ``Name.member.1``, ``Name.member.2`` ..."""
    values: list[str] = []
    while (value := parameters.get(f"{name}.member.{len(values) + 1}")) is not None:
        values.append(value)
    return values


def operation(request: RawRequest) -> str:
    """The operation's name; for services with REST paths (EventBridge Scheduler) method and path."""
    target = headers(request).get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1]
    called = re.fullmatch(r"/service/[^/]+/operation/([^/]+)/?", request.path)
    if called:
        return called[1]
    return form(request).get("Action") or f"{request.method} {request.path}"


def changes(request: RawRequest) -> bool:
    """Whether the request changes something that must outlive a restart."""
    name = operation(request)
    if " " in name:
        return request.method in ("POST", "PUT", "PATCH", "DELETE")
    return bool(_CHANGES.match(name)) and name not in _PASSING


def signer(request: RawRequest) -> tuple[str, str | None]:
    """The access key that signed the request (empty if none), and the region it was signed for."""
    query = parse_qs(request.query)
    credential = "Credential=" + query["X-Amz-Credential"][0] if "X-Amz-Credential" in query else ""
    match = _CREDENTIAL.search(headers(request).get("authorization", "") or credential)
    return (match[1], match[2]) if match else ("", None)
