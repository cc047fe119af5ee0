"""One HTTP request as the wire passes it on, and one response. Header names are lower-case."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import parse_qsl

from local_sagemaker.objects.types import FileRange
from local_sagemaker.wire.body import Body


@dataclass
class WireRequest:
    """A request. `path` and `query` are as sent (still percent-encoded); `body` can be read once.

    `region` is the one that it is signed for, "" before its signature is verified and for requests without a region.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Body
    region: str = ""
    _form: list[tuple[str, str]] | None = None

    @classmethod
    def from_scope(cls, scope: Mapping[str, Any], body: Body) -> WireRequest:
        """The request of an ASGI scope. Bytes that are not UTF-8 survive as surrogates, for the signature."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key, text = name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape")
            headers[key] = f"{headers[key]},{text}" if key in headers else text
        path = (scope.get("raw_path") or scope["path"].encode()).decode("utf-8", "surrogateescape")
        return cls(scope["method"], path.partition("?")[0], scope["query_string"].decode("latin-1"), headers, body)

    @property
    def host(self) -> str:
        """The Host header without its port, in lower case."""
        host = self.headers.get("host", "").lower()
        if host.startswith("["):
            return host.partition("]")[0] + "]"
        return host.partition(":")[0]

    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded, in the order sent."""
        return parse_qsl(self.query, keep_blank_values=True) if self.query else []

    def form(self) -> list[tuple[str, str]]:
        """Names and values of the query and of a body that is a form; reads the body at the first call."""
        if self._form is None:
            body = self.body.whole().decode("utf-8", "replace")
            self._form = [*self.parameters(), *parse_qsl(body, keep_blank_values=True)]
        return self._form


@dataclass
class WireResponse:
    """What goes back. A body that is a file (range) or an iterator is streamed; `length` is None when it is not known
    before."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | IO[bytes] | FileRange | AsyncIterator[bytes] = b""

    @property
    def length(self) -> int | None:
        """The bytes of the body."""
        if isinstance(self.body, bytes):
            return len(self.body)
        if isinstance(self.body, FileRange):
            return self.body.length
        length = self.headers.get("Content-Length")
        return int(length) if length else None
