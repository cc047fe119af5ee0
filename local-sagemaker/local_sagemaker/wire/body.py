"""The body of a request as a file: fed by the event loop, read by the thread that executes the operation.

Memory stays flat whatever the size: the loop stops receiving while the reader is behind, which stops the client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.checksums import Checksums

Source = Callable[[], bytes]
"""Returns the next piece of a body, and b"" at its end."""

LARGEST = 8 << 20
"""Of a document inside a streamed body; S3's own are below 1 MiB but for lists of a thousand long keys."""
HELD = 2 << 20
"""How many bytes may wait for the reader."""
BATCH = 256 << 10
"""How many bytes wake the reader: a change of threads for each piece of the socket costs more than the piece."""


def incomplete() -> ServiceError:
    """S3's error for a body that ends early."""
    return ServiceError(
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
        code="IncompleteBody",
        status=400,
    )


class BodyPipe:
    """From ASGI's `receive` to a blocking `Source`.

    Nothing is received before the first read, so that a client that sent ``Expect: 100-continue`` continues
    only when its request was accepted.
    """

    def __init__(self, receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._taken: list[bytes] = []
        self._held = 0
        self._ended = self._broken = False
        self._arrived = threading.Condition()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._requested = False

    def __call__(self) -> bytes:
        """The next bytes that arrived; waits for some. For other threads than the loop's."""
        if not self._taken:
            self._take()
        return self._taken.pop() if self._taken else b""

    def _take(self) -> None:
        """Everything that arrived, the first piece last."""
        if not self._requested:
            self._requested = True
            self._loop.call_soon_threadsafe(self._start)
        with self._arrived:
            self._arrived.wait_for(self._worth_waking)
            if self._broken:
                raise incomplete()
            full = self._held >= HELD
            self._taken, self._pieces = self._pieces[::-1], []
            self._held = 0
        if full:
            self._loop.call_soon_threadsafe(self._room.set)

    def _worth_waking(self) -> bool:
        return self._held >= BATCH or self._ended or self._broken

    @property
    def started(self) -> bool:
        """Whether anything was read."""
        return self._requested

    def close(self) -> bool:
        """Receives no more; says whether everything had been received. For the loop's thread."""
        self._requested = True
        if self._task is not None:
            self._task.cancel()
        return self._ended

    def _start(self) -> None:
        if self._task is None:
            self._task = self._loop.create_task(self._fill())

    async def _fill(self) -> None:
        while not (self._ended or self._broken):
            message = await self._receive()
            with self._arrived:
                if message["type"] != "http.request":
                    self._broken = True
                else:
                    self._ended = not message.get("more_body", False)
                    body = message.get("body", b"")
                    if body:
                        self._pieces.append(body)
                        self._held += len(body)
                if self._worth_waking():
                    self._arrived.notify()
                full = self._held >= HELD
                if full:
                    self._room.clear()
            if full:
                await self._room.wait()


def source_of(data: bytes) -> Source:
    """A source of bytes that are all there."""
    pieces = [data]
    return lambda: pieces.pop() if pieces else b""


class Body:
    """A request's body: a readable, unseekable file whose checksums are verified when its last byte is read.

    The error of a wrong checksum is raised by the `read` that would have returned the last bytes: who writes to a
    temporary name and renames at the end keeps nothing of a damaged upload.
    """

    def __init__(self, source: Source, *, length: int | None = None, trailers: Mapping[str, str] | None = None) -> None:
        """`length` is the number of (decoded) bytes that the headers promise; `trailers` fill up while reading."""
        self.largest = LARGEST
        self.checksums: dict[str, str] = {}
        self.length = length
        self._source = source
        self._trailers = trailers if trailers is not None else {}
        self._expected: Checksums | None = None
        self._held = b""
        self._offset = self._received = 0
        self._ended = False

    def expect(self, checksums: Checksums) -> None:
        """Sets what the body is compared with; before the first read."""
        self._expected = checksums

    def decode(self, wrap: Callable[[Source], Source], length: int | None, trailers: Mapping[str, str]) -> Body:
        """The same body read through a decoder."""
        return Body(wrap(self._source), length=length, trailers=trailers)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` (as of any raw stream it may be fewer; b"" is the end), or all for -1.

        Raises S3's error for a damaged or short body.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 30), b""))
        if not self._held and not self._ended:
            self._pull()
        data = self._held[self._offset : self._offset + size]  # no copy when it is all of it
        self._offset += len(data)
        if self._offset >= len(self._held):
            self._held, self._offset = b"", 0
        return data

    def whole(self) -> bytes:
        """All bytes of a document. Raises S3's error for one of more than `largest`."""
        pieces, size = [], 0
        while piece := self.read(LARGEST):
            pieces.append(piece)
            size += len(piece)
            if size > self.largest:
                raise ServiceError("Your request was too big.", code="MaxMessageLengthExceeded", status=400)
        return b"".join(pieces)

    def readable(self) -> bool:
        """True, as of any file that can be read."""
        return True

    def _pull(self) -> None:
        piece = self._source()
        if piece:
            self._held = piece
            self._received += len(piece)
            if self._expected is not None:
                self._expected.update(piece)
        if not piece or (self.length is not None and self._received >= self.length):
            self._finish(drained=not piece)

    def _finish(self, *, drained: bool) -> None:
        self._ended = True
        if not drained:
            while more := self._source():  # nothing but the trailers of a chunked body is left
                self._received += len(more)
        if self.length is not None and self._received != self.length:
            raise incomplete()
        if self._expected is not None:
            self.checksums = self._expected.verify(self._trailers)


def from_bytes(data: bytes) -> Body:
    """A body that is all there, and was bounded when it was received."""
    body = Body(source_of(data), length=len(data))
    body.largest = max(len(data), LARGEST)
    return body
