"""Downloads that are longer than memory should hold: sent part by part, and ended when the client leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

from local_sagemaker.studio.live import wait_for_end

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]


async def send_parts(
    threads: Executor, parts: Iterator[bytes], headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    """Sends the parts, which are read one by one in a thread; `parts` is closed at the end, however it ends."""
    loop = asyncio.get_running_loop()
    left = asyncio.ensure_future(wait_for_end(receive))
    raw = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    try:
        part = await loop.run_in_executor(threads, next, parts, None)  # an error here is still a page
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        while part is not None and not left.done():
            await send({"type": "http.response.body", "body": part, "more_body": True})
            part = await loop.run_in_executor(threads, next, parts, None)
        await send({"type": "http.response.body", "body": b""})
    except OSError:
        return  # the client left
    finally:
        left.cancel()
        close = getattr(parts, "close", None)
        if close is not None:
            await loop.run_in_executor(threads, close)
