"""Streams of changes over a long time: many are opened and closed, and nothing of them stays (studio ST-27)."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.records import Records
from local_sagemaker.records.store import GLOBAL
from local_sagemaker.studio import live_updates
from local_sagemaker.studio.live_updates import MOST_STREAMS, LiveEvents, Topic

ROUNDS, PAGES, EVENTS = 10, 40, 12
"""400 openings, 120 events, 4,800 deliveries: an hour of ten people, without the waiting."""
KIND, BYTES_PER_PAGE = "pipeline-execution", 200


class OpenPage:
    """A stream's other end: what was sent, and a way to leave."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.statuses: list[int] = []
        self.left = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])
        else:
            self.messages.append(message["body"].decode())

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def newest(self) -> int:
        """The number of the last event that the page was told of."""
        changes = [text for text in self.messages if "event: change" in text]
        return int(changes[-1].partition("\n")[0].removeprefix("id: ")) if changes else 0


async def open_pages(streams: LiveEvents, count: int) -> list[tuple[OpenPage, asyncio.Task[None]]]:
    pages = []
    for _ in range(count):
        page = OpenPage()
        serving = streams.serve(Topic(f"{KIND}:p/", "us-east-1"), None, page.receive, page.send, [])
        pages.append((page, asyncio.create_task(serving)))
    while not all(page.messages or page.statuses == [503] for page, _ in pages):
        await asyncio.sleep(0)
    return pages


async def an_hour(records: Records, streams: LiveEvents, rounds: int) -> int:
    """Pages are opened, see what happens, and are closed; the most messages that one of them got."""
    most = 0
    for _ in range(rounds):
        pages = await open_pages(streams, PAGES)
        for number in range(EVENTS):
            records.put(KIND, "p/one", {"PipelineExecutionStatus": f"{number}"})
            await asyncio.sleep(0)
        newest = records.event_log.newest()
        while not all(page.newest == newest for page, _ in pages):
            await asyncio.sleep(0.001)
        for page, _ in pages:
            page.left.set()
        await asyncio.gather(*(task for _, task in pages))
        most = max(most, *(len(page.messages) for page, _ in pages))
    return most


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    monkeypatch.setattr(live_updates, "INTERVAL", 0.005)
    return Records(tmp_path / "records.sqlite")


def test_nothing_stays_of_pages_that_were_closed(records: Records) -> None:
    async def run() -> None:
        streams = LiveEvents(records)
        await an_hour(records, streams, 3)  # fills what is kept anyway
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        most = await an_hour(records, streams, ROUNDS)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert most < EVENTS, "events that come together are one message"
        assert streams.count == 0
        assert len(records.of(GLOBAL).events) == 0
        assert grown < BYTES_PER_PAGE * ROUNDS * PAGES, f"{grown} bytes more after {ROUNDS * PAGES} pages"

    asyncio.run(run())


def test_streams_are_bounded_and_free_again(records: Records) -> None:
    async def run() -> None:
        streams = LiveEvents(records)
        pages = await open_pages(streams, MOST_STREAMS + 1)
        assert [page.statuses for page, _ in pages] == [*([[200]] * MOST_STREAMS), [503]]
        for page, _ in pages:
            page.left.set()
        await asyncio.gather(*(task for _, task in pages))
        again = await open_pages(streams, 1)
        assert again[0][0].statuses == [200]
        again[0][0].left.set()
        await again[0][1]

    asyncio.run(run())
