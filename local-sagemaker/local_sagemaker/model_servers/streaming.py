"""A container's answer while it is being made: one request on a connection of its own, read piece by piece."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from local_sagemaker.model_servers.async_client import NoServerResponse, TimedOut

_PIECE = 1 << 16
_WHOLE = 1 << 23
"""An answer of a known length up to this is one piece."""
_PAUSE = 0.02


@dataclass(frozen=True)
class ResponseStream:
    """An answer that has begun. Header names are in lower case; `pieces` raises `NoServerResponse` and `TimedOut`."""

    status: int
    headers: dict[str, str]
    pieces: AsyncIterator[bytes]


async def ask(url: str, headers: str, body: bytes, *, seconds: float) -> ResponseStream:
    """Posts to ``/invocations`` and returns when the answer begins. `headers` are whole lines; `seconds` are for all
    of it. Raises `NoServerResponse` and `TimedOut`."""
    connection = _StreamConnection(asyncio.get_running_loop().time() + seconds)
    try:
        await connection.open(url)
        head = f"POST /invocations HTTP/1.1\r\nHost: {urlsplit(url).hostname}\r\n{headers}Connection: close\r\n"
        connection.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body)
        while not connection.begun:
            await connection.more()
    except BaseException:
        connection.close()
        raise
    return ResponseStream(connection.status, connection.headers, connection.pieces())


class _StreamConnection:
    """One exchange; httptools calls the ``on_`` methods."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._parser = httptools.HttpResponseParser(self)
        self._ready: deque[bytes] = deque()
        self._complete = False
        self.status, self.begun = 0, False
        self.headers: dict[str, str] = {}
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self, url: str) -> None:
        """Connects; a server that is just being started again is waited for."""
        address = urlsplit(url)
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    self.reader, self.writer = await asyncio.open_connection(address.hostname, address.port)
                return
            except TimeoutError:
                raise TimedOut from None
            except OSError:
                if asyncio.get_running_loop().time() + _PAUSE > self._deadline:
                    raise TimedOut from None
                await asyncio.sleep(_PAUSE)

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
        if not self.begun or "content-length" in self.headers or "transfer-encoding" in self.headers:
            raise NoServerResponse("the connection was closed")
        self._complete = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes; an answer whose length is known and modest in one piece."""
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
        """Ends the connection, if there is one."""
        if hasattr(self, "writer"):
            self.writer.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Status and headers have come; those of an interim answer (100) are not the answer's."""
        self.status = self._parser.get_status_code()
        self.begun = self.status >= 200
        if not self.begun:
            self.headers.clear()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._ready.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self._complete = self.begun
