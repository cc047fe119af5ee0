"""Model steps: CreateModel, which ends at once. Properties are DescribeModel's answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.steps.job import refusal
from local_sagemaker.engine.steps.step_type import RETRIED, SUCCEEDED, Ended, Immediate, Record, StepRun, Tools, tagged
from local_sagemaker.errors import ServiceError


@dataclass(frozen=True)
class ModelStep(Immediate):
    """Makes a model under a generated name."""

    type: str = field(default="Model", init=False)
    operation: str = field(default="CreateModel", init=False)
    described: str = field(default="DescribeModel", init=False)
    members: frozenset[str] = field(default=RETRIED, init=False)
    name_member: str = field(default="ModelName", init=False)

    def resolve(self, run: StepRun) -> Record:
        """The CreateModel request."""
        request: Record = fit(resolve(run.step.arguments, run.scope), request_shape(self.operation))
        return tagged({**request, "ModelName": run.job_name}, run)

    def start(self, run: StepRun) -> Ended | None:
        """Creates the model."""
        try:
            answer = run.tools.call("sagemaker:CreateModel", run.request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = {"Model": {"Arn": answer["ModelArn"]}}
        return SUCCEEDED

    def resume(self, run: StepRun) -> Ended | None:
        """The model may have been made just before the kill: its name is this step's own."""
        try:
            answer = run.tools.call("sagemaker:DescribeModel", {"ModelName": run.job_name})
        except ServiceError:
            return self.start(run)
        run.record["Metadata"] = {"Model": {"Arn": answer["ModelArn"]}}
        return SUCCEEDED

    def properties(self, record: Record, tools: Tools) -> Record:
        """DescribeModel's answer."""
        return tools.call("sagemaker:DescribeModel", {"ModelName": last(record["Metadata"]["Model"]["Arn"])})


MODEL = ModelStep()
