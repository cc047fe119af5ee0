"""Downloads that are longer than memory should hold: sent part by part, and ended when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.live import wait_for_end

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Download:
    """A download whose first part is read."""

    first: bytes
    rest: Iterator[bytes]


def begin(parts: Iterator[bytes]) -> Download:
    """Reads the first part, so that a fault there still gets a page in response."""
    return Download(next(parts, b""), parts)


async def send_parts(
    threads: Executor, download: Download, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    """Sends the parts, which are read one by one in a thread; they are closed at the end, however it ends.

    An error of reading is raised: the answer stays incomplete, which the client sees.
    """
    loop = asyncio.get_running_loop()
    left = asyncio.ensure_future(wait_for_end(receive))
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    try:
        part: bytes | None = download.first
        if not await _reaches(send, {"type": "http.response.start", "status": 200, "headers": raw}):
            return
        while part is not None and not left.done():
            if not await _reaches(send, {"type": "http.response.body", "body": part, "more_body": True}):
                return
            part = await loop.run_in_executor(threads, next, download.rest, None)
        await _reaches(send, {"type": "http.response.body", "body": b""})
    finally:
        left.cancel()
        close = getattr(download.rest, "close", None)
        if close is not None:
            await loop.run_in_executor(threads, close)


async def _reaches(send: Send, message: dict[str, Any]) -> bool:
    """Sends a message; False when the client has left."""
    try:
        await send(message)
    except OSError:
        return False
    return True
