"""The composition root: stores, then runtimes, then the regions with their services, then the wire and control."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence

from local_sagemaker import images
from local_sagemaker.allocator import spare_what_is_loaded
from local_sagemaker.api import models
from local_sagemaker.api.operations import Request, Response
from local_sagemaker.background import log_failure
from local_sagemaker.config import Settings
from local_sagemaker.control import Control, ControlVerbs, has_path
from local_sagemaker.http import Receive, Scope, Send
from local_sagemaker.jobs.runner import JobQueue
from local_sagemaker.model_servers.supervisor import SupervisedServers
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.processes.client import ForkedProcesses
from local_sagemaker.records import Records
from local_sagemaker.records.store import GLOBAL
from local_sagemaker.region import Shared
from local_sagemaker.regions import Regions
from local_sagemaker.service_clock import ServiceClock
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.codecommit.git_http import GitHttp
from local_sagemaker.services.moto_services import MotoServices
from local_sagemaker.services.unmodelled import UnmodelledServices
from local_sagemaker.state_folder import discard_leftovers, move_into_regions
from local_sagemaker.studio.lazy_app import StudioGate
from local_sagemaker.wire.credentials import Credentials
from local_sagemaker.wire.gateway import Gateway

log = logging.getLogger(__name__)


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
        self.moto_services = MotoServices(
            settings=self._settings, records=self.records.of(GLOBAL), credentials=self.credentials, url=url
        )
        keys = {
            "access_key_id": self.credentials.access_key_id,
            "secret_access_key": self.credentials.secret_access_key,
        }
        self._custom_responses = CustomResponses(url)
        shared = Shared(
            settings=self._settings,
            url=url,
            keys=keys,
            records=self.records,
            objects=self.objects,
            processes=self.processes,
            servers=self.servers,
            jobs=self.jobs,
            moto_services=self.moto_services,
            responses=self._custom_responses,
        )
        self.regions = Regions(shared)

    def _make_wire(self, url: str) -> None:
        verbs = ControlVerbs(
            settings=self._settings,
            clock=self._clock,
            records=self.records,
            objects=self.objects,
            jobs=self.jobs,
            moto_services=self.moto_services,
            regions=self.regions,
        )
        git = GitHttp(self.regions.git_door, self.credentials.find)
        raw = UnmodelledServices(
            apis=self.regions.serving, git=git, moto_services=self.moto_services, responses=self._custom_responses
        )
        self._studio = StudioGate(
            settings=self._settings,
            records=self.records,
            call=lambda region: self.regions.of(region).call,
            secret=self.credentials.secret_access_key,
            url=url,
            status=verbs.status,
        )
        self._control = Control(verbs.by_name(self._studio), self.credentials.secret_access_key, self._settings)
        self._gateway = Gateway(
            call=lambda region: self.regions.of(region).call,
            others=raw,
            credentials=self.credentials,
            settings=self._settings,
            invoke=lambda region: self.regions.of(region).invoke,
            unsigned=lambda sent: raw.find_unsigned(sent.method, sent.host, sent.path, sent.query, sent.headers),
        )

    def call(self, name: str, request: Request) -> Response:
        """The spine in the default region."""
        return self.regions.of("").call(name, request)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Health and the command line's verbs, the pages, and everything else to the wire."""
        if scope["type"] == "http" and has_path(scope["path"]):
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
        warms = [self.processes.warm, models.warm, self.moto_services.warm, spare_what_is_loaded]
        warms = warms if self._settings.preload else []
        for name, parts in (("resume", resumes), ("warm", warms)):  # events and pipelines wait for no library
            threading.Thread(target=self._do, args=(parts,), name=name, daemon=True).start()

    @staticmethod
    def _do(parts: Sequence[Callable[[], None]]) -> None:
        for part in parts:
            with log_failure(log, "%s failed", part.__qualname__):
                part()

    def close(self) -> None:
        """Ends processes and closes files; interrupted work is resumed at the next start."""
        for region in self.regions.all():
            region.close()
        self.jobs.close()
        self.processes.close()
        self.objects.close()
        self.records.close()
