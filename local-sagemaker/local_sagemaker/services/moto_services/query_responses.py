"""Responses of the query protocol (IAM, STS) for what is served here and not by moto."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from local_sagemaker.http import RawResponse
from local_sagemaker.ids import request_id

NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}


def respond(service: str, operation: str, result: dict[str, Any]) -> RawResponse:
    """``<XResponse><XResult>...``; lists become ``<member>`` elements."""
    identity = request_id()
    text = (
        f'<{operation}Response xmlns="{NAMESPACES[service]}"><{operation}Result>{_elements(result)}'
        f"</{operation}Result><ResponseMetadata><RequestId>{identity}</RequestId></ResponseMetadata>"
        f"</{operation}Response>"
    )
    return _response(200, text, identity)


def refusal(service: str, status: int, code: str, message: str) -> RawResponse:
    """An error as the query protocol has it."""
    identity = request_id()
    text = (
        f'<ErrorResponse xmlns="{NAMESPACES.get(service, "")}"><Error><Type>Sender</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{identity}</RequestId></ErrorResponse>"
    )
    return _response(status, text, identity)


def _response(status: int, text: str, identity: str) -> RawResponse:
    return RawResponse(status, {"content-type": "text/xml", "x-amzn-requestid": identity}, text.encode())


def _elements(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_elements(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_elements(inner)}</member>" for inner in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))
