"""One request of an API's client, and the response to it, as integrations see them."""

from __future__ import annotations

import base64
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.json_text import load
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.templates import Scene


class MethodRefusal(Exception):
    """The request is served without (or in spite of) the integration."""

    def __init__(self, status: int, message: str, kind: str) -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind


def internal_error(status: int = 500) -> MethodRefusal:
    """What clients see of anything that is wrong behind the API."""
    return MethodRefusal(status, "Internal server error", "InternalServerErrorException")


@dataclass
class Reply:
    """The response to a client."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Exchange:
    """A request that has found its method. Header names are capitalised (``Content-Type``), since many functions
    look them up so; `multiple` has the query's values of each name."""

    api: str
    stage: str
    variables: Mapping[str, str]
    resource: str
    resource_id: str
    http_method: str
    path: str
    labels: Mapping[str, str]
    query: Mapping[str, str]
    multiple: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    binary_types: tuple[str, ...]
    context: Mapping[str, Any]

    @property
    def content_type(self) -> str:
        """The media type of the body."""
        return self.headers.get("Content-Type", "application/json").partition(";")[0].strip() or "application/json"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def parameters(self) -> dict[str, Mapping[str, str]]:
        """What ``$input.params`` finds."""
        return {"path": self.labels, "querystring": self.query, "header": self.headers}

    def scene(self, body: str) -> Scene:
        """What a template sees, with this body."""
        return Scene(body, self.parameters, self.context, self.variables)

    def is_binary(self, media_type: str) -> bool:
        """Whether the API takes a media type for binary."""
        return any(fnmatch.fnmatch(media_type.partition(";")[0].strip(), kind) for kind in self.binary_types)

    def parameter(self, source: str) -> str | None:
        """The value that a parameter mapping names: ``'static'``, ``method.request.header.x``, ``context.x``."""
        if len(source) > 1 and source[0] == source[-1] == "'":
            return source[1:-1]
        root, _, rest = source.partition(".")
        if root == "stageVariables":
            return self.variables.get(rest)
        if root == "context":
            value: Any = self.context
            for name in rest.split("."):
                value = value.get(name) if isinstance(value, Mapping) else None
            return None if value is None else str(value)
        place, _, name = rest.removeprefix("request.").partition(".")
        if root != "method" or place == "body":
            return None
        if place == "header":
            return self.headers.get(name.title())
        return self.parameters.get(place, {}).get(name)

    def proxy_event(self) -> Body:
        """The event of a Lambda proxy integration (API Gateway Developer Guide, "Input format")."""
        binary = bool(self.body) and self.is_binary(self.content_type)
        text = base64.b64encode(self.body).decode() if binary else self.text
        return {
            "resource": self.resource,
            "path": self.path,
            "httpMethod": self.http_method,
            "headers": dict(self.headers) or None,
            "multiValueHeaders": {name: [value] for name, value in self.headers.items()} or None,
            "queryStringParameters": dict(self.query) or None,
            "multiValueQueryStringParameters": dict(self.multiple) or None,
            "pathParameters": dict(self.labels) or None,
            "stageVariables": dict(self.variables) or None,
            "requestContext": dict(self.context),
            "body": text if self.body else None,
            "isBase64Encoded": binary,
        }


def proxy_reply(payload: bytes, exchange: Exchange) -> Reply:
    """The response that a proxy function returned. Raises MethodRefusal (502) for any other form."""
    try:
        document = load(payload)
        status = int(document["statusCode"]) if not isinstance(document["statusCode"], bool) else 0
        body = document.get("body", "")
        body = "" if body is None else body
        if not isinstance(body, str) or not 100 <= status <= 599 or set(document) - _PROXY_MEMBERS:
            raise ValueError(body)
        headers = {str(name): _header(value) for name, value in (document.get("headers") or {}).items()}
        for name, values in (document.get("multiValueHeaders") or {}).items():
            headers[str(name)] = ",".join(_header(value) for value in values)
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/json")
        accepted = exchange.headers.get("Accept", kind).partition(",")[0]
        data = body.encode()
        if document.get("isBase64Encoded") and (exchange.is_binary(kind) or exchange.is_binary(accepted)):
            data = base64.b64decode(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise internal_error(502) from error
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return Reply(status, headers, data)


_PROXY_MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def _header(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float) or "\r" in str(value) or "\n" in str(value):
        raise ValueError(value)
    return str(value)
