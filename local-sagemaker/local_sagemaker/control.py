"""What the service does that is no AWS operation: its health, and the verbs of its command line.

Verbs are for any user who can read the state folder's secret key. They have threads of their own: a service that is
busy with everything else still reports its state, and can be emptied.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.files.removal import discard
from local_sagemaker.jobs.foreground import ForegroundRequest
from local_sagemaker.jobs.runner import JobQueue
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.records import Records
from local_sagemaker.records.status import ExecutionStatus
from local_sagemaker.regions import Regions
from local_sagemaker.service_clock import ServiceClock
from local_sagemaker.services.moto_services import MotoServices
from local_sagemaker.studio.lazy_app import StudioGate
from local_sagemaker.wire.authentication import is_own_host
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.request import WireRequest, WireResponse
from local_sagemaker.wire.responses import send_response

HEALTH = "/_health"
PREFIX = "/_local-sagemaker/"
log = logging.getLogger(__name__)
Verb = Callable[..., Any]
"""Called with the parameters of the query, as texts. What it returns is shown as JSON; None is an empty object."""


def has_path(path: str) -> bool:
    """Whether a request's path is one of this module's."""
    return path == HEALTH or path.startswith(PREFIX)


class Control:
    """Serves ``GET /_health`` and ``POST /_local-sagemaker/<verb>`` with JSON."""

    def __init__(self, verbs: Mapping[str, Verb], secret: str, settings: Settings) -> None:
        self._verbs = verbs
        self._secret = secret.encode()
        self._settings = settings
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="control")

    async def __call__(self, scope: Mapping[str, Any], send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        request = WireRequest.from_scope(scope, from_bytes(b""))
        status, document = await self._respond(request)
        body = json.dumps(document or {}).encode()
        await send_response(
            send, WireResponse(status, {"Content-Type": "application/json", "Connection": "close"}, body)
        )

    async def _respond(self, request: WireRequest) -> tuple[int, Any]:
        if not is_own_host(request.host, self._settings):
            return 403, {"message": "the local service does not respond for this host"}
        if request.path == HEALTH and request.method == "GET":  # without a thread: these may all be busy
            return 200, {"status": "running", "region": self._settings.region, "account": self._settings.account}
        secret = request.headers.get("x-secret", "").encode("utf-8", "replace")
        if not secrets.compare_digest(secret, self._secret):
            return 403, {"message": "the key of the state folder is needed"}
        verb = request.path.removeprefix(PREFIX)
        if request.method != "POST" or verb not in self._verbs:
            return 404, {"message": f"there is no '{verb}'"}
        try:
            work = _bind(verb, self._verbs[verb], dict(parse_qsl(request.query)))
            return 200, await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ServiceError as error:
            return 400, {"message": error.message}
        except Exception as error:
            log.exception("control verb %s failed", verb)
            return 500, {"message": f"{verb} failed: {error!r}; the service's log has more"}


def _bind(name: str, verb: Verb, parameters: dict[str, str]) -> Callable[[], Any]:
    """A verb with its parameters. Raises ValidationError for those that it does not take, or lacks."""
    try:
        inspect.signature(verb).bind(**parameters)
    except TypeError as error:
        raise ValidationError(f"The parameters do not fit {name}: {error}.") from error
    return partial(verb, **parameters)


@dataclass(frozen=True, kw_only=True)
class ControlVerbs:
    """The verbs, over all of the service's parts."""

    settings: Settings
    clock: ServiceClock
    records: Records
    objects: DiskObjects
    jobs: JobQueue
    moto_services: MotoServices
    regions: Regions

    def by_name(self, studio: StudioGate) -> dict[str, Verb]:
        """All verbs by the name that a request has."""
        return {
            "reset": self.reset, "status": self.status, "clock": self.clock.move, "import": self.objects.take_in_files,
            "monitors": lambda region="": self.regions.of(region).monitors.overview(),
            "monitor-run": lambda schedule, region="": self.regions.of(region).monitors.run(schedule),
            "monitor-execution": lambda key, region="": self.regions.of(region).monitors.execution(key),
            "approvals": lambda pipeline="", region="": self.regions.of(region).approvals.overview(pipeline),
            "approval-result": self.decide,
            "studio": studio.link, "studio-revoke": studio.revoke,
            "run-in-foreground": self.run_in_foreground,
        }  # fmt: skip

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

    def decide(
        self, *, pipeline: str, status: str, summary: str = "", stage: str = "", action: str = "", region: str = ""
    ) -> dict[str, Any]:
        """Approves or rejects what waits in a delivery pipeline."""
        return self.regions.of(region).approvals.decide(pipeline, status, summary, stage, action)

    def run_in_foreground(
        self, *, address: str, region: str, kind: str, job: str, environment: str, shell: str = "", shown: str = ""
    ) -> None:
        """Runs a job's program, or a shell in its place, at the terminal of the client that listens at the address.

        `environment` are variables as JSON; `shell` is empty or not; `shown` is a folder that the job needs, or empty.
        """
        terminal = Terminal(address)
        try:
            wish = ForegroundRequest(bool(shell), json.loads(environment), (Path(shown),) if shown else ())
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
        self.moto_services.reset()
        for folder in (self.settings.home / "jobs").iterdir():
            if not folder.name.startswith("."):
                discard(folder)
        discard(self.settings.home / "failed-jobs")
