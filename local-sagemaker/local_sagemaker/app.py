"""The composition root: stores, then runtimes, then the regions with their services, then the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from local_sagemaker import images
from local_sagemaker.api import models
from local_sagemaker.api.operations import Request, Response
from local_sagemaker.background import log_failure
from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.jobs.foreground import ForegroundWish
from local_sagemaker.jobs.runner import JobQueue
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.model_servers.supervisor import SupervisedServers
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.processes.client import ForkedProcesses
from local_sagemaker.records import Records
from local_sagemaker.records.status import ExecutionStatus
from local_sagemaker.records.store import GLOBAL
from local_sagemaker.region import Shared
from local_sagemaker.regions import Regions
from local_sagemaker.service_clock import ServiceClock
from local_sagemaker.services.codecommit.git_http import GitHttp
from local_sagemaker.services.moto_services import MotoServices
from local_sagemaker.services.unmodelled import RawServices
from local_sagemaker.state_folder import discard_leftovers, move_into_regions
from local_sagemaker.studio.gate import StudioGate
from local_sagemaker.wire.control import PREFIX, Control, Verb
from local_sagemaker.wire.credentials import Credentials
from local_sagemaker.wire.gateway import Gateway

log = logging.getLogger(__name__)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """Everything of one running service. `asgi` is what the HTTP server serves."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._clock = ServiceClock(settings)
        self._clock.restore()
        images.configure(settings.home / "images.json")
        self._open_stores()
        self._start_runtimes()
        self._make_regions(url)
        self._make_wire(url)

    def _open_stores(self) -> None:
        settings = self._settings
        self.credentials = Credentials(settings.credentials_file)
        self.records = Records(settings.records_file, settings.region)
        regions = self.records.regions()
        move_into_regions(settings.home, regions[0] if len(regions) == 1 else settings.region)
        self.objects = DiskObjects(settings.objects)

    def _start_runtimes(self) -> None:
        discard_leftovers(self._settings.home)
        self.processes = ForkedProcesses(settings=self._settings)
        self.servers = SupervisedServers(settings=self._settings, objects=self.objects, processes=self.processes)
        self.jobs = JobQueue(self._settings.job_slots)

    def _make_regions(self, url: str) -> None:
        self.neighbours = MotoServices(
            settings=self._settings, records=self.records.of(GLOBAL), credentials=self.credentials
        )
        keys = {
            "access_key_id": self.credentials.access_key_id,
            "secret_access_key": self.credentials.secret_access_key,
        }
        shared = Shared(
            settings=self._settings,
            url=url,
            keys=keys,
            records=self.records,
            objects=self.objects,
            processes=self.processes,
            servers=self.servers,
            jobs=self.jobs,
            neighbours=self.neighbours,
        )
        self.regions = Regions(shared)

    def _make_wire(self, url: str) -> None:
        git = GitHttp(self.regions.git_door, self.credentials.find)
        raw = RawServices(apis=self.regions.serving, git=git, neighbours=self.neighbours)
        self._studio = StudioGate(
            settings=self._settings,
            records=self.records,
            call=lambda region: self.regions.of(region).call,
            secret=self.credentials.secret_access_key,
            url=url,
            status=self.status,
        )
        verbs: dict[str, Verb] = {
            "reset": self.reset, "status": self.status, "import": self.objects.take_in_files, "clock": self._clock.move,
            "monitors": lambda region="": self.regions.of(region).monitors.overview(),
            "monitor-run": lambda schedule, region="": self.regions.of(region).monitors.run(schedule),
            "monitor-execution": lambda key, region="": self.regions.of(region).monitors.execution(key),
            "approvals": lambda pipeline="", region="": self.regions.of(region).approvals.overview(pipeline),
            "approval-result": lambda region="", summary="", **names: self.regions.of(region).approvals.decide(
                summary=summary, **names
            ),
            "studio": self._studio.link, "studio-revoke": self._studio.revoke,
            "run-in-foreground": self.run_in_foreground,
        }  # fmt: skip
        self._control = Control(verbs, self.credentials.secret_access_key, self._settings)
        self._gateway = Gateway(
            call=lambda region: self.regions.of(region).call,
            neighbours=raw,
            credentials=self.credentials,
            settings=self._settings,
            invoke=lambda region: self.regions.of(region).invoke,
            unsigned=lambda request: raw.find_unsigned(request.host, request.path),
        )

    def call(self, name: str, request: Request) -> Response:
        """The spine in the default region."""
        return self.regions.of("").call(name, request)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The command line's control verbs, the pages, and everything else to the wire."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._control(scope, send)
        elif self._studio.has(scope):
            await self._studio(scope, receive, send)
        else:
            await self._gateway(scope, receive, send)

    def after_ready(self) -> None:
        """What need not delay readiness: warm processes and service models, and the work that a crash interrupted.

        Called in the event loop, where invocations are to run.
        """
        self.regions.attach(asyncio.get_running_loop())
        resumes = [region.resume for region in self.regions.all()]
        warms = [self.processes.warm, models.warm, self.neighbours.warm]
        for name, parts in (("resume", resumes), ("warm", warms)):  # events and pipelines wait for no library
            threading.Thread(target=self._do, args=(parts,), name=name, daemon=True).start()

    @staticmethod
    def _do(parts: Sequence[Callable[[], None]]) -> None:
        for part in parts:
            with log_failure(log, "%s failed", part.__qualname__):
                part()

    def status(self) -> dict[str, Any]:
        """What the service holds in all regions, for people."""
        count = self.records.count
        return {
            "pipelines": count("pipeline"),
            "executions": count("pipeline-execution"),
            "executions running": count("pipeline-execution", ExecutionStatus.EXECUTING),
            "jobs running": self.jobs.running(),
            "models": count("model"),
            "model packages": count("model-package"),
            "buckets": len(self.objects.buckets.list()),
        }

    def run_in_foreground(
        self, *, address: str, region: str, kind: str, job: str, environment: str, shell: str = "", shown: str = ""
    ) -> None:
        """Runs a job's program, or a shell in its place, at the terminal of the client that listens at the address.

        `environment` are variables as JSON; `shell` is empty or not; `shown` is a folder that the job needs, or empty.
        """
        terminal = Terminal(address)
        try:
            wish = ForegroundWish(bool(shell), json.loads(environment), (Path(shown),) if shown else ())
            self.regions.of(region).run_in_foreground(kind, job, terminal, wish)
        except BaseException:
            terminal.end(1)
            raise

    def reset(self) -> None:
        """Stops all running work and removes all records, objects and logs, in all regions."""
        for region in self.regions.all():
            region.reset()
        self.jobs.reset()
        self.records.clear()
        self.objects.clear()
        for region in self.regions.all():
            region.clear()
        self.neighbours.reset()
        for folder in (self._settings.home / "jobs").iterdir():
            if not folder.name.startswith("."):
                discard(folder)
        discard(self._settings.home / "failed-jobs")

    def close(self) -> None:
        """Ends processes and closes files; interrupted work is resumed at the next start."""
        for region in self.regions.all():
            region.close()
        self.jobs.close()
        self.processes.close()
        self.objects.close()
        self.records.close()
