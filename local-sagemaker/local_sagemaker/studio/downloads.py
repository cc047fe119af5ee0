"""Downloads that are longer than memory should hold: sent part by part, and ended when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from local_sagemaker.http import Receive, Send
from local_sagemaker.objects.types import FileRange
from local_sagemaker.studio import security
from local_sagemaker.studio.live_updates import wait_for_end
from local_sagemaker.studio.page import Content
from local_sagemaker.studio.ranges import RangeError, RangeRequest


@dataclass(frozen=True)
class Download:
    """A download whose first part is read."""

    first: bytes
    rest: Iterator[bytes]


def respond(content: Content, requested: RangeRequest) -> tuple[int, bytes | Download, dict[str, str]]:
    """Status, body and headers of what is no page. The first part of a download is read here: what fails there is
    still a page."""
    headers = {**security.HEADERS, "Content-Type": content.media_type}
    if content.sandbox:
        headers["Content-Security-Policy"] = security.sandbox_policy(scripts=content.scripts)
    else:
        headers["Content-Type"] = "application/octet-stream"
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(content.name or 'download', safe='')}"
    body, status = content.body, 200
    if isinstance(body, FileRange):
        status, body = _cut(body, requested, content.etag, headers)
    elif isinstance(body, bytes):
        headers["Content-Length"] = str(len(body))
    if isinstance(body, bytes):
        return status, body, headers
    return status, begin(parts_of(body) if isinstance(body, FileRange) else body), headers


def _cut(body: FileRange, requested: RangeRequest, etag: str, headers: dict[str, str]) -> tuple[int, FileRange | bytes]:
    """The part of a file that is requested; what the headers say of it is added to them."""
    headers["Accept-Ranges"] = "bytes"
    if etag:
        headers["ETag"] = etag
    try:
        part = requested.part(body.length, etag)
    except RangeError as error:
        if body.file:
            body.file.close()
        headers |= {"Content-Range": f"bytes */{error.size}", "Content-Length": "0"}
        return 416, b""
    if part is None:
        headers["Content-Length"] = str(body.length)
        return 200, body
    start, length = part
    headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{body.length}"
    headers["Content-Length"] = str(length)
    return 206, replace(body, offset=body.offset + start, length=length)


def parts_of(body: FileRange, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes part by part; the file is closed at the end, and when nobody wants the rest."""
    with body.file or body.path.open("rb") as file:
        file.seek(body.offset)
        left = body.length
        while left > 0 and (part := file.read(min(size, left))):
            left -= len(part)
            yield part


def begin(parts: Iterator[bytes]) -> Download:
    """Reads the first part, so that a fault there still gets a page in response."""
    return Download(next(parts, b""), parts)


async def send_parts(
    threads: Executor, download: Download, headers: Mapping[str, str], receive: Receive, send: Send, status: int = 200
) -> None:
    """Sends the parts, which are read one by one in a thread; they are closed at the end, however it ends.

    An error of reading is raised: the response stays incomplete, which the client sees.
    """
    loop = asyncio.get_running_loop()
    left = asyncio.ensure_future(wait_for_end(receive))
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    try:
        part: bytes | None = download.first
        if not await _reaches(send, {"type": "http.response.start", "status": status, "headers": raw}):
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
