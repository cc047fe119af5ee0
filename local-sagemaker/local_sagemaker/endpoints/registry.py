"""All endpoints of the service: made and changed by the control plane, found by name for each invocation."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.capture import EndpointCapture
from local_sagemaker.endpoints.endpoint_metrics import EndpointMetrics, Put
from local_sagemaker.endpoints.endpoint_spec import EndpointSpec, VariantSpec
from local_sagemaker.endpoints.fleet import Fleet
from local_sagemaker.endpoints.instance import Instance
from local_sagemaker.endpoints.multi_model import MultiModel
from local_sagemaker.endpoints.rollout import Alarms
from local_sagemaker.endpoints.running_endpoint import EndpointObserver, RunningEndpoint, Update
from local_sagemaker.files.removal import discard
from local_sagemaker.logs import Logs
from local_sagemaker.model_servers.async_client import Upstream
from local_sagemaker.model_servers.supervisor import ServerProcess, SupervisedServers
from local_sagemaker.objects.types import Objects

LOG_GROUP = "/aws/sagemaker/Endpoints/{}"
_BEAT = 0.5
_PUT_EVERY = 20  # beats
log = logging.getLogger(__name__)


class EndpointRegistry:
    """The data plane. Without an event loop (`attach`) endpoints can be made but not invoked."""

    def __init__(
        self,
        *,
        settings: Settings,
        objects: Objects,
        logs: Logs,
        servers: SupervisedServers,
        environment: Mapping[str, str] | None = None,
        alarms: Alarms = lambda _names: (),
        put_metrics: Put | None = None,
    ) -> None:
        """`environment` is what a client inside a container needs to reach this service."""
        self._settings, self._objects, self._logs, self._servers = settings, objects, logs, servers
        self._environment = dict(environment or {})
        self._alarms = alarms
        self.measures = EndpointMetrics(put_metrics)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: dict[str, RunningEndpoint] = {}
        self._returning: set[str] = set()
        self._streams: set[tuple[str, str]] = set()
        self._ended = threading.Event()
        self._keeper: threading.Thread | None = None
        self._folder = settings.endpoints

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Says in which event loop invocations run."""
        self._loop = loop

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop of invocations, None before there is one."""
        return self._loop if self._loop is not None and self._loop.is_running() else None

    def find(self, name: str) -> RunningEndpoint | None:
        """A running endpoint, whatever the case of the name."""
        return self._running.get(name.lower())

    def expect(self, name: str) -> None:
        """Says that an endpoint served when the service ended and will be created again: its requests wait for it."""
        self._returning.add(name.lower())

    def is_returning(self, name: str) -> bool:
        """Whether an endpoint does not exist yet but was expected."""
        return name.lower() in self._returning

    def on_return(self, name: str) -> None:
        """An expected endpoint exists, or will not come."""
        self._returning.discard(name.lower())

    def create(self, spec: EndpointSpec, observer: EndpointObserver, update: Update | None = None) -> None:
        """Starts an endpoint in the background, and updates it then; the observer is notified of how it went."""
        self._keep()
        running = RunningEndpoint(
            spec, observer=observer, fleet=self._fleet, capture=self._capture, alarms=self._alarms,
            in_loop=self.in_loop,
        )  # fmt: skip
        self._running[spec.name.lower()] = running
        running.create(update)

    def forget(self, name: str) -> None:
        """Drops an endpoint that was removed, with what is left of its files."""
        running = self._running.pop(name.lower(), None)
        self.on_return(name)
        if running:
            discard(self._folder / running.spec.name)

    def in_loop(self, change: Callable[[], None]) -> None:
        """Does something between two requests, and returns when it is done."""
        loop = self.loop
        if loop is None:
            change()
            return

        async def run() -> None:
            change()

        asyncio.run_coroutine_threadsafe(run(), loop).result(60)

    def reset(self) -> None:
        """Ends all endpoints at once."""
        running, self._running = list(self._running.values()), {}
        if running:
            with ThreadPoolExecutor(min(16, len(running))) as pool:
                list(pool.map(RunningEndpoint.kill, running))
        self._streams.clear()
        self._returning.clear()
        discard(self._folder)

    def close(self) -> None:
        """Ends all endpoints; their records say that they are to run again at the next start."""
        self._ended.set()
        self.reset()

    def _fleet(self, spec: EndpointSpec) -> Fleet:
        return Fleet(spec, lambda variant: self._instance(spec, variant))

    def _instance(self, spec: EndpointSpec, variant: VariantSpec) -> Instance:
        identity = f"i-{uuid.uuid4().hex[:17]}"
        group, stream = LOG_GROUP.format(spec.name), f"{variant.name}/{identity}"
        file = self._logs.file(group, stream)
        self._streams.add((group, stream))
        folder = self._folder / spec.name / identity
        container = variant.containers[0]

        def models(_server: ServerProcess, upstream: Upstream, root: Path) -> MultiModel:
            cache = container.get("MultiModelConfig", {}).get("ModelCacheSetting", "Enabled")
            return MultiModel(
                upstream, prefix=container["ModelDataUrl"], folder=root / "ml", objects=self._objects,
                cached=cache == "Enabled",
                count=lambda name, value: self.measures.add(spec.name, variant.name, name, value),
            )  # fmt: skip

        return Instance(
            variant, servers=self._servers, environment={**self._environment, **spec.environment}, folder=folder,
            log=file, stream=stream, models=models,
        )  # fmt: skip

    def _capture(self, spec: EndpointSpec) -> EndpointCapture | None:
        config: Mapping[str, Any] | None = spec.capture
        if not config or not config.get("EnableCapture", True):
            return None
        return EndpointCapture(spec.name, config, self._objects)

    def flush_captures(self) -> None:
        """Writes what endpoints have captured so far: who reads it now misses nothing."""
        for running in list(self._running.values()):
            if running.capture is not None:
                running.capture.flush()

    def _keep(self) -> None:
        """Starts the housekeeping thread with the first endpoint."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep_house, name="endpoints", daemon=True)
            self._keeper.start()

    def _keep_house(self) -> None:
        beat = 0
        while not self._ended.wait(_BEAT):
            beat += 1
            for group, stream in list(self._streams):
                with contextlib.suppress(OSError):
                    self._logs.mark(group, stream)
            for running in list(self._running.values()):
                capture = running.capture
                if capture is not None and capture.due():
                    with log_failure(log, "captured data of endpoint %s", running.spec.name):
                        capture.flush()
            if beat % _PUT_EVERY == 0:
                with log_failure(log, "metrics could not be put"):
                    self.measures.flush()
