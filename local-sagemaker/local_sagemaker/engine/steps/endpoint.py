"""Endpoint steps: create an endpoint, or update the one that has the name; ended when it is in service."""

from __future__ import annotations

from local_sagemaker.engine.steps.create import CreateStep, refusal
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    STOPPED,
    SUCCEEDED,
    Prepared,
    Record,
    StepResult,
    StepRun,
    failure,
    with_tags,
)
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import EndpointStatus

_UPDATED = ("EndpointName", "EndpointConfigName", "DeploymentConfig")


class EndpointStep(CreateStep, noun="Endpoint"):
    """An endpoint's step. Waits for the endpoint's events, as a job's step for the job's."""

    type = "Endpoint"
    members = CACHED
    job = "endpoint"

    def prepare(self, run: StepRun) -> Prepared:
        """The CreateEndpoint request. A name that the definition gives is used as it is; else the request has none,
        so that a generated name makes no difference for the cache."""
        name = self.new_name(run)
        request = self.arguments(run, name)
        return Prepared(request.get("EndpointName") or name, with_tags(request, run))

    def signature(self, request: Record) -> Record | None:
        """The configuration, and the endpoint's name where the definition gives it."""
        return {name: request[name] for name in ("EndpointConfigName", "EndpointName") if name in request}

    def start(self, run: StepRun) -> StepResult | None:
        """Creates or updates the endpoint."""
        request, endpoint = {**run.request, "EndpointName": run.job_name}, self.describe(run.job_name, run.context)
        if endpoint is None:
            return self.create(run, request)
        if endpoint["EndpointStatus"] == EndpointStatus.IN_SERVICE and _config(endpoint) == _config(request):
            run.record["Metadata"] = self.metadata(endpoint["EndpointArn"], run)
            return SUCCEEDED
        wanted = {name: value for name, value in request.items() if name in _UPDATED}
        try:
            arn = run.context.call("sagemaker:UpdateEndpoint", wanted)["EndpointArn"]
        except ServiceError as error:
            return refusal("UpdateEndpoint", error)
        run.record["Metadata"] = self.metadata(arn, run)
        return None

    def resume(self, run: StepRun) -> StepResult | None:
        """Takes up the endpoint with its creation or update, or starts again when the crash came before."""
        endpoint = self.describe(run.job_name, run.context)
        if endpoint is None or _config(run.request) not in (_config(endpoint), _pending_config(endpoint)):
            return self.start(run)
        run.record["Metadata"] = self.metadata(endpoint["EndpointArn"], run)
        return self.outcome(run, endpoint)

    def stop(self, run: StepRun) -> None:
        """An endpoint's change can't be stopped: its end is awaited."""

    def outcome(self, run: StepRun, resource: Record) -> StepResult | None:
        """By the endpoint's status, and by whether it serves the wanted configuration."""
        status, reason = resource["EndpointStatus"], resource.get("FailureReason", "")
        if status in (EndpointStatus.FAILED, EndpointStatus.UPDATE_ROLLBACK_FAILED, EndpointStatus.OUT_OF_SERVICE):
            return failure(f"ClientError: {reason or f'Endpoint {run.job_name} is {status}.'}")
        if status != EndpointStatus.IN_SERVICE:
            return None
        if _config(resource) != _config(run.request):
            return failure(f"ClientError: The update of endpoint {run.job_name} was rolled back: {reason}")
        return STOPPED if run.is_stopping else SUCCEEDED


def _config(body: Record) -> str:
    return str(body["EndpointConfigName"])


def _pending_config(endpoint: Record) -> str | None:
    """The configuration that an update is bringing."""
    pending = endpoint.get("PendingDeploymentSummary")
    return _config(pending) if pending else None


ENDPOINT = EndpointStep()
