"""The client of server processes: kept connections, and what becomes of requests that get no proper answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from local_sagemaker.model_servers.async_client import (
    NoServerResponse,
    ResponseTooLarge,
    ServerResponse,
    TimedOut,
    Upstream,
)

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r")[0]))


def talk(script: Script, use: Callable[[Upstream], Awaitable[Any]]) -> tuple[Any, int]:
    """Runs `use` against a server whose connections follow the script; its result and the number of connections."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await script(reader, writer)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    async def main() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        upstream = Upstream(*server.sockets[0].getsockname()[:2])
        try:
            return await use(upstream)
        finally:
            upstream.close()
            server.close()

    return asyncio.run(main()), connections


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        body = await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Part: a\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))


def ask(upstream: Upstream, body: bytes = b"1,2", **more: Any) -> Awaitable[ServerResponse]:
    return upstream.request("POST", "/invocations", "", body, **{"seconds": 30.0, **more})


def test_a_connection_is_used_again() -> None:
    async def use(upstream: Upstream) -> list[bytes]:
        return [(await ask(upstream, b"%d" % number)).body for number in range(5)]

    assert talk(echo, use) == ([b"0", b"1", b"2", b"3", b"4"], 1)


def test_requests_at_a_time_have_connections_of_their_own() -> None:
    async def use(upstream: Upstream) -> list[bytes]:
        answers = await asyncio.gather(*(ask(upstream, b"%d" % number) for number in range(4)))
        return [answer.body for answer in answers]

    assert talk(echo, use) == ([b"0", b"1", b"2", b"3"], 4)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.0 500 Oh\r\n\r\nuntil the end", 500, b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx", 200, b"x"),
    ],
)
def test_forms_of_answers(answer: bytes, status: int, body: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer)

    found, _ = talk(script, ask)
    assert (found.status, found.body) == (status, body)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", b"no HTTP\r\n\r\n"])
def test_a_server_that_dies_gives_no_answer(answer: bytes) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer)

    with pytest.raises(NoServerResponse):
        talk(script, ask)


def test_limits_of_time_and_size() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(TimedOut):
        talk(never, lambda upstream: ask(upstream, seconds=0.05))
    with pytest.raises(ResponseTooLarge):
        talk(echo, lambda upstream: ask(upstream, b"four", limit=3))


def test_a_server_that_is_not_there_is_waited_for() -> None:
    """A process that is started again listens a moment later."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]

    async def main() -> bytes:
        upstream = Upstream("127.0.0.1", port)
        waiting = asyncio.ensure_future(ask(upstream, b"late"))
        await asyncio.sleep(0)
        server = await asyncio.start_server(echo, "127.0.0.1", port)
        answer = await waiting
        upstream.close()
        server.close()
        return answer.body

    assert asyncio.run(main()) == b"late"
