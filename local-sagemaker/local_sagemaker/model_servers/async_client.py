"""The event loop's client of a model server: raw HTTP/1.1, no thread in between. Threads' is `model_client.py`.

`Upstream` is the hot path of InvokeEndpoint: connections are kept, a request is one write, a response one parse, and a
connection is used by one request at a time. `open_stream` returns while a response is being made, on a connection of
its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httptools

LARGEST = 6_291_456
"""Bytes of a response (API reference, InvokeEndpoint)."""
_RETRY = 0.02
_PIECE = 1 << 16
_WHOLE = 1 << 23
"""A streamed response of a known length up to this is one piece."""
Opened = TypeVar("Opened")


class NoServerResponse(Exception):
    """The connection ended without a response: the process died, or does not exist."""


class TimedOut(Exception):
    """No response within the time allowed."""


class ResponseTooLarge(Exception):
    """A response longer than allowed."""


@dataclass
class ServerResponse:
    """A response. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class ResponseStream:
    """A response that has begun. Header names are in lower case; `pieces` raises `NoServerResponse` and `TimedOut`."""

    status: int
    headers: dict[str, str]
    pieces: AsyncIterator[bytes]


class _ResponseHead:
    """What the parser finds of a response before its body; httptools calls the ``on_`` methods."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: dict[str, str] = {}

    def on_message_begin(self) -> None:
        """A response starts: the first, or the one behind an interim one (100)."""
        self.status, self.headers = 0, {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Status and headers have come."""
        self.status = self._parser.get_status_code()

    def has_length(self) -> bool:
        """Whether the headers say where the body ends; else the end of the connection does."""
        return "content-length" in self.headers or "transfer-encoding" in self.headers


class _Connection(_ResponseHead, asyncio.Protocol):
    """One connection; `exchange` is called when the exchange before has ended."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__()
        self._upstream = upstream
        self._transport: Any = None
        self._waiting: asyncio.Future[ServerResponse] | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._limit: int | None = None

    def exchange(self, request: bytes, limit: int | None) -> asyncio.Future[ServerResponse]:
        """Sends a request; the future is its response."""
        self._limit = limit
        self._waiting = self._upstream.loop.create_future()
        self._transport.write(request)
        return self._waiting

    def abort(self) -> None:
        """Closes the connection at once; who waits receives `NoServerResponse`."""
        if self._transport is not None:
            self._transport.abort()

    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of a response."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(NoServerResponse(f"The server does not speak HTTP: {error}"))

    def eof_received(self) -> bool | None:
        """The server ends: a response without a length is complete now."""
        if self.status and not self.has_length():
            self.on_message_complete()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._upstream.forget(self)
        self._fail(NoServerResponse(str(exc or "the connection was closed")))

    def on_message_begin(self) -> None:
        """The parser's: a response starts."""
        super().on_message_begin()
        self._pieces, self._size = [], 0

    def on_body(self, data: bytes) -> None:
        """The parser's: a piece of the body."""
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            self._fail(ResponseTooLarge())
        else:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """The parser's: the response is whole."""
        if self.status < 200:
            return  # 100 Continue
        waiting, self._waiting = self._waiting, None
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if waiting is None or not self._parser.should_keep_alive():
            self._transport.close()
        else:
            self._upstream.give_back(self)
        if waiting is not None and not waiting.done():
            waiting.set_result(ServerResponse(self.status, self.headers, body))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        self._transport.abort()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)


class Upstream:
    """One address and its connections. All methods but the constructor are for the event loop's thread."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: list[_Connection] = []
        self._every: set[_Connection] = set()
        self._closed = False
        self.loop: asyncio.AbstractEventLoop

    async def request(
        self, method: str, path: str, headers: str, body: bytes, *, seconds: float, limit: int | None = LARGEST
    ) -> ServerResponse:
        """One exchange. `headers` are complete lines, each with its line end.

        Raises `NoServerResponse`, `TimedOut` (then the connection is closed, so that it is not taken for the next
        one's) and `ResponseTooLarge`.
        """
        self.loop = asyncio.get_running_loop()
        deadline = self.loop.time() + seconds
        connection = self._take_idle() or await self._connect(deadline)
        response = connection.exchange(_message(method, path, self._host, headers, body), limit)
        timer = self.loop.call_at(deadline, _expire, response, connection)
        try:
            return await response
        finally:
            timer.cancel()
            if response.cancelled():
                connection.abort()

    def close(self) -> None:
        """Closes all connections; for when no request is under way."""
        self._closed = True
        for connection in list(self._every):
            connection.abort()

    def give_back(self, connection: _Connection) -> None:
        """Takes a connection that may serve the next request."""
        if self._closed:
            connection.abort()
        else:
            self._idle.append(connection)

    def forget(self, connection: _Connection) -> None:
        """Drops a connection that has ended."""
        self._every.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)

    def _take_idle(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open():
                return connection
        return None

    async def _connect(self, deadline: float) -> _Connection:
        _, connection = await _open(
            lambda: self.loop.create_connection(lambda: _Connection(self), self._host, self._port), deadline,
            lambda: self._closed,
        )  # fmt: skip
        self._every.add(connection)
        return connection


def _expire(response: asyncio.Future[ServerResponse], connection: _Connection) -> None:
    if not response.done():
        response.set_exception(TimedOut())
    connection.abort()


async def open_stream(url: str, headers: str, body: bytes, *, seconds: float) -> ResponseStream:
    """Posts to ``/invocations`` and returns when the response begins. `headers` are whole lines; `seconds` are for all
    of it. Raises `NoServerResponse` and `TimedOut`."""
    address = urlsplit(url)
    deadline = asyncio.get_running_loop().time() + seconds
    streams = await _open(lambda: asyncio.open_connection(address.hostname, address.port), deadline)
    connection = _StreamConnection(*streams, deadline)
    message = _message("POST", "/invocations", str(address.hostname), f"{headers}Connection: close\r\n", body)
    try:
        connection.writer.write(message)
        while not connection.begun:
            await connection.more()
    except BaseException:
        connection.close()
        raise
    return ResponseStream(connection.status, connection.headers, connection.pieces())


def _message(method: str, path: str, host: str, headers: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


async def _open(
    connect: Callable[[], Awaitable[Opened]], deadline: float, is_closed: Callable[[], bool] = lambda: False
) -> Opened:
    """What `connect` opens. A server that is being started again is waited for until the deadline, or until nobody
    wants it any more. Raises `TimedOut`, `NoServerResponse`."""
    loop = asyncio.get_running_loop()
    while loop.time() < deadline:
        try:
            async with asyncio.timeout_at(deadline):
                return await connect()
        except TimeoutError:
            break
        except OSError as error:
            if is_closed():
                raise NoServerResponse(str(error)) from error
            await asyncio.sleep(_RETRY)
    raise TimedOut


class _StreamConnection(_ResponseHead):
    """One exchange on a connection of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deadline: float) -> None:
        super().__init__()
        self.reader, self.writer, self._deadline = reader, writer, deadline
        self._ready: deque[bytes] = deque()
        self._complete = False

    @property
    def begun(self) -> bool:
        """Whether the response has begun; an interim one (100) is not the response."""
        return self.status >= 200

    async def more(self) -> None:
        """Reads on."""
        try:
            async with asyncio.timeout_at(self._deadline):
                data = await self.reader.read(_PIECE)
            if data:
                self._parser.feed_data(data)
                return
        except TimeoutError:
            raise TimedOut from None
        except (OSError, httptools.HttpParserError) as error:
            raise NoServerResponse(str(error)) from error
        if not self.begun or self.has_length():
            raise NoServerResponse("the connection was closed")
        self._complete = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes; a response whose length is known and modest in one piece."""
        whole = int(self.headers.get("content-length", _WHOLE + 1)) <= _WHOLE
        try:
            while not self._complete or self._ready:
                if self._ready and (self._complete or not whole):
                    piece = b"".join(self._ready) if whole else self._ready.popleft()
                    if whole:
                        self._ready.clear()
                    yield piece
                else:
                    await self.more()
        finally:
            self.close()

    def close(self) -> None:
        """Ends the connection."""
        self.writer.close()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._ready.append(data)

    def on_message_complete(self) -> None:
        """The response is whole."""
        self._complete = self.begun
