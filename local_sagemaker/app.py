"""The composition root: stores, then runners, then services, then the wire. Nothing else knows everybody."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from local_sagemaker import images
from local_sagemaker.client_environment import client_environment, with_hook
from local_sagemaker.config import Settings
from local_sagemaker.engine import shapes
from local_sagemaker.events import Events
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invocations import Invocations
from local_sagemaker.hosting.model_servers import ModelServers
from local_sagemaker.jobs.runner import JobRunner
from local_sagemaker.logs import Logs
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.operations import Call, Request, Response, dispatcher, table
from local_sagemaker.processes.client import ForkedProcesses
from local_sagemaker.records import Records
from local_sagemaker.records.store import GLOBAL
from local_sagemaker.services import apigateway, application_autoscaling, lambda_, s3, sagemaker_runtime
from local_sagemaker.services import logs as logs_service
from local_sagemaker.services.neighbours import Neighbours
from local_sagemaker.services.neighbours.cloudwatch import CloudWatch
from local_sagemaker.services.raw_services import RawServices
from local_sagemaker.services.sagemaker.resources import build as build_sagemaker
from local_sagemaker.services.sagemaker.temporary_endpoints import TemporaryEndpoints
from local_sagemaker.wire import spec
from local_sagemaker.wire.control import PREFIX, Control
from local_sagemaker.wire.credentials import Credentials
from local_sagemaker.wire.gateway import Gateway
from local_sagemaker.wire.validate import check

log = logging.getLogger(__name__)
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """Everything of one running service. `asgi` is what the HTTP server serves."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        shapes.load_with(spec.model)
        images.configure(settings.home / "images.json")
        self.credentials = Credentials(settings.credentials_file)
        self.records = Records(settings.records_file, settings.region)
        self.objects = DiskObjects(settings.objects)
        self.logs = Logs(settings.logs)
        self.events = Events()
        self.processes = ForkedProcesses(settings=settings)
        self.servers = ModelServers(settings=settings, objects=self.objects, processes=self.processes)
        keys = {
            "access_key_id": self.credentials.access_key_id,
            "secret_access_key": self.credentials.secret_access_key,
        }
        in_processes = with_hook({}, client_environment(settings, url, keys))
        sandboxes = Sandboxes(
            folder=settings.functions / "sandboxes",
            logs=self.logs,
            processes=self.processes,
            service_environment=in_processes,
        )
        functions = lambda_.build(settings=settings, records=self.records, sandboxes=sandboxes, call=self._late_call)
        self.neighbours = Neighbours(settings=settings, records=self.records.of(GLOBAL), credentials=self.credentials)
        cloudwatch = CloudWatch(self.neighbours.answer, settings.region)
        self.endpoints = Endpoints(
            settings=settings,
            objects=self.objects,
            logs=self.logs,
            servers=self.servers,
            environment=in_processes,
            alarms=cloudwatch.in_alarm,
            put_metrics=cloudwatch.put_metrics,
        )
        invocations = Invocations(settings=settings, endpoints=self.endpoints)
        runtime = sagemaker_runtime.build(
            settings=settings,
            records=self.records,
            objects=self.objects,
            endpoints=self.endpoints,
            invocations=invocations,
        )
        temporary_endpoints = TemporaryEndpoints(records=self.records, call=self._late_call, hosting=self.endpoints)
        self.runner = JobRunner(
            settings=settings,
            objects=self.objects,
            logs=self.logs,
            processes=self.processes,
            servers=self.servers,
            endpoints=temporary_endpoints,
            call=self._late_call,
            service_environment=in_processes,
            put_metrics=cloudwatch.put_metrics,
        )
        sagemaker = build_sagemaker(
            settings=settings,
            records=self.records,
            objects=self.objects,
            events=self.events,
            logs=self.logs,
            runner=self.runner,
            hosting=self.endpoints,
            temporary_endpoints=temporary_endpoints,
            processes=self.processes,
            call=self._late_call,
        )
        apis, served_apis = apigateway.build(settings=settings, records=self.records, call=self._late_call)
        raw = RawServices(apis=served_apis, neighbours=self.neighbours)
        autoscaling = application_autoscaling.build(
            settings=settings,
            records=self.records,
            events=self.events,
            call=self._late_call,
            count=self.endpoints.measures.invocations,
        )
        self.resources = [*sagemaker, *runtime, *functions, *autoscaling]
        self.call: Call = dispatcher(
            {
                **table("sagemaker", sagemaker),
                **table("sagemaker-runtime", runtime),
                **table("s3", s3.build(objects=self.objects, settings=settings)),
                **table("logs", logs_service.build(settings=settings, logs=self.logs)),
                **table("lambda", functions),
                **table("apigateway", apis),
                **table("application-autoscaling", autoscaling),
            },
            check,
        )
        verbs = {"reset": self.reset, "status": self.status}
        self._control = Control(verbs, self.credentials.secret_access_key, settings)
        self._gateway = Gateway(
            call=self.call,
            neighbours=raw,
            credentials=self.credentials,
            settings=settings,
            invoke=invocations.invoke,
            unsigned=lambda request: raw.unsigned(request.host, request.path),
        )

    def _late_call(self, name: str, request: Request) -> Response:
        """The spine for those who are built before it is complete."""
        return self.call(name, request)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The command line's control verbs, and everything else to the wire."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._control(scope, send)
        else:
            await self._gateway(scope, receive, send)

    def after_ready(self) -> None:
        """What need not delay readiness: warm processes and service models, and the work that a kill interrupted.

        Called in the event loop, where invocations are to run.
        """
        self.endpoints.attach(asyncio.get_running_loop())
        threading.Thread(target=self._warm, name="warm", daemon=True).start()

    def _warm(self) -> None:
        resumes = [resource.resume for resource in self.resources if hasattr(resource, "resume")]
        for part in (self.processes.warm, *resumes, spec.warm, self.neighbours.warm):
            try:
                part()
            except Exception:  # what failed must not keep the others from going on
                log.exception("%s failed", part.__qualname__)

    def status(self) -> dict[str, Any]:
        """What the service holds, for people."""
        executions = self.records.list("pipeline-execution")
        return {
            "pipelines": len(self.records.list("pipeline")),
            "executions": len(executions),
            "executions running": sum(e.get("PipelineExecutionStatus") == "Executing" for e in executions),
            "jobs running": self.runner.running(),
            "models": len(self.records.list("model")),
            "model packages": len(self.records.list("model-package")),
            "buckets": len(self.objects.buckets.list()),
        }

    def reset(self) -> None:
        """Stops all running work and removes all records, objects and logs."""
        for resource in self.resources:
            if hasattr(resource, "reset"):
                resource.reset()
        self.runner.reset()
        self.records.clear()
        self.objects.clear()
        self.logs.clear()
        self.neighbours.reset()
        shutil.rmtree(self._settings.jobs, ignore_errors=True)

    def close(self) -> None:
        """Ends processes and closes files; interrupted work goes on at the next start."""
        for resource in self.resources:
            if hasattr(resource, "close"):
                resource.close()
        self.runner.close()
        self.processes.close()
        self.objects.close()
        self.records.close()
