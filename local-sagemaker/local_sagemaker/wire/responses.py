"""Responses on their way out: small files are read at once, large ones streamed in pieces with flat memory."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache, partial
from typing import IO, Any

from local_sagemaker.objects.types import FileRange
from local_sagemaker.wire.request import WireResponse

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
"""What no header can hold; a response with one would never be sent."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PIECE = 1 << 19
SMALL = 256 << 10
"""Files up to this size are read in the operation's own thread."""


@lru_cache(maxsize=1024)
def _header_name(name: str) -> bytes:
    """A header's name in bytes; b"" for what can be none (a function behind a REST API may return anything)."""
    return name.lower().encode() if _TOKEN.fullmatch(name) else b""


def prepare(response: WireResponse) -> WireResponse:
    """Opens what will be streamed while the operation's thread still can fail, and reads it whole if it is small."""
    body = response.body
    if isinstance(body, FileRange):
        file = body.file or body.path.open("rb", buffering=0)
        opened = FileRange(body.path, body.offset, body.length, file)
        response.body = opened
        if body.length <= SMALL:
            response.body = _read_all(opened, file)
    return response


def _read_all(part: FileRange, file: IO[bytes]) -> bytes:
    with file:
        pieces, done = [], 0
        while done < part.length and (piece := os.pread(file.fileno(), part.length - done, part.offset + done)):
            pieces.append(piece)
            done += len(piece)
    return b"".join(pieces)


async def send_response(send: Callable[[dict[str, Any]], Awaitable[None]], response: WireResponse) -> None:
    """Sends status, headers and body."""
    length = response.length
    headers = [
        (key, (value if value.isprintable() else _CONTROL.sub(" ", value)).encode("utf-8", "replace"))
        for name, value in response.headers.items()
        if (key := _header_name(name))
    ]
    names = {name for name, _ in headers}
    if b"content-length" not in names and length is not None and response.status not in (204, 304):
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(response.body, bytes):
        body = b"" if response.status in (204, 304) else response.body
        await send({"type": "http.response.body", "body": body})
    elif isinstance(response.body, AsyncIterator):
        async for piece in response.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await _stream(send, response.body)


async def send_events(
    send: Callable[[dict[str, Any]], Awaitable[None]], receive: Callable[[], Awaitable[Any]], response: WireResponse
) -> None:
    """Like `send_response`, for what comes over a long time: ends with the response, or when the client leaves."""
    sending = asyncio.ensure_future(send_response(send, response))
    leaving = asyncio.ensure_future(_await_disconnect(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        leaving.cancel()
        sending.cancel()


async def _await_disconnect(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _stream(send: Callable[[dict[str, Any]], Awaitable[None]], body: IO[bytes] | FileRange) -> None:
    read = partial(asyncio.get_running_loop().run_in_executor, None)
    file = body.file if isinstance(body, FileRange) else body
    assert file is not None  # `prepare` opened it
    left = body.length if isinstance(body, FileRange) else None
    offset = body.offset if isinstance(body, FileRange) else 0
    try:
        while left is None or left > 0:
            if left is None:
                piece = await read(file.read, PIECE)
            else:
                piece = await read(os.pread, file.fileno(), min(PIECE, left), offset)
                left -= len(piece)
                offset += len(piece)
            if not piece:
                break
            await send({"type": "http.response.body", "body": piece, "more_body": left is None or left > 0})
        if left is None or left > 0:
            await send({"type": "http.response.body", "body": b""})
    finally:
        await read(file.close)
