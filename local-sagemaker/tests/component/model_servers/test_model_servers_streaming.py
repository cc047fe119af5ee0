"""A container's answer, piece by piece: what becomes of one that stops, hangs or closes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local_sagemaker.model_servers.async_client import NoServerResponse, ResponseStream, TimedOut, open_stream

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"


def asked(
    answer: bytes, use: Callable[[ResponseStream], Awaitable[Any]], *, hangs: bool = False, seconds: float = 30
) -> Any:
    """What `use` makes of the stream of a server that answers these bytes, and then closes the connection or hangs."""

    async def main() -> Any:
        over = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            if hangs:
                await over.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        try:
            return await use(await open_stream(f"http://{host}:{port}", "", b"", seconds=seconds))
        finally:
            over.set()
            server.close()

    return asyncio.run(main())


async def collect(stream: ResponseStream) -> list[bytes]:
    return [piece async for piece in stream.pieces]


@pytest.mark.parametrize(
    ("answer", "pieces"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", [b"ab", b"c"]),
        (HEAD + b"Content-Length: 3\r\n\r\nabc", [b"abc"]),
        (HEAD + b"\r\nabc", [b"abc"]),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 1\r\n\r\na", [b"a"]),
        (HEAD + b"Content-Length: 0\r\n\r\n", []),
    ],
)
def test_whole_answers(answer: bytes, pieces: list[bytes]) -> None:
    assert asked(answer, collect) == pieces


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 2", b"nonsense\r\n\r\n", HEAD + b"Content-Length: 3\r\n\r\nab",
     HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"],
)  # fmt: skip
def test_an_answer_that_ends_too_early(answer: bytes) -> None:
    with pytest.raises(NoServerResponse):
        asked(answer, collect)


def test_an_answer_that_does_not_end_in_time() -> None:
    seen: list[bytes] = []

    async def use(stream: ResponseStream) -> None:
        async for piece in stream.pieces:
            seen.append(piece)

    with pytest.raises(TimedOut):
        asked(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", use, hangs=True, seconds=0.2)
    assert seen == [b"ab"]
    with pytest.raises(TimedOut):
        asked(b"", collect, hangs=True, seconds=0.1)
