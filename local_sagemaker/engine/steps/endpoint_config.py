"""EndpointConfig steps: CreateEndpointConfig, which ends at once. Properties are DescribeEndpointConfig's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.shapes import request_shape
from local_sagemaker.engine.steps.job import refusal
from local_sagemaker.engine.steps.step_type import SUCCEEDED, Ended, Immediate, Record, StepRun, Tools
from local_sagemaker.errors import ServiceError

_NOT_KEY = ("EndpointConfigName", "Tags")


@dataclass(frozen=True)
class EndpointConfigStep(Immediate):
    """Makes an endpoint configuration, under the name that the definition gives or one of the execution's."""

    type: str = field(default="EndpointConfig", init=False)
    operation: str = field(default="CreateEndpointConfig", init=False)

    def resolve(self, run: StepRun) -> Record:
        """The CreateEndpointConfig request."""
        arguments = resolve(run.step.arguments, run.scope)
        run.record["_job"] = arguments.get("EndpointConfigName") or run.job_name
        request: Record = fit(arguments, request_shape(self.operation))
        return {**request, "EndpointConfigName": run.job_name}

    def signature(self, request: Record) -> Record | None:
        """Everything but the name and the tags."""
        return {name: value for name, value in request.items() if name not in _NOT_KEY}

    def start(self, run: StepRun) -> Ended | None:
        """Creates the configuration."""
        try:
            answer = run.tools.call("sagemaker:CreateEndpointConfig", run.request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = {"EndpointConfig": {"Arn": answer["EndpointConfigArn"]}}
        return SUCCEEDED

    def resume(self, run: StepRun) -> Ended | None:
        """The configuration may have been made just before the kill."""
        try:
            found = run.tools.call("sagemaker:DescribeEndpointConfig", {"EndpointConfigName": run.job_name})
        except ServiceError:
            return self.start(run)
        run.record["Metadata"] = {"EndpointConfig": {"Arn": found["EndpointConfigArn"]}}
        return SUCCEEDED

    def properties(self, record: Record, tools: Tools) -> Record:
        """DescribeEndpointConfig's answer."""
        name = last(record["Metadata"]["EndpointConfig"]["Arn"])
        return tools.call("sagemaker:DescribeEndpointConfig", {"EndpointConfigName": name})


ENDPOINT_CONFIG = EndpointConfigStep()
