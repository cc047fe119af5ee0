"""Downloads: sent part by part, and what happens where reading or sending a part fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio.downloads import begin, send_parts


def fails(error: Exception, *parts: bytes) -> Iterator[bytes]:
    yield from parts
    raise error


def bodies(parts: Iterator[bytes], refused: int = 99) -> list[bytes]:
    """What is sent of a download to a client that leaves at a message."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        if len(sent) == refused:
            raise ConnectionResetError
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(send_parts(threads, begin(parts), {"A": "b"}, receive, send))
    return [message["body"] for message in sent if message["type"] == "http.response.body"]


def test_all_parts_are_sent() -> None:
    assert bodies(iter([b"a", b"b"])) == [b"a", b"b", b""]
    assert bodies(iter([])) == [b"", b""]


def test_an_error_of_the_first_part_comes_before_the_answer() -> None:
    with pytest.raises(ServiceError):
        begin(fails(ServiceError("no such object")))


def test_an_error_of_a_later_part_is_no_end_of_the_download() -> None:
    with pytest.raises(OSError, match="unreadable"):
        bodies(fails(OSError("unreadable"), b"a"))


def test_a_client_that_leaves_ends_the_download() -> None:
    closed: list[bool] = []

    def parts() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    assert bodies(parts(), refused=2) == [b"a"]
    assert closed == [True]
