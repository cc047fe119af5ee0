"""Live pages: one stream of server-sent events a page, which says that what the page shows has changed.

A topic is ``kind:prefix`` (several separated by commas): events of that record kind whose key starts with the prefix.
Messages carry the event's number as their id; a reader that comes back gets a message at once if it missed a change.
"""

from __future__ import annotations

import asyncio
from typing import Any

from local_sagemaker.events import Event
from local_sagemaker.http import Receive, Send
from local_sagemaker.records import Records
from local_sagemaker.records.store import GLOBAL

HEARTBEAT = 15.0
INTERVAL = 0.25
MOST_STREAMS = 60
_LOOKED_AT = 500


class Topic:
    """The events that a page depends on."""

    def __init__(self, text: str, region: str) -> None:
        pairs = (part.partition(":") for part in text.split(",") if part)
        self._prefixes = [(kind, prefix.lower()) for kind, _, prefix in pairs]
        self._region = region

    def has(self, event: Event) -> bool:
        """Whether the event is one of them."""
        if event.region != self._region:
            return False
        key = event.key.lower()
        return any(kind in ("*", event.kind) and key.startswith(prefix) for kind, prefix in self._prefixes)


class LiveEvents:
    """The streams of all open pages. Its coroutines run in the event loop of the server."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._open = 0

    @property
    def count(self) -> int:
        """How many streams are open."""
        return self._open

    async def serve(self, topic: Topic, after: int | None, receive: Receive, send: Send, headers: Any) -> None:
        """One stream, until the client leaves. `after` is the number of the last event that the page has seen."""
        if self._open >= MOST_STREAMS:
            await send({"type": "http.response.start", "status": 503, "headers": headers})
            await send({"type": "http.response.body", "body": b"too many open pages"})
            return
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        newest = [after or 0]

        def listen(event: Event) -> None:
            if topic.has(event):
                newest[0] = max(newest[0], event.number)
                loop.call_soon_threadsafe(changed.set)

        unsubscribe = self._records.of(GLOBAL).events.subscribe(listen)
        self._open += 1
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            if after is not None and await loop.run_in_executor(None, self._find_missed, topic, after, newest):
                changed.set()
            await self._write(changed, newest, receive, send)
        except OSError:
            return  # the client left
        finally:
            self._open -= 1
            unsubscribe()

    def _find_missed(self, topic: Topic, after: int, newest: list[int]) -> bool:
        log = self._records.event_log
        if after + 1 < log.oldest() or after > log.newest():
            newest[0] = max(newest[0], log.newest())
            return True  # what happened since is no longer known
        numbers = [event.number for event in log.after(after, limit=_LOOKED_AT) if topic.has(event)]
        newest[0] = max([newest[0], *numbers])
        return bool(numbers)

    async def _write(self, changed: asyncio.Event, newest: list[int], receive: Receive, send: Send) -> None:
        removed = asyncio.ensure_future(wait_for_end(receive))
        await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
        try:
            while not removed.done():
                waiting = asyncio.ensure_future(changed.wait())
                await asyncio.wait({waiting, removed}, timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                if changed.is_set():
                    changed.clear()
                    message = f"id: {newest[0]}\nevent: change\ndata: {newest[0]}\n\n"
                else:
                    message = ": still here\n\n"
                waiting.cancel()
                await send({"type": "http.response.body", "body": message.encode(), "more_body": True})
                await asyncio.sleep(INTERVAL)
        finally:
            removed.cancel()


async def wait_for_end(receive: Receive) -> None:
    """Returns when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
