"""A gateway on a real socket, over a small table of handlers that the test gives."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import uvicorn
from botocore.config import Config

from local_sagemaker.api.operations import Handler, dispatcher
from local_sagemaker.api.validation import check
from local_sagemaker.config import Settings
from local_sagemaker.control import Control, has_path
from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.wire.connections import BoundedProtocol, expire
from local_sagemaker.wire.credentials import Credentials
from local_sagemaker.wire.gateway import Gateway


@dataclass
class Echo:
    """Neighbours that answer with what they were asked."""

    asked: list[tuple[str, RawRequest]] = field(default_factory=list)

    def respond(self, service: str, request: RawRequest) -> RawResponse:
        self.asked.append((service, request))
        body = (
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
            "</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        return RawResponse(200, {"Content-Type": "text/xml"}, body.encode())


@dataclass
class Served:
    """A running gateway and its keys."""

    url: str
    credentials: Credentials
    neighbours: Echo

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def client(self, service: str, *, key: str | None = None, secret: str | None = None, **config: Any) -> Any:
        """An unmodified boto3 client that does not retry."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key or self.credentials.access_key_id,
            aws_secret_access_key=secret or self.credentials.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )


class Server(uvicorn.Server):
    """uvicorn's, looking at silent connections as the real service does."""

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        expire(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


@contextmanager
def serving(
    handlers: dict[str, Handler],
    folder: Path,
    *,
    protocol: type[BoundedProtocol] = BoundedProtocol,
    **options: Any,
) -> Iterator[Served]:
    """Serves until the block ends, with the HTTP protocol and loop of the real service."""
    credentials, neighbours = Credentials(folder / "credentials.json"), Echo()
    call = dispatcher(handlers, check)
    settings = Settings(home=folder)
    gateway = Gateway(
        call=lambda _: call,
        others=neighbours,
        credentials=credentials,
        settings=settings,
        **options,
    )
    control = Control({}, credentials.secret_access_key, settings)

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        """As the service: health is no request of the wire."""
        if scope["type"] == "http" and has_path(scope["path"]):
            await control(scope, send)
        else:
            await gateway(scope, receive, send)

    config = uvicorn.Config(
        serve, port=0, loop="uvloop", http=protocol, lifespan="off", log_config=None, access_log=False
    )
    server = Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        thread.join(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}", credentials, neighbours)
    finally:
        server.should_exit = True
        thread.join(10)
