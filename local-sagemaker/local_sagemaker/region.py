"""One region of the service, a world of its own: its records, its running work, its resources and their operations."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from local_sagemaker.api.operations import Request, Resource, Response, dispatcher, table
from local_sagemaker.api.validation import check, check_of_client
from local_sagemaker.background import log_failure
from local_sagemaker.client_environment import client_environment, with_hook
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.invocations import EndpointInvocations
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.errors import ValidationError
from local_sagemaker.functions.sandboxes import Sandboxes
from local_sagemaker.jobs.foreground import ForegroundRequest
from local_sagemaker.jobs.runner import JobQueue, JobRunner
from local_sagemaker.jobs.terminal import Terminal
from local_sagemaker.logs import Logs
from local_sagemaker.model_servers.supervisor import SupervisedServers
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.processes import Processes
from local_sagemaker.records import Records
from local_sagemaker.services import (
    apigateway,
    application_autoscaling,
    cloudformation,
    codepipeline,
    lambda_,
    s3,
    sagemaker_metrics,
    sagemaker_runtime,
    scheduler,
)
from local_sagemaker.services import codebuild as codebuild_service
from local_sagemaker.services import events as events_service
from local_sagemaker.services import logs as logs_service
from local_sagemaker.services.cloudformation.custom_responses import CustomResponses
from local_sagemaker.services.cloudwatch.alarm_watch import AlarmWatch
from local_sagemaker.services.cloudwatch.metrics import Metrics
from local_sagemaker.services.codeconnections.connections import Connections
from local_sagemaker.services.codestar_connections import StarConnections
from local_sagemaker.services.git_endpoints import GitEndpoints
from local_sagemaker.services.moto_services import MotoServices
from local_sagemaker.services.moto_services.moto_client import MotoCalls, is_of_moto
from local_sagemaker.services.request_tokens import forget_old_tokens
from local_sagemaker.services.sagemaker.job_resource import RunnerJobs
from local_sagemaker.services.sagemaker.monitoring.overview import Monitors
from local_sagemaker.services.sagemaker.monitoring.schedules import MonitoringSchedules
from local_sagemaker.services.sagemaker.resources import build as build_sagemaker
from local_sagemaker.services.sagemaker.temporary_endpoints import TemporaryEndpointService
from local_sagemaker.services.sns.topic_deliveries import TopicDeliveries

log = logging.getLogger(__name__)
_CHECKS = (check_of_client, check)
"""Of clients' requests, and of CloudFormation's, which may set tags that clients may not."""


@dataclass(frozen=True)
class Shared:
    """What all regions have in common. `url` and `keys` are those of the service's clients."""

    settings: Settings
    url: str
    keys: Mapping[str, str]
    records: Records
    objects: DiskObjects
    processes: Processes
    servers: SupervisedServers
    jobs: JobQueue
    moto_services: MotoServices
    responses: CustomResponses


class Region:
    """One AWS region: records, running work and dispatch table; what `call` does stays in it."""

    def __init__(self, name: str, shared: Shared) -> None:
        self._shared = shared
        self._settings = shared.settings.in_region(name)
        self._records = shared.records.of(name)
        self._logs = Logs(self._settings.logs)
        self._environment = with_hook({}, client_environment(self._settings, shared.url, shared.keys))
        self._metrics = Metrics(self._late_call)
        self._endpoints = EndpointRegistry(
            settings=self._settings, objects=shared.objects, logs=self._logs, servers=shared.servers,
            environment=self._environment, alarms=self._metrics.in_alarm, put_metrics=self._metrics.put,
        )  # fmt: skip
        self._invocations = EndpointInvocations(settings=self._settings, endpoints=self._endpoints)
        self.invoke = self._invocations.invoke
        services = {
            "sagemaker": self._sagemaker(),
            "sagemaker-runtime": self._runtime(),
            "sagemaker-metrics": sagemaker_metrics.build(records=self._records, call=self._late_call),
            "lambda": self._functions(),
            "application-autoscaling": self._build_autoscaling(),
            "s3": s3.build(objects=shared.objects, settings=self._settings),
            "logs": logs_service.build(settings=self._settings, logs=self._logs),
            "events": self._events(),
            "cloudformation": self._stacks(),
        }
        services |= self._code_services()
        services["apigateway"], self.apis = apigateway.build(
            settings=self._settings, records=self._records, call=self._late_call
        )
        schedules = [one for one in services["sagemaker"] if isinstance(one, MonitoringSchedules)]
        self.monitors = Monitors(schedules[0], self._late_call)
        self.resources = [resource for resources in services.values() for resource in resources]
        whole = self._records.transaction
        own = {key: handler for name, part in services.items() for key, handler in table(name, part, whole).items()}
        self._own = frozenset(own)
        moto = MotoCalls(shared.moto_services.respond, name)
        self.call, self._stack_call = (dispatcher(own, checks, moto) for checks in _CHECKS)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Says in which event loop invocations run."""
        self._endpoints.attach(loop)

    def resume(self) -> None:
        """Takes up what a stop or a crash of the service interrupted."""
        forget_old_tokens(self._records)
        for resource in self.resources:
            with log_failure(log, "%s could not be resumed in %s", type(resource).__name__, self._settings.region):
                resource.resume()

    def run_in_foreground(self, kind: str, job: str, terminal: Terminal, wish: ForegroundRequest) -> None:
        """Runs the program of a job of that kind once more, at a terminal; returns at once."""
        for resource in self.resources:
            if isinstance(resource, RunnerJobs) and resource.kind.kind == kind:
                resource.run_in_foreground(job, terminal, wish)
                return
        raise ValidationError(f"There are no jobs of the kind '{kind}' that run a program.")

    def reset(self) -> None:
        """Ends all work, before records and files are removed."""
        for resource in self.resources:
            resource.reset()

    def close(self) -> None:
        """Ends all work; it is resumed at the next start."""
        for resource in self.resources:
            resource.close()

    def clear(self) -> None:
        """Removes all logs."""
        self._logs.clear()

    def _late_call(self, name: str, request: Request) -> Response:
        """The spine for those who are built before it is complete."""
        return self.call(name, request)

    def _late_stack_call(self, name: str, request: Request) -> Response:
        """The spine for CloudFormation, which may set the tags that clients may not."""
        return self._stack_call(name, request)

    def _has(self, name: str) -> bool:
        """Whether the region implements an operation; of moto's services, only the service is known before the call."""
        return name in self._own or is_of_moto(name)

    def _events(self) -> list[Resource]:
        settings, records, call = self._settings, self._records, self._late_call
        moto_services = self._shared.moto_services
        return [
            *events_service.build(settings=settings, records=records, objects=self._shared.objects, call=call),
            AlarmWatch(settings=settings, records=records, call=call, has_state=moto_services.has_state),
            TopicDeliveries(settings=settings, records=records, call=call, topics=moto_services.topics),
        ]

    def _sagemaker(self) -> list[Resource]:
        shared = self._shared
        temporary = TemporaryEndpointService(records=self._records, call=self._late_call, hosting=self._endpoints)
        runner = JobRunner(
            settings=self._settings,
            queue=shared.jobs,
            objects=shared.objects,
            logs=self._logs,
            processes=shared.processes,
            servers=shared.servers,
            endpoints=temporary,
            call=self._late_call,
            service_environment=self._environment,
            put_metrics=self._metrics.put,
        )
        return build_sagemaker(
            settings=self._settings,
            records=self._records,
            objects=shared.objects,
            logs=self._logs,
            runner=runner,
            hosting=self._endpoints,
            temporary_endpoints=temporary,
            processes=shared.processes,
            call=self._late_call,
        )

    def _stacks(self) -> list[Resource]:
        return cloudformation.build(
            settings=self._settings,
            records=self._records,
            objects=self._shared.objects,
            call=self._late_stack_call,
            distrusts=self._shared.moto_services.distrusts,
            responses=self._shared.responses,
        )

    def _runtime(self) -> list[Resource]:
        return sagemaker_runtime.build(
            settings=self._settings,
            records=self._records,
            objects=self._shared.objects,
            endpoints=self._endpoints,
            invocations=self._invocations,
            call=self._late_call,
        )

    def _functions(self) -> list[Resource]:
        sandboxes = Sandboxes(
            folder=self._settings.functions / "sandboxes",
            logs=self._logs,
            processes=self._shared.processes,
            service_environment=self._environment,
        )
        return lambda_.build(settings=self._settings, records=self._records, sandboxes=sandboxes, call=self._late_call)

    def _code_services(self) -> dict[str, list[Resource]]:
        shared = self._shared
        self.git = GitEndpoints(settings=self._settings, records=self._records, url=shared.url)
        builds, own_builds, own_batches = codebuild_service.build(
            settings=self._settings,
            records=self._records,
            objects=shared.objects,
            logs=self._logs,
            processes=shared.processes,
            environment=self._environment,
            repositories=self.git.find,
            roles=shared.moto_services,
            call=self._late_call,
        )
        pipelines, self.approvals = codepipeline.build(
            settings=self._settings,
            records=self._records,
            objects=shared.objects,
            repositories=self.git.find,
            start_build=own_builds.start_for,
            start_batch=own_batches.start_for,
            call=self._late_call,
        )
        connections: dict[str, list[Resource]] = {
            kind.service: [kind(settings=self._settings, records=self._records, hosted=self.git.connected)]
            for kind in (Connections, StarConnections)
        }
        return {
            "codecommit": self.git.resources, "codebuild": builds, "codepipeline": pipelines, **connections,
            "scheduler": scheduler.build(
                settings=self._settings, records=self._records, call=self._late_call, has=self._has
            ),
        }  # fmt: skip

    def _build_autoscaling(self) -> list[Resource]:
        return application_autoscaling.build(
            settings=self._settings,
            records=self._records,
            call=self._late_call,
            count=self._endpoints.measures.invocations,
        )
