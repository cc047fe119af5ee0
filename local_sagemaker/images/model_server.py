"""The HTTP server of a model: /ping, /invocations and /execution-parameters on the socket that hosting hands over.

What a model does with a request is an `Application`; this module is the HTTP around it and the worker processes, one
per core as gunicorn's in the containers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HTML = "text/html; charset=utf-8"
BOOT_FAILED = 4
KEEP_ALIVE_SECONDS = 300
_ROUTED = 8  # threads
GRACE_SECONDS = 25.0  # of the 30 between SIGTERM and SIGKILL
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """An invocation. Header names are in lower case."""

    body: bytes
    headers: Mapping[str, str]

    @property
    def content_type(self) -> str | None:
        """The Content-Type header, None when there is none."""
        return self.headers.get("content-type") or None

    @property
    def accept(self) -> str | None:
        """The Accept header, None when there is none."""
        return self.headers.get("accept") or None


@dataclass(frozen=True)
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Application:
    """What a model server answers. `threaded` keeps /ping alive while a slow `invoke` runs."""

    invoke: Callable[[Request], Response]
    parameters: Callable[[], Mapping[str, Any] | None] = lambda: None
    max_body: int | None = None
    threaded: bool = False
    route: Callable[[str, str, Request], Response] | None = None
    """Answers all other methods and paths, in a thread (a container of many models)."""


class _Asgi:
    """An application as ASGI."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.pool = ThreadPoolExecutor(1) if application.threaded else None
        self.routed = ThreadPoolExecutor(_ROUTED) if application.route else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _send(send, await self._answer(scope, receive))

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        route = (scope["method"], scope["path"])
        if route == ("POST", "/invocations") and self.routed is None:
            return await self._invocation(scope, receive)
        if route == ("GET", "/ping"):
            return Response()
        if route == ("GET", "/execution-parameters"):
            found = self.application.parameters()
            if found is not None:
                return Response(200, json.dumps(found).encode(), "application/json")
        if self.application.route and self.routed:
            return await self._routed(scope, receive)
        return Response(404, b"Not Found")

    async def _routed(self, scope: Scope, receive: Receive) -> Response:
        request = await self._request(scope, receive)
        if isinstance(request, Response):
            return request
        loop = asyncio.get_running_loop()
        assert self.application.route is not None
        return await loop.run_in_executor(self.routed, self.application.route, scope["method"], scope["path"], request)

    async def _invocation(self, scope: Scope, receive: Receive) -> Response:
        request = await self._request(scope, receive)
        if isinstance(request, Response):
            return request
        if self.pool is None:
            return self.application.invoke(request)
        return await asyncio.get_running_loop().run_in_executor(self.pool, self.application.invoke, request)

    async def _request(self, scope: Scope, receive: Receive) -> Request | Response:
        """The whole request, or the answer to one that is not whole or too large."""
        parts: list[bytes] = []
        size, limit = 0, self.application.max_body
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return Response(400)
            part = message.get("body", b"")
            size += len(part)
            if limit is None or size <= limit:
                parts.append(part)
            if not message.get("more_body"):
                break
        if limit is not None and size > limit:
            return Response(413, b"Request Entity Too Large: the data value transmitted exceeds the capacity limit.")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return Request(parts[0] if len(parts) == 1 else b"".join(parts), headers)


async def _send(send: Send, response: Response) -> None:
    headers = [(b"content-length", str(len(response.body)).encode())]
    if response.status != 204:
        headers.append((b"content-type", response.content_type.encode("latin-1")))
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def worker_count(environment: Mapping[str, str] = os.environ) -> int:
    """``SAGEMAKER_MODEL_SERVER_WORKERS``, else one per core."""
    return max(1, int(environment.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1))


def run(load: Callable[[], Application], workers: int | None = None) -> int:
    """Serves until SIGTERM. `load` reads the model, in each worker; where it fails, the server ends with an error."""
    listener = _listener()
    count = workers or worker_count()
    if count == 1:
        return _work(load, listener)
    children: set[int] = set()
    stopping: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)
        for pid in list(children):
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    while children or not stopping:
        if not stopping and len(children) < count:
            children.add(_fork(load, listener))
            continue
        pid, status = os.wait()
        children.discard(pid)
        code = os.waitstatus_to_exitcode(status)
        if code == BOOT_FAILED and not stopping:
            end(signal.SIGTERM, None)
            return BOOT_FAILED
        if not stopping:
            log.warning("Worker %s ended with %s; starting another one.", pid, code)
    return 0


def _fork(load: Callable[[], Application], listener: socket.socket) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # it must not meet the parent's function in the child
    pid = os.fork()
    if pid == 0:
        code = BOOT_FAILED
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            code = _work(load, listener)
        finally:
            os._exit(code)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return pid


def _work(load: Callable[[], Application], listener: socket.socket) -> int:
    try:
        application = load()
    except Exception:
        log.exception("The model cannot be loaded")
        return BOOT_FAILED
    uvloop.run(_accept(application, listener))
    return 0


async def _accept(application: Application, listener: socket.socket) -> None:
    """Serves until SIGTERM, then finishes the requests under way.

    uvicorn's own loop would add 0.2 s to every end: it looks for the signal ten times a second.
    """
    config = uvicorn.Config(_Asgi(application), interface="asgi3", ws="none", log_config=None, access_log=False,
                            timeout_keep_alive=KEEP_ALIVE_SECONDS)  # fmt: skip
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    server = await loop.create_server(lambda: HttpToolsProtocol(config, state, {}), sock=listener, backlog=2048)
    await ended.wait()
    server.close()
    for connection in list(state.connections):
        connection.shutdown()
    deadline = loop.time() + GRACE_SECONDS
    while state.tasks and loop.time() < deadline:
        await asyncio.sleep(0.005)


def _listener() -> socket.socket:
    descriptor = os.environ.get("LOCAL_SAGEMAKER_LISTEN_FD")
    if descriptor:
        return socket.socket(fileno=int(descriptor))
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)))
    listener.set_inheritable(True)
    return listener
