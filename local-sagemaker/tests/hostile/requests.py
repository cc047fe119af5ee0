"""Requests for the operations of the service's own services: most are wrong in one place, some are right."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from local_sagemaker.api import models
from tests.hostile.signing import HttpRequest
from tests.hostile.values import TEXTS, Values, deep_text

ODD_HEADERS = (
    "range", "expires", "if-match", "if-none-match", "if-modified-since", "content-md5", "content-type",
    "content-encoding",
    "x-amz-decoded-content-length", "x-amz-content-sha256", "x-amz-checksum-crc32", "x-amz-checksum-mode",
    "x-amz-trailer",
    "x-amz-sdk-checksum-algorithm", "x-amz-tagging", "x-amz-meta-a", "x-amz-copy-source", "x-amz-copy-source-range",
    "x-amz-target", "x-amz-date", "x-amz-security-token", "x-amz-acl", "x-amz-storage-class", "expect", "host", "date",
    "x-amz-object-attributes", "x-amz-expected-bucket-owner", "x-amzn-sagemaker-target-variant", "authorization",
    "x-secret",
    "x-amzn-sagemaker-custom-attributes", "x-amz-client-context", "x-amz-invocation-type", "accept", "origin", "cookie",
)  # fmt: skip
ODD_QUERY = (
    "versionId", "partNumber", "uploadId", "max-keys", "marker", "continuation-token", "start-after", "prefix",
    "delimiter",
    "encoding-type", "key-marker", "version-id-marker", "part-number-marker", "max-parts", "max-uploads",
    "upload-id-marker",
    "response-content-type", "response-expires", "response-content-disposition", "response-cache-control", "list-type",
    "X-Amz-Signature", "X-Amz-Expires", "X-Amz-Credential", "X-Amz-Date", "AWSAccessKeyId", "Signature", "Expires",
    "uploads",
    "acl", "tagging", "cors", "policy", "lifecycle", "versioning", "location", "limit", "position", "Marker",
    "Qualifier",
    "Action", "x-id", "delete", "fetch-owner", "max-buckets", "bucket-region",
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"[]", b'"a"', b"5", b"{}{}", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"a":"\xff"}',
    b'{"a":NaN}',
    b'{"a":1e999}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'{"a":1,"a":2}',
    b"\x00" * 100,
    deep_text(200_000).encode(), deep_text(100_000, '{"a":', "1", "}").encode(), b"[" * 100_000,
    b"<a/>", b"<a>", b"<?xml version='1.0' encoding='utf-7'?><a/>", b"<?xml version='1.0' encoding='nope'?><a/>",
    b"<?xml version='1.0' encoding='UTF-16'?><a/>", b"<?xml version='1.0' encoding='cp037'?><a/>", b"<a>\xff</a>",
    b"<a>" * 50_000 + b"</a>" * 50_000, b"<a>&#0;</a>", b"<a>&#xD800;</a>", b"<a xmlns:x='y'><x:b/></a>",
    b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;</a>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", b"a=b&Action=CreateRole", b"--x\r\n\r\n--x--",
)  # fmt: skip


class Requests:
    """An endless, seeded series of requests for the named operations (``service:Operation``)."""

    def __init__(self, operations: tuple[str, ...], seed: int) -> None:
        self._operations = operations
        self._random = Random(seed)
        self._values = Values(self._random)

    def next(self) -> HttpRequest:
        """A request that is right, or wrong in its members, its bytes, its headers or its query."""
        request = self.for_operation(self._random.choice(self._operations))
        kind = self._random.randrange(16)
        if kind == 0:
            self._spoil_bytes(request)
        elif kind == 1:
            name = self._random.choice(ODD_HEADERS)
            request.headers[name] = _one_line(self._random.choice(TEXTS))
        elif kind == 2:
            request.query.append((self._random.choice(ODD_QUERY), _encoded(self._random.choice(TEXTS))))
        elif kind == 3:
            self._spoil_path(request)
        return request

    def learn(self, answer: bytes) -> None:
        """Remembers what an answer names, for later requests."""
        self._values.learn(answer)

    def for_operation(self, name: str) -> HttpRequest:
        """A request for an operation; its members are right in half of all cases."""
        service, _, operation_name = name.partition(":")
        operation = models.operation(service, operation_name)
        shape = operation.input_shape
        members: Any = {}
        if shape is not None:
            members = self._values.right(shape, full=self._random.random() < 0.4)
            if self._random.random() < 0.5:
                members = self._values.spoil(members)
        return encoded(service, operation, members)

    def right(self, name: str, *, full: bool = False) -> HttpRequest:
        """A request whose members the model allows."""
        service, _, operation_name = name.partition(":")
        operation = models.operation(service, operation_name)
        shape = operation.input_shape
        return encoded(service, operation, self._values.right(shape, full=full) if shape is not None else {})

    def _spoil_bytes(self, request: HttpRequest) -> None:
        body, random = request.body, self._random
        choice = random.randrange(4)
        if choice == 0 and body:
            request.body = body[: random.randrange(len(body))]
        elif choice == 1 and body:
            position = random.randrange(len(body))
            request.body = body[:position] + bytes([random.randrange(256)]) + body[position + 1 :]
        elif choice == 2:
            request.body = random.randbytes(random.randrange(200))
        else:
            request.body = random.choice(BODIES)

    def _spoil_path(self, request: HttpRequest) -> None:
        extra = _encoded(self._random.choice(TEXTS))
        request.path = self._random.choice(
            (request.path + extra, request.path + "/" + extra, "/" + extra, request.path * 2)
        )


def encoded(service: str, operation: Any, members: Any) -> HttpRequest:
    """The HTTP form of (perhaps wrong) members, as the operation's protocol has it."""
    model = operation.service_model
    request = HttpRequest(model.signing_name, operation.http["method"], "/", operation=f"{service}:{operation.name}")
    protocol = model.resolved_protocol  # the first of those that the service has and botocore knows
    if protocol == "json":
        request.headers["content-type"] = "application/x-amz-json-1.1"
        request.headers["x-amz-target"] = f"{model.metadata['targetPrefix']}.{operation.name}"
        request.body = as_json(members)
        return request
    if protocol == "query":
        request.headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        fields = {"Action": operation.name, "Version": model.api_version, **_form("", members, operation.input_shape)}
        request.body = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in fields.items()).encode()
        return request
    path, _, query = operation.http["requestUri"].partition("?")
    request.query = [tuple(part.partition("=")[::2]) for part in query.split("&") if part]  # type: ignore[misc]
    shape = operation.input_shape
    body: dict[str, Any] = {}
    for name, value in members.items() if isinstance(members, dict) else ():
        member = shape.members.get(name) if shape is not None else None
        location = member.serialization.get("location") if member is not None else None
        wire_name = member.serialization.get("name", name) if member is not None else name
        if location == "uri":
            path = path.replace("{" + wire_name + "}", _encoded(value)).replace(
                "{" + wire_name + "+}", _encoded(value, "/")
            )
        elif location == "querystring":
            request.query.append((wire_name, _encoded(value)))
        elif location == "header":
            request.headers[wire_name.lower()] = _one_line(value)
        elif location == "headers":
            entries = value.items() if isinstance(value, dict) else [("x", value)]
            request.headers.update({f"{wire_name}{_token(key)}".lower(): _one_line(item) for key, item in entries})
        else:
            body[wire_name] = value
    request.path = "".join("" if part.startswith("{") else part for part in _split(path)) or "/"
    request.body = _body(protocol, shape, body)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:18]) > len(request.body):
        del request.headers["content-length"]  # the service would wait for the rest until its time is over
    return request


def _form(name: str, value: Any, shape: Any) -> dict[str, Any]:
    """The fields of the query protocol for a value of any depth, in the form that its shape has."""
    kind = shape.type_name if shape is not None else ""
    parts: list[tuple[str, Any, Any]]
    if isinstance(value, dict) and kind == "map":
        parts = []
        for number, (key, item) in enumerate(value.items(), 1):
            parts += [(f"entry.{number}.key", key, shape.key), (f"entry.{number}.value", item, shape.value)]
    elif isinstance(value, dict):
        members = shape.members if kind == "structure" else {}
        parts = [(str(key), item, members.get(key)) for key, item in value.items()]
    elif isinstance(value, list):
        member = shape.member if kind == "list" else None
        parts = [(f"member.{number}", item, member) for number, item in enumerate(value, 1)]
    else:
        return {name: "" if value is None else value} if name else {}
    if name.count(".") > 60:
        return {name: ""}
    start = f"{name}." if name else ""
    return {path: leaf for key, item, below in parts for path, leaf in _form(f"{start}{key}", item, below).items()}


def _split(path: str) -> list[str]:
    """A path with labels that got no value as parts of their own."""
    parts, rest = [], path
    while "{" in rest:
        before, _, rest = rest.partition("{")
        _, _, rest = rest.partition("}")
        parts += [before, "{"]
    return [*parts, rest]


def _body(protocol: str, shape: Any, members: dict[str, Any]) -> bytes:
    whole = shape.serialization.get("payload") if shape is not None else None
    if whole:
        name = shape.members[whole].serialization.get("name", whole)
        value = members.get(name, members.get(whole))
        if isinstance(value, bytes):
            return value
        if value is None:
            return b""
        return as_xml(name, value) if protocol == "rest-xml" else as_json(value)
    return as_json(members) if members and protocol == "rest-json" else b""


def as_json(value: Any) -> bytes:
    """JSON, with blobs as base64, and surrogates and infinities as Python lets them through."""
    try:
        return json.dumps(value, default=lambda item: base64.b64encode(item).decode()).encode()
    except RecursionError:
        return deep_text(5000).encode()


def as_xml(tag: str, value: Any) -> bytes:
    """XML of any value."""
    return _element(tag, value, 0).encode("utf-8", "surrogatepass")


def _element(tag: str, value: Any, depth: int) -> str:
    tag = "".join(letter for letter in tag if letter.isalnum()) or "a"
    if depth > 200:
        return f"<{tag}/>"
    if isinstance(value, dict):
        inner = "".join(_element(str(key), item, depth + 1) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_element("member", item, depth + 1) for item in value)
    else:
        inner = escape(_text(value))
    return f"<{tag}>{inner}</{tag}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, int) and abs(value) > 10**100:
        return "9" * 400
    return value if isinstance(value, str) else str(value)[:9000]


def _encoded(value: Any, safe: str = "") -> str:
    return quote(_text(value).encode("utf-8", "surrogatepass")[:6000], safe=safe)


def _one_line(value: Any) -> str:
    """A header's value: the bytes of its UTF-8, as latin-1, without what would end it."""
    text = _text(value).replace("\r", " ").replace("\n", " ").strip()[:4000]
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _token(value: Any) -> str:
    return "".join(letter for letter in _text(value) if letter.isascii() and (letter.isalnum() or letter == "-"))[:50]
