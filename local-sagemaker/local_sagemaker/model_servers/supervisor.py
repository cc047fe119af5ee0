"""Starts the server processes of a model: one per container, each with its files in /opt/ml/model.

The listening socket is made here, so the address is known before the process runs and a request made at once waits
for the server instead of failing: readiness is one request for /ping, with nothing polled.
"""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local_sagemaker import images
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.files.removal import discard
from local_sagemaker.model_client import ModelClient
from local_sagemaker.model_servers import model_data
from local_sagemaker.model_servers.inference_pipeline import InferencePipeline
from local_sagemaker.objects.types import Objects
from local_sagemaker.processes.errors import ServerEnded
from local_sagemaker.processes.spec import Process, Processes, ProcessSpec

STARTUP_SECONDS = 240.0
PING_SECONDS = 2.0
KILL_SECONDS = 30.0
ADDITIONAL = "additional-model-data-sources"
"""The folder below /opt/ml that has one for each additional data source (SDK v2: `SPECULATIVE_DRAFT_MODEL`)."""


class ModelServerError(ServiceError):
    """A container did not come up; the text is AWS's, for a FailureReason."""

    code, status = "ModelError", 424


@dataclass
class ServerProcess:
    """One container's process and its address.

    `listener` is kept by servers that are started again when they die: requests wait in its queue in the meantime.
    """

    process: Process
    host: str
    port: int
    spec: ProcessSpec
    listener: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where /ping and /invocations are."""
        return f"http://{self.host}:{self.port}"


@dataclass
class SupervisedServer:
    """The running containers of a model. Requests go to `url`; several ones (not supervised) respond as a chain."""

    servers: list[ServerProcess]
    chain: InferencePipeline | None = None
    folders: list[Path] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address that takes /invocations."""
        return self.chain.url if self.chain else self.servers[0].url

    @property
    def processes(self) -> list[Process]:
        """The processes of the containers."""
        return [server.process for server in self.servers]

    def kill(self) -> None:
        """SIGKILL at once, and the model's files removed."""
        for server in self.servers:
            server.process.signal(signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        """SIGTERM, SIGKILL after 30 seconds, and the model's files removed."""
        if self.chain:
            self.chain.close()
        for server in self.servers:
            server.process.signal(signal.SIGTERM)
        deadline = time.monotonic() + KILL_SECONDS
        for server in self.servers:
            if server.process.wait(max(0.0, deadline - time.monotonic())) is None:
                server.process.signal(signal.SIGKILL)
                server.process.wait(KILL_SECONDS)
            if server.listener:
                server.listener.close()
        for folder in self.folders:
            discard(folder)


class SupervisedServers:
    """Starts model servers."""

    def __init__(self, *, settings: Settings, objects: Objects, processes: Processes) -> None:
        self._settings, self._objects, self._processes = settings, objects, processes

    def start(
        self,
        containers: Sequence[Mapping[str, Any]],
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        *,
        variant: str = "AllTraffic",
        seconds: float = STARTUP_SECONDS,
        supervised: bool = False,
        stop: threading.Event | None = None,
    ) -> SupervisedServer:
        """Starts the containers of a model (ContainerDefinition shape) and returns when all of them respond to /ping.

        `supervised` servers keep their sockets for `restart`, and have no address as a chain: their owner passes
        requests from one to the next. `stop` gives up, as if a health check had failed.

        `environment` comes on top of each container's own. The model's files go to ``folder/ml/model`` (with several
        containers ``folder/<n>/ml/model``), output to `log`. ModelServerError, with AWS's text, when a container does
        not pass the health check within `seconds`; ModelDataError for the model's files; ValidationError for an
        unknown image. Nothing is left running or on disk after an error.
        """
        several = len(containers) > 1
        started = SupervisedServer([])
        try:
            for index, container in enumerate(containers):
                root = folder / f"container-{index + 1}" if several else folder
                started.folders.append(root)
                name = container.get("ContainerHostname", f"container_{index + 1}")
                started.servers.append(self._start_one(container, name, environment, root, log, supervised))
            deadline = time.monotonic() + seconds
            for server, container in zip(started.servers, containers, strict=True):
                self._await_start(server, container.get("ContainerHostname", "primary"), variant, deadline, stop)
            if several and not supervised:
                started.chain = InferencePipeline([server.url for server in started.servers])
        except BaseException:
            started.kill()
            raise
        return started

    def run_again(self, server: ServerProcess) -> Process:
        """Starts the process of a supervised server once more, at its address."""
        return self._run(server.spec, server.listener)

    def await_ping(self, server: ServerProcess, seconds: float = STARTUP_SECONDS) -> None:
        """Returns when the server responds to /ping. ModelServerError when it does not, or its process ends."""
        _await_ping(server, "primary", "AllTraffic", time.monotonic() + seconds)

    def _await_start(
        self, server: ServerProcess, container: str, variant: str, deadline: float, stop: threading.Event | None
    ) -> None:
        """Waits for /ping. A process that was lost with its fork server is started again where its socket is kept."""
        while True:
            try:
                _await_ping(server, container, variant, deadline, stop)
                return
            except ModelServerError as error:
                if not server.process.lost or time.monotonic() >= deadline:
                    raise
                if server.listener is None:
                    raise ServerEnded(f"The {container} container ended with its fork server.") from error
            server.process = self.run_again(server)

    def _start_one(
        self,
        container: Mapping[str, Any],
        name: str,
        environment: Mapping[str, str],
        root: Path,
        log: Path,
        supervised: bool,
    ) -> ServerProcess:
        image, uri = images.find(container["Image"], "serve")
        if container.get("Mode") != "MultiModel":
            model_data.fetch(container, self._objects, root / "ml" / "model", name)
        model_data.fetch_additional(container, self._objects, root / "ml" / ADDITIONAL, name)
        variables = {**container.get("Environment", {}), **environment}
        program = image.serve(uri, variables)
        listener = socket.create_server((self._settings.host, 0), backlog=2048)
        host, port = listener.getsockname()[:2]
        (root / "tmp").mkdir(parents=True, exist_ok=True)
        variables = {**program.environment, **variables, "SAGEMAKER_BIND_TO_PORT": str(port)}
        spec = ProcessSpec(program=program, root=root, log=log, environment=variables)
        if not program.accepts_socket:
            listener.close()
            return ServerProcess(self._run(spec, None), host, port, spec)
        try:
            process = self._run(spec, listener)
        except BaseException:
            listener.close()
            raise
        if supervised:
            return ServerProcess(process, host, port, spec, listener)
        listener.close()
        return ServerProcess(process, host, port, spec)

    def _run(self, spec: ProcessSpec, listener: socket.socket | None) -> Process:
        listen = {"LOCAL_SAGEMAKER_LISTEN_FD": listener.fileno()} if listener else {}
        return self._processes.start(replace(spec, listen=listen))


def _await_ping(
    server: ServerProcess, container: str, variant: str, deadline: float, stop: threading.Event | None = None
) -> None:
    """Waits for a 200 of /ping. A server that has its socket already is queried once; others as soon as they listen."""
    pause = 0.005
    while time.monotonic() < deadline and server.process.wait(0) is None and not (stop and stop.is_set()):
        seconds = min(PING_SECONDS, max(0.05, deadline - time.monotonic()))
        if ModelClient(server.url, seconds=seconds).is_healthy():
            return
        server.process.wait(pause)  # ends early when the process does
        pause = min(2 * pause, 0.25)
    raise ModelServerError(
        f"The {container} container for production variant {variant} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
