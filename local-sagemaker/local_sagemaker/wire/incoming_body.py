"""Bodies on their way in: documents are received whole, within bounds, uploads to S3 are streamed.

Where a signature covers a document only by its hash, nothing can be said of it before it is here; so its size is
bounded by what the service that it claims to be for takes, and all documents together by `MEMORY`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping

from local_sagemaker.errors import ServiceError
from local_sagemaker.files.archive_extraction import Inflated, Refused, TooLarge
from local_sagemaker.http import Receive
from local_sagemaker.wire.body import Body, BodyPipe, incomplete

SMALL = 1 << 20
"""Bodies up to this size are received before anything is known of them."""
LIMIT = 16 << 20
"""Of a document for a service that is not named below. AWS has 1 MiB for most; a pipeline definition of 1 MiB may be
six times as long when each character of it is escaped."""
LIMITS = {"lambda": 70_167_211, "git-codecommit": 256 << 20}
"""By signing name. Lambda's is of a function's archive in base64 (quotas page, and the text of its own error)."""
MEMORY = 512 << 20
STREAMS = 100
"""Of gzip in a compressed document; clients write one. Empty ones would take time without an end."""
DRAINED = 2 << 30
"""Bytes of a refused body that are received and dropped; then its client is cut off."""
PAUSE = 1.0
"""Seconds without a byte of it, after which the response goes out first."""


class BodyTooLarge(ServiceError):
    """A document over the limit of its service."""

    status = 413

    def __init__(self, service: str, limit: int) -> None:
        text = f"Request must be smaller than {limit} bytes"
        super().__init__(text, code="RequestEntityTooLarge" + ("Exception" if service == "lambda" else ""))


class BodyBudget:
    """The bytes of all documents that are held at the moment. For the event loop's thread."""

    def __init__(self) -> None:
        self.held = 0

    def take(self, size: int) -> None:
        """Counts bytes in. Raises an error that clients try again after when there would be too many."""
        if self.held + size > MEMORY:
            raise ServiceError("Too many large requests at once; try again.", code="SlowDown", status=503)
        self.held += size

    def give_back(self, size: int) -> None:
        """Counts bytes out."""
        self.held -= size


class IncomingBody:
    """The body of one request, as far as it has arrived. `close` is to be called when the request has ended."""

    def __init__(self, receive: Receive, memory: BodyBudget) -> None:
        self._receive, self._memory = receive, memory
        self._counted = 0
        self.ended = False
        self.pipe: BodyPipe | None = None

    def close(self) -> None:
        """Gives the memory back."""
        self._memory.give_back(self._counted)
        self._counted = 0

    async def whole(self, limit: int, service: str = "") -> bytes:
        """The whole body. Raises for more than `limit` bytes, and for a client that disconnected."""
        pieces: list[bytes] = []
        while not self.ended:
            message = await self._receive()
            self.ended = not message.get("more_body", False)
            if message["type"] != "http.request":
                raise incomplete()
            piece = message.get("body", b"")
            size = self._counted + len(piece)
            if size > limit:
                raise BodyTooLarge(service, limit)
            self._memory.take(len(piece))
            self._counted = size
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def stream(self, length: int | None) -> Body:
        """A body that is received while it is read."""
        self.pipe = BodyPipe(self._receive)
        return Body(self.pipe, length=length)

    async def drop(self, *, waiting: bool) -> bool:
        """Receives and drops what is left, so that a client which sends it all first reads the response; says whether
        the connection can be used again. Of a client that pauses the rest is dropped after the response.

        `waiting` is of a client that wants to know whether it may continue (``Expect: 100-continue``).
        """
        begun = self._counted > 0
        if self.pipe is not None:
            begun = self.pipe.started
            self.ended = self.pipe.close()
        if waiting and not begun and not self.ended:
            return False
        dropped = 0
        while not self.ended:
            try:
                message = await asyncio.wait_for(self._receive(), PAUSE)
            except TimeoutError:
                return True
            self.ended = not message.get("more_body", False)
            dropped += len(message.get("body", b""))
            if dropped > DRAINED or message["type"] != "http.request":
                return False
        return True


def inflate(service: str, headers: Mapping[str, str], body: bytes) -> tuple[Mapping[str, str], bytes]:
    """Headers and body of a request that may be compressed, as the SDKs compress PutMetricData, without that."""
    if headers.get("content-encoding", "").lower() != "gzip":
        return headers, body
    limit = LIMITS.get(service, LIMIT)
    try:
        plain = Inflated(io.BytesIO(body), limit, STREAMS).read(limit + 1)
    except TooLarge as error:
        raise BodyTooLarge(service, limit) from error
    except Refused as error:
        text = f"The request body can't be decompressed: {error}."
        raise ServiceError(text, code="SerializationException", status=400) from error
    kept = {name: value for name, value in headers.items() if name not in ("content-encoding", "content-length")}
    return kept, plain
