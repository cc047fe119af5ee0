"""HTTP/1.1 for a model server: one connection, its requests served one after the other.

Between the parser and the model there is nothing but this: for a request of one row a general server takes as long
as the model. A request that comes early on a connection (pipelining) waits for its turn.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import httptools

HTML = "text/html; charset=utf-8"
_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """A request. Header names are in lower case."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, None when there is none."""
        return self.headers.get("content-type") or None

    @property
    def accept(self) -> str | None:
        """The Accept header, None when there is none."""
        return self.headers.get("accept") or None


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


def page(status: int, name: str, description: str) -> Response:
    """An error as Werkzeug 0.15, the server in the containers, words it."""
    text = (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'
        f"<title>{status} {name}</title>\n<h1>{name}</h1>\n<p>{description}</p>\n"
    )
    return Response(status, text.encode())


LATE = page(504, "Gateway Time-out", "The model did not respond in time.")
TOO_LARGE = page(413, "Request Entity Too Large", "The data value transmitted exceeds the capacity limit.")
INTERNAL_ERROR = page(
    500,
    "Internal Server Error",
    "The server encountered an internal error and was unable to complete your request. Either the server is "
    "overloaded or there is an error in the application.",
)
"""What a client sees of an exception in a container: its traceback is in the log."""
Respond = Callable[[Request], Response]


@dataclass(frozen=True)
class RequestHandler:
    """Serves a method and path: in one of the threads, or at once in the event loop.

    One in a thread may have `seconds` to respond; a client that has waited for so long gets `late` instead.
    """

    respond: Respond
    threads: Executor | None = None
    seconds: float | None = None
    late: Response = INTERNAL_ERROR


Routes = Callable[[str, str], RequestHandler]


class _HandlerCall:
    """One call of a handler in a thread."""

    def __init__(self, handler: RequestHandler, request: Request) -> None:
        self.handler, self._request = handler, request
        self.has_thread = False
        self._since = time.monotonic()

    def __call__(self) -> Response:
        self._since, self.has_thread = time.monotonic(), True
        return _respond(self.handler.respond, self._request)

    def is_late(self) -> bool:
        """Whether its time is up: in its thread, or waiting for one."""
        seconds = self.handler.seconds
        return seconds is not None and time.monotonic() - self._since > seconds


class Connection(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, routes: Routes, max_body: int | None, every: set[Connection]) -> None:
        """`every` are the server's connections that are open or have a handler, which this one joins and leaves."""
        self._routes, self._max_body, self._every = routes, max_body, every
        self._transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[str, str, Request | Response, bool]] = deque()
        self._ending = self._lost = False
        self._call: _HandlerCall | None = None
        self._reset()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def busy(self) -> bool:
        """Whether its client waits for a handler."""
        return self._call is not None and not self._lost

    @property
    def descriptor(self) -> int | None:
        """Of its socket, as long as it is open."""
        return None if self._lost else int(self._transport.get_extra_info("socket").fileno())

    def expire(self) -> bool:
        """Responds to a client that has waited for too long; whether a thread is stuck with its request."""
        if self._call is None or not self._call.is_late():
            return False
        self._write(self._call.handler.late, keep=False)
        return self._call.has_thread

    def shutdown(self) -> None:
        """Ends the connection, after the request that is being served."""
        self._ending = True
        if not self.busy:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = transport
        self._every.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        """The client has disconnected. What works for it works on, and may be stuck."""
        self._lost = True
        if self._call is None:
            self._every.discard(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._transport.write(_bytes(Response(400, b"Bad Request"), keep=False))
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """The parser's: a piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: one header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The parser's: the body follows."""
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(_CONTINUE)

    def on_body(self, data: bytes) -> None:
        """The parser's: a piece of the body."""
        self._size += len(data)
        if self._max_body is None or self._size <= self._max_body:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """The parser's: the request is whole."""
        whole: Request | Response = TOO_LARGE
        if self._max_body is None or self._size <= self._max_body:
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            whole = Request(body, self._headers)
        method = self._parser.get_method().decode("latin-1")
        path = unquote(self._url.partition(b"?")[0].decode("latin-1"))
        self._waiting.append((method, path, whole, self._parser.should_keep_alive()))
        self._reset()
        if self._call is None:
            self._next()

    def _next(self) -> None:
        while self._waiting and self._call is None:
            method, path, request, keep = self._waiting.popleft()
            if isinstance(request, Response):
                self._write(request, keep)
                continue
            handler = self._routes(method, path)
            if handler.threads is None:
                self._write(_respond(handler.respond, request), keep)
                continue
            self._call = _HandlerCall(handler, request)
            future = asyncio.get_running_loop().run_in_executor(handler.threads, self._call)
            future.add_done_callback(lambda done, keep=keep: self._finish(done, keep))  # type: ignore[misc]

    def _finish(self, future: asyncio.Future[Response], keep: bool) -> None:
        self._call = None
        if self._lost:
            self._every.discard(self)
            return
        if not future.cancelled():
            self._write(future.result(), keep)
        self._next()

    def _write(self, response: Response, keep: bool) -> None:
        keep = keep and not self._ending
        if not self._transport.is_closing():
            self._transport.write(_bytes(response, keep))
        if not keep:
            self._transport.close()


def _respond(respond: Respond, request: Request) -> Response:
    try:
        return respond(request)
    except Exception:
        log.exception("Exception in the model server")
        return INTERNAL_ERROR


def _bytes(response: Response, keep: bool) -> bytes:
    head = _LINES.get(response.status) or f"HTTP/1.1 {response.status} \r\n"
    head += f"content-type: {response.content_type}\r\n"  # of an empty response, too, as Flask sends it
    if response.status != 204:
        head += f"content-length: {len(response.body)}\r\n"
    for name, value in response.headers.items():
        head += f"{name}: {value}\r\n"
    head += "\r\n" if keep else "connection: close\r\n\r\n"
    return head.encode("latin-1") + (response.body if response.status != 204 else b"")
