"""A closed load of HTTP requests: each client has one kept connection and sends when its last response is whole.

The requests are made (and signed) before; the generator shares the cores with what it asks, so it does little.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop
from botocore import auth, awsrequest, credentials

from local_sagemaker import lifecycle
from local_sagemaker.cli.exec import connection
from local_sagemaker.config import Settings

WARM_UP = 0.5
_PATIENCE = 60.0
_PAUSE = 0.02
Answered = Callable[[int, int, bytes], None]
"""Is told a request's number, its response's status and body."""


@dataclass(frozen=True)
class Figures:
    """What a load came to; times in milliseconds."""

    requests_per_second: float
    p50: float
    p99: float


def requests(url: str, bodies: Sequence[bytes], headers: Callable[[bytes], dict[str, str]]) -> list[bytes]:
    """Complete POST requests."""
    address = urlsplit(url)
    made = []
    for body in bodies:
        fields = {"Host": address.netloc, **headers(body), "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        made.append(f"POST {address.path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
    return made


def signer(settings: Settings, url: str, **fields: str) -> Callable[[bytes], dict[str, str]]:
    """The headers of a signed InvokeEndpoint of the running service; in names of `fields` an underscore is a dash."""
    service = lifecycle.find_running(settings)
    assert service
    variables = connection(settings, service)
    keys = credentials.Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    headers = {"Content-Type": "text/csv", **{name.replace("_", "-"): value for name, value in fields.items()}}

    def sign(body: bytes) -> dict[str, str]:
        request = awsrequest.AWSRequest("POST", url, headers, body)
        auth.SigV4Auth(keys, "sagemaker", variables["AWS_REGION"]).add_auth(request)
        return dict(request.headers)

    return sign


class Clients:
    """The clients of one address. `answered` judges each response; `lost` hears of a connection that broke."""

    def __init__(
        self, url: str, made: Sequence[bytes], answered: Answered, lost: Callable[[Exception], None] | None = None
    ) -> None:
        self._address = urlsplit(url)
        self._requests, self._answered, self._lost = made, answered, lost
        self._turn = 0
        self._latencies: list[float] = []
        self.over = False

    async def run(self, count: int) -> None:
        """Sends until `over`, then until the responses under way are there."""
        clients = [asyncio.create_task(self._client()) for _ in range(count)]
        async with asyncio.timeout(None) as limit:
            while not self.over:
                await asyncio.sleep(_PAUSE)
                for client in clients:
                    if client.done():
                        await client  # raises
            limit.reschedule(asyncio.get_running_loop().time() + _PATIENCE)
            await asyncio.gather(*clients)

    def measure(self, count: int, seconds: float) -> Figures:
        """Runs this many clients for so long, after a short warm-up."""
        return uvloop.run(self._measure(count, seconds))

    async def _measure(self, count: int, seconds: float) -> Figures:
        self.over = False
        running = asyncio.create_task(self.run(count))
        await asyncio.wait([running], timeout=WARM_UP)
        self._latencies, began = [], time.perf_counter()
        await asyncio.wait([running], timeout=seconds)
        taken, elapsed = sorted(self._latencies), time.perf_counter() - began
        self.over = True
        await running
        p50, p99 = (1000 * taken[int(part * len(taken))] if taken else math.nan for part in (0.5, 0.99))
        return Figures(len(taken) / elapsed, p50, p99)

    async def _client(self) -> None:
        while not self.over:
            try:
                reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
                with contextlib.closing(writer):
                    while not self.over:
                        await self._exchange(reader, writer)
            except (OSError, EOFError) as error:
                if self._lost is None:
                    raise
                self._lost(error)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turn = self._turn = (self._turn + 1) % len(self._requests)
        began = time.perf_counter()
        writer.write(self._requests[turn])
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"\r\ncontent-length:")
        if at >= 0:
            body = await reader.readexactly(int(head[at + 17 : head.index(b"\r", at + 2)]))
        else:
            body = await _chunks(reader)
        took = time.perf_counter() - began
        self._answered(turn, int(head[9:12]), body)
        self._latencies.append(took)
        if b"\r\nconnection: close" in lower:
            raise EOFError("the server closes the connection")


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int((await reader.readline()).partition(b";")[0], 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(pieces)
