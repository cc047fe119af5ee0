"""Requests to one server process from the event loop: raw HTTP/1.1 over kept connections, no thread in between.

This is the hot path of InvokeEndpoint: a request is one write, an answer one parse, and a connection is used by one
request at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import httptools

LARGEST = 6_291_456
"""Bytes of an answer (API reference, InvokeEndpoint)."""
_RETRY = 0.02


class NoServerResponse(Exception):
    """The connection ended without an answer: the process died, or does not exist."""


class TimedOut(Exception):
    """No answer within the time allowed."""


class ResponseTooLarge(Exception):
    """An answer longer than allowed."""


@dataclass
class ServerResponse:
    """An answer. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Connection(asyncio.Protocol):
    """One connection; `exchange` is called when the exchange before has ended."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._transport: Any = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[ServerResponse] | None = None
        self._answer = ServerResponse(0)
        self._pieces: list[bytes] = []
        self._size = 0
        self._limit: int | None = None

    def exchange(self, request: bytes, limit: int | None) -> asyncio.Future[ServerResponse]:
        """Sends a request; the future is its answer."""
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
        """Bytes of an answer."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(NoServerResponse(f"The server does not speak HTTP: {error}"))

    def eof_received(self) -> bool | None:
        """The server ends: an answer without a length is complete now."""
        headers = self._answer.headers
        if self._answer.status and "content-length" not in headers and "transfer-encoding" not in headers:
            self.on_message_complete()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._upstream.forget(self)
        self._fail(NoServerResponse(str(exc or "the connection was closed")))

    def on_message_begin(self) -> None:
        """The parser's: an answer starts."""
        self._answer, self._pieces, self._size = ServerResponse(0), [], 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser's: one header."""
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The parser's: status and headers have come."""
        self._answer.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """The parser's: a piece of the body."""
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            self._fail(ResponseTooLarge())
        else:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """The parser's: the answer is whole."""
        if self._answer.status < 200:
            return  # 100 Continue
        waiting, self._waiting = self._waiting, None
        answer = self._answer
        answer.body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        if waiting is None or not self._parser.should_keep_alive():
            self._transport.close()
        else:
            self._upstream.give_back(self)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

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
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.loop = asyncio.get_running_loop()
        deadline = self.loop.time() + seconds
        connection = self._take_idle() or await self._connect(deadline)
        answer = connection.exchange(head.encode("latin-1") + body, limit)
        timer = self.loop.call_at(deadline, _expire, answer, connection)
        try:
            return await answer
        finally:
            timer.cancel()
            if answer.cancelled():
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
        """A new connection. A server that is being started again is waited for."""
        while True:
            left = deadline - self.loop.time()
            if left <= 0:
                raise TimedOut
            try:
                made = self.loop.create_connection(lambda: _Connection(self), self._host, self._port)
                _, connection = await asyncio.wait_for(made, left)
            except TimeoutError:
                raise TimedOut from None
            except OSError as error:
                if self._closed:
                    raise NoServerResponse(str(error)) from error
                await asyncio.sleep(_RETRY)
                continue
            self._every.add(connection)
            return connection


def _expire(answer: asyncio.Future[ServerResponse], connection: _Connection) -> None:
    if not answer.done():
        answer.set_exception(TimedOut())
    connection.abort()
