"""Endpoint steps: create an endpoint, or update the one that has the name; ended when it is in service."""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.request_shapes import request_shape, response_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.steps.job import refusal
from local_sagemaker.engine.steps.step_type import CACHED, SUCCEEDED, Ended, Record, StepRun, Tools, failed, tagged
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.errors import ServiceError

_UPDATED = ("EndpointName", "EndpointConfigName", "DeploymentConfig")


@dataclass(frozen=True)
class EndpointStep:
    """An endpoint's step. Waits for the endpoint's events, as a job's step for the job's."""

    type: str = "Endpoint"
    operation: str | None = "CreateEndpoint"
    refused: frozenset[str] = frozenset()
    members: frozenset[str] = CACHED
    job: str | None = "endpoint"
    name_member: str | None = "EndpointName"

    def problems(self, step: Step) -> Iterator[str]:
        """Nothing beyond the arguments."""
        yield from ()

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """None beyond the arguments."""
        yield from ()

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """By DescribeEndpoint's response shape."""
        return type_at(response_shape("DescribeEndpoint"), path)

    def resolve(self, run: StepRun) -> Record:
        """The CreateEndpoint request, with a name only where the definition gives one: it is used as it is."""
        request: Record = fit(resolve(run.step.arguments, run.scope), request_shape("CreateEndpoint"))
        run.record["_job"] = request.get("EndpointName") or run.job_name
        return tagged(request, run)

    def signature(self, request: Record) -> Record | None:
        """The configuration, and the endpoint's name where the definition gives it."""
        return {name: request[name] for name in ("EndpointConfigName", "EndpointName") if name in request}

    def start(self, run: StepRun) -> Ended | None:
        """Creates or updates the endpoint."""
        request, found = {**run.request, "EndpointName": run.job_name}, self._describe(run)
        try:
            if found is None:
                arn = run.tools.call("sagemaker:CreateEndpoint", request)["EndpointArn"]
            elif found["EndpointStatus"] == "InService" and _config(found) == _config(request):
                run.record["Metadata"] = {"Endpoint": {"Arn": found["EndpointArn"]}}
                return SUCCEEDED
            else:
                wanted = {name: value for name, value in request.items() if name in _UPDATED}
                arn = run.tools.call("sagemaker:UpdateEndpoint", wanted)["EndpointArn"]
        except ServiceError as error:
            return refusal("CreateEndpoint" if found is None else "UpdateEndpoint", error)
        run.record["Metadata"] = {"Endpoint": {"Arn": arn}}
        return None

    def resume(self, run: StepRun) -> Ended | None:
        """Takes up the endpoint with its creation or update, or starts again when the crash came before."""
        found = self._describe(run)
        if found is None or _config(run.request) not in (_config(found), _coming(found)):
            return self.start(run)
        run.record["Metadata"] = {"Endpoint": {"Arn": found["EndpointArn"]}}
        return self._outcome(run, found)

    def ended(self, run: StepRun) -> Ended | None:
        """The outcome by the endpoint's status."""
        found = self._describe(run)
        return failed(f"ClientError: Endpoint {run.job_name} is gone.") if found is None else self._outcome(run, found)

    def stop(self, run: StepRun) -> None:
        """An endpoint's change can't be stopped: its end is awaited."""

    def properties(self, record: Record, tools: Tools) -> Record:
        """DescribeEndpoint's answer."""
        return tools.call("sagemaker:DescribeEndpoint", {"EndpointName": last(record["Metadata"]["Endpoint"]["Arn"])})

    def outputs(self, properties: Record) -> list[str]:
        """No files."""
        return []

    def _outcome(self, run: StepRun, endpoint: Record) -> Ended | None:
        status, reason = endpoint["EndpointStatus"], endpoint.get("FailureReason", "")
        if status in ("Failed", "UpdateRollbackFailed", "OutOfService"):
            return failed(f"ClientError: {reason or f'Endpoint {run.job_name} is {status}.'}")
        if status != "InService":
            return None
        if _config(endpoint) != _config(run.request):
            return failed(f"ClientError: The update of endpoint {run.job_name} was rolled back: {reason}")
        return Ended("Stopped") if run.record["StepStatus"] == "Stopping" else SUCCEEDED

    def _describe(self, run: StepRun) -> Record | None:
        try:
            return run.tools.call("sagemaker:DescribeEndpoint", {"EndpointName": run.job_name})
        except ServiceError as error:
            if error.code == "ValidationException":
                return None
            raise


def _config(body: Record) -> str:
    return str(body["EndpointConfigName"])


def _coming(endpoint: Record) -> str | None:
    """The configuration that an update is bringing."""
    pending = endpoint.get("PendingDeploymentSummary")
    return _config(pending) if pending else None


ENDPOINT = EndpointStep()
