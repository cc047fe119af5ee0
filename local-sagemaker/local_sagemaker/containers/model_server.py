"""The HTTP server of a model: /ping, /invocations and /execution-parameters on the socket that the service hands over.

What a model does with a request is a `ModelApplication`; this module is the HTTP around it and the worker processes,
one per core as gunicorn's in the containers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

import uvloop

from local_sagemaker.containers.http_connection import LATE, Connection, Request, RequestHandler, Response

BOOT_FAILED = 4
_ROUTED = 8  # threads
GRACE_SECONDS = 25.0  # of the 30 between SIGTERM and SIGKILL
_LOOK_SECONDS, _FLUSH_SECONDS = 1.0, 0.1
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelApplication:
    """What a model server does. `threaded` keeps /ping alive while a slow `invoke` runs, and ends one that hangs."""

    invoke: Callable[[Request], Response]
    parameters: Callable[[], Mapping[str, Any] | None] = lambda: None
    max_body: int | None = None
    threaded: bool = False
    route: Callable[[str, str, Request], Response] | None = None
    """Serves all other methods and paths, in a thread (a container of many models)."""
    late: Response = LATE
    """For clients of an invocation that takes too long."""


class _Routes:
    """What an application serves, by method and path."""

    def __init__(self, application: ModelApplication) -> None:
        self._application = application
        self._thread = ThreadPoolExecutor(1) if application.threaded else None
        self._threads = ThreadPoolExecutor(_ROUTED) if application.route else None
        self.seconds = seconds_of(os.environ)

    def __call__(self, method: str, path: str) -> RequestHandler:
        application = self._application
        if application.route is None and path == "/invocations" and method == "POST":
            return RequestHandler(application.invoke, self._thread, self.seconds, application.late)
        if path == "/ping" and method == "GET":
            return _PING
        if path == "/execution-parameters" and method == "GET":
            parameters = application.parameters()
            if parameters is not None:
                response = Response(200, json.dumps(parameters).encode(), "application/json")
                return RequestHandler(lambda _request: response)
        if application.route is None:
            return _UNKNOWN
        seconds = self.seconds if path.endswith("/invoke") else None  # loading a model has its own time
        return RequestHandler(partial(application.route, method, path), self._threads, seconds, application.late)


_PING = RequestHandler(lambda _request: Response())
_UNKNOWN = RequestHandler(lambda _request: Response(404, b"Not Found"))


def worker_count(environment: Mapping[str, str] = os.environ) -> int:
    """``SAGEMAKER_MODEL_SERVER_WORKERS``, else one per core."""
    return max(1, int(environment.get("SAGEMAKER_MODEL_SERVER_WORKERS") or os.cpu_count() or 1))


def seconds_of(environment: Mapping[str, str]) -> float | None:
    """``SAGEMAKER_MODEL_SERVER_TIMEOUT``: the seconds of one invocation, else 60; None for 0, which means for ever."""
    return float(int(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT") or 60)) or None


def run(load: Callable[[], ModelApplication], *, forks: bool = True) -> int:
    """Serves until SIGTERM. `load` reads the model, in each worker; where it fails, the server ends with an error.

    A worker that ends is replaced. Without `forks` this process is the only worker, and its end is the server's.
    """
    listener = _listener()
    if not forks:
        return _work(load, listener)
    count = worker_count()
    children: set[int] = set()
    stopping: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        stopping.append(number)
        for pid in list(children):
            with contextlib.suppress(ProcessLookupError):  # it has ended, and is about to be taken from the children
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


def _fork(load: Callable[[], ModelApplication], listener: socket.socket) -> int:
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


def _work(load: Callable[[], ModelApplication], listener: socket.socket) -> int:
    try:
        application = load()
    except Exception:
        log.exception("The model cannot be loaded")
        return BOOT_FAILED
    uvloop.run(_accept(application, listener))
    return 0


async def _accept(application: ModelApplication, listener: socket.socket) -> None:
    """Serves until SIGTERM, then finishes the requests under way."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    routes, connections = _Routes(application), set[Connection]()
    server = await loop.create_server(
        lambda: Connection(routes, application.max_body, connections), sock=listener, backlog=2048
    )
    os.register_at_fork(after_in_child=lambda: _leave(connections))
    watch = loop.create_task(_end_when_stuck(server, connections, routes.seconds)) if routes.seconds else None
    await ended.wait()
    if watch:
        watch.cancel()
    server.close()
    for connection in list(connections):
        connection.shutdown()
    deadline = loop.time() + GRACE_SECONDS
    while any(connection.busy for connection in connections) and loop.time() < deadline:
        await asyncio.sleep(0.005)


async def _end_when_stuck(server: asyncio.AbstractServer, connections: set[Connection], seconds: float) -> None:
    """Ends this worker once an invocation takes too long, since a thread can't be ended."""
    while not [connection for connection in list(connections) if connection.expire()]:
        await asyncio.sleep(min(_LOOK_SECONDS, seconds / 4))
    server.close()  # what comes now is for another worker
    for connection in list(connections):
        connection.shutdown()
    log.critical("WORKER TIMEOUT (pid:%s)", os.getpid())
    await asyncio.sleep(_FLUSH_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _leave(connections: set[Connection]) -> None:
    """In a process that user code forked: it is no worker.

    A SIGTERM for it, as a pool sends its processes, would be passed to this worker's loop over the descriptor that
    both have: the worker would end, and its child would not. Clients would wait for a connection that it holds.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for connection in list(connections):
        descriptor = connection.descriptor
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _listener() -> socket.socket:
    descriptor = os.environ.get("LOCAL_SAGEMAKER_LISTEN_FD")
    if descriptor:
        return socket.socket(fileno=int(descriptor))
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT") or 8080)))
    listener.set_inheritable(True)
    return listener
