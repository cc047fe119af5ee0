"""EndpointConfig steps: CreateEndpointConfig, which ends at once. Properties are DescribeEndpointConfig's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.steps.job import refusal
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    RETRIED,
    SUCCEEDED,
    Ended,
    Immediate,
    Record,
    StepRun,
    Tools,
    tagged,
)
from local_sagemaker.errors import ServiceError

_NOT_KEY = ("EndpointConfigName", "Tags")


@dataclass(frozen=True)
class EndpointConfigStep(Immediate):
    """Makes an endpoint configuration.

    The name that the definition gives gets a suffix of the execution (aws/sagemaker-python-sdk, pull request 6224).
    """

    type: str = field(default="EndpointConfig", init=False)
    operation: str = field(default="CreateEndpointConfig", init=False)
    described: str = field(default="DescribeEndpointConfig", init=False)
    members: frozenset[str] = field(default=CACHED | RETRIED, init=False)
    name_member: str = field(default="EndpointConfigName", init=False)

    def resolve(self, run: StepRun) -> Record:
        """The CreateEndpointConfig request."""
        request: Record = fit(resolve(run.step.arguments, run.scope), request_shape(self.operation))
        return tagged({**request, "EndpointConfigName": run.job_name}, run)

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
