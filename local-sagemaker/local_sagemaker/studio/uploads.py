"""Files that a page takes: streamed to disk, so that one of any size needs the memory of a part."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import IO, Any

MEDIA_TYPE = "application/octet-stream"


async def receive_file(
    threads: Executor, receive: Callable[[], Awaitable[Mapping[str, Any]]], folder: Path
) -> IO[bytes]:
    """The body of a request as a file at its beginning; it is deleted when it is closed.

    Raises OSError when the disk is full, and ConnectionError when the client leaves before the end.
    """
    run = asyncio.get_running_loop().run_in_executor
    file = await run(threads, _open, folder)
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("The client left before the file was whole.")
            await run(threads, file.write, message.get("body", b""))
            if not message.get("more_body"):
                break
        await run(threads, file.seek, 0)
    except BaseException:
        file.close()
        raise
    return file


def _open(folder: Path) -> IO[bytes]:
    return tempfile.TemporaryFile(dir=folder)  # the caller closes it
