"""One instance of a variant: the server processes of a model's containers, kept alive, and how they are queried.

Started and stopped by control threads, queried from the event loop. A process that dies is started again behind the
same socket: requests that come in the meantime wait there, only those that it was serving are lost.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.endpoints.endpoint_spec import VariantSpec
from local_sagemaker.endpoints.model_invocation import ModelInvocation
from local_sagemaker.endpoints.multi_model import MultiModel
from local_sagemaker.model_servers.async_client import ServerResponse, Upstream
from local_sagemaker.model_servers.supervisor import ServerProcess, SupervisedServer, SupervisedServers

STABLE_SECONDS = 10.0
"""A process that lived this long is started again at once; others after a growing pause."""
_LONGEST_PAUSE = 5.0
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
log = logging.getLogger(__name__)


class Instance:
    """One set of processes. `outstanding` counts the requests under way; only the event loop changes it."""

    def __init__(
        self,
        variant: VariantSpec,
        *,
        servers: SupervisedServers,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        stream: str,
        models: Callable[[ServerProcess, Upstream, Path], MultiModel],
    ) -> None:
        """`models` makes what loads the models of a multi-model container."""
        self.variant, self.stream = variant, stream
        self.outstanding = 0
        self.healthy = False
        self._servers, self._environment, self._folder, self._log, self._models = (
            servers, environment, folder, log, models,
        )  # fmt: skip
        self._running: SupervisedServer | None = None
        self._upstreams: list[Upstream] = []
        self._names: list[str] = []
        self._multi: MultiModel | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Starts the processes and returns when all are healthy. Raises what `SupervisedServers.start` does."""
        spec = self.variant
        environment = {**self._environment, **({"SAGEMAKER_MULTI_MODEL": "true"} if spec.multi_model else {})}
        running = self._servers.start(
            spec.containers, environment, self._folder, self._log,
            variant=spec.name, seconds=spec.health_seconds, supervised=True, stop=self._stopping,
        )  # fmt: skip
        self._running = running
        self._upstreams = [Upstream(server.host, server.port) for server in running.servers]
        several = len(spec.containers) > 1
        self._names = [
            container.get("ContainerHostname") or (f"container-{number}" if several else "primary")
            for number, container in enumerate(spec.containers, 1)
        ]
        if spec.multi_model:
            self._multi = self._models(running.servers[0], self._upstreams[0], self._folder)
        self.healthy = True
        for server in running.servers:
            threading.Thread(target=self._watch, args=(server,), name=f"watch {self.stream}", daemon=True).start()

    def stop(self) -> None:
        """Ends the processes; for when no request is under way any more."""
        with self._lock:
            self._stopping.set()
        self.healthy = False
        for upstream in self._upstreams:
            loop = getattr(upstream, "loop", None)
            if loop is not None and not loop.is_closed():
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(upstream.close)
        if self._running:
            self._running.stop()

    @property
    def urls(self) -> list[str]:
        """The addresses of its containers' servers."""
        return [server.url for server in self._running.servers] if self._running else []

    @property
    def processes(self) -> list[int]:
        """The pids of its servers."""
        return [server.process.pid for server in self._running.servers] if self._running else []

    async def respond(self, invocation: ModelInvocation) -> tuple[ServerResponse, str]:
        """The response of the container, of several the last one's or the first error; and the container's name.

        The response and Content-Type of a container are the request of the next; the client's Accept reaches the
        last (contracts: containers 5.1).
        """
        if self._multi is not None:
            return await self._multi.respond(invocation.target_model or "", invocation), self._names[0]
        if len(self._upstreams) == 1:
            return await self._request(0, invocation, invocation.content_type, invocation.accept), self._names[0]
        if self.variant.direct:
            index = self._names.index(invocation.target_container or "")
            return await self._request(index, invocation, invocation.content_type, invocation.accept), self._names[
                index
            ]
        content_type, last = invocation.content_type, len(self._upstreams) - 1
        for index in range(last + 1):
            response = await self._request(
                index, invocation, content_type, invocation.accept if index == last else None
            )
            if not 200 <= response.status < 300:
                break
            content_type = response.headers.get("content-type")
            invocation = ModelInvocation(**{**vars(invocation), "body": response.body})
        return response, self._names[index]

    async def _request(
        self, index: int, invocation: ModelInvocation, content_type: str | None, accept: str | None
    ) -> ServerResponse:
        return await self._upstreams[index].request(
            "POST", "/invocations", invocation.headers(content_type, accept), invocation.body,
            seconds=invocation.seconds, limit=invocation.limit,
        )  # fmt: skip

    @property
    def containers(self) -> list[str]:
        """The names of its containers."""
        return self._names

    def _watch(self, server: ServerProcess) -> None:
        """Starts a process again whenever it ends by itself."""
        pause = 0.0
        while True:
            began = time.monotonic()
            code = server.process.wait()
            if self._stopping.is_set():
                return
            self.healthy = False
            log.warning("server %s of %s ended with %s; it is started again", server.process.pid, self.stream, code)
            pause = 0.0 if time.monotonic() - began > STABLE_SECONDS else _longer(pause)
            while not self._stopping.wait(pause) and not self._again(server):
                pause = _longer(pause)

    def _again(self, server: ServerProcess) -> bool:
        """Starts the process again; says whether that went well. A server that is up but ill is ended, to be tried
        once more."""
        with self._lock:
            if self._stopping.is_set():
                return True
            if self._multi is not None:
                self._multi.forget()
            before = server.process  # whatever goes wrong, an endpoint in service must not stay without its server
            with log_failure(log, "a server of %s could not be started again", self.stream):
                server.process = self._servers.run_again(server)
            if server.process is before:
                return False
        with log_failure(log, "a server of %s is ill", self.stream):
            self._servers.await_ping(server)
            self.healthy = True
        if not self.healthy:
            server.process.signal(signal.SIGKILL)
        return True


def _longer(pause: float) -> float:
    return min(_LONGEST_PAUSE, 2 * pause + 0.01)


def plain(headers: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a container's response that reach the client."""
    return {name: str(headers[name]) for name in ("content-type", ATTRIBUTES) if name in headers}
