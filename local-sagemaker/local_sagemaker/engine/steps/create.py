"""Steps that make one resource by its Create operation. Their properties are the Describe response.

Model and EndpointConfig steps are no more than that and end at once; job and endpoint steps wait for what they made.
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.retry import cause_of_error
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    RETRIED,
    SUCCEEDED,
    Prepared,
    Record,
    StepContext,
    StepResult,
    StepRun,
    StepType,
    failure,
    with_tags,
)
from local_sagemaker.errors import MISSING, ServiceError


class CreateStep(StepType):
    """A resource's step. `noun` is the resource as operations name it (``TrainingJob``)."""

    noun: str
    operation: str
    name_member: str

    def __init_subclass__(cls, noun: str = "", **more: Any) -> None:
        """Derives the operations' and members' names from the noun."""
        super().__init_subclass__(**more)
        if noun:
            cls.noun, cls.operation, cls.described, cls.name_member = (
                noun, f"Create{noun}", f"Describe{noun}", f"{noun}Name",
            )  # fmt: skip

    def prepare(self, run: StepRun) -> Prepared:
        """The Create request: the arguments in the API's types, under a new name."""
        name = self.new_name(run)
        request = {**self.arguments(run, name), self.name_member: name}
        return Prepared(name, with_tags(request, run))

    def arguments(self, run: StepRun, name: str) -> Record:
        """The arguments in the API's types; expressions see the name of what is about to be made."""
        request: Record = fit(resolve(run.step.arguments, run.scope(name)), request_shape(self.operation))
        return request

    def start(self, run: StepRun) -> StepResult | None:
        """Creates the resource."""
        return self.create(run, run.request)

    def create(self, run: StepRun, request: Record) -> StepResult | None:
        """Creates it by this request; a refusal is the step's failure, with AWS's text."""
        try:
            response = run.context.call(f"sagemaker:{self.operation}", request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = self.metadata(response[f"{self.noun}Arn"], run)
        return None if self.job else SUCCEEDED

    def metadata(self, arn: str, run: StepRun) -> Record:
        """What listings show of the step."""
        return {self.noun: {"Arn": arn}}

    def resume(self, run: StepRun) -> StepResult | None:
        """Takes up what the record names, or creates it when the crash came before: the name is this step's own."""
        resource = self.describe(run.job_name, run.context)
        if resource is None:
            return self.start(run)
        run.record["Metadata"] = self.metadata(resource[f"{self.noun}Arn"], run)
        return self.outcome(run, resource)

    def result(self, run: StepRun) -> StepResult | None:
        """The outcome by what Describe says."""
        resource = self.describe(run.job_name, run.context)
        if resource is None:
            return failure(f"ClientError: {run.job_name} no longer exists.")
        return self.outcome(run, resource)

    def outcome(self, run: StepRun, resource: Record) -> StepResult | None:
        """Reads a Describe response."""
        return SUCCEEDED

    def describe(self, name: str, context: StepContext) -> Record | None:
        """The Describe response, or None when there is no such resource."""
        try:
            return context.call(f"sagemaker:{self.described}", {self.name_member: name})
        except MISSING:
            return None

    def properties(self, record: Record, context: StepContext) -> Record:
        """The Describe response of the resource in the step's metadata."""
        details: Record = next(iter(record["Metadata"].values()))
        return context.call(f"sagemaker:{self.described}", {self.name_member: last(details["Arn"])})


def refusal(operation: str, error: ServiceError) -> StepResult:
    """The failure of a step whose operation was refused, as AWS words it."""
    reason = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
    return failure(reason, cause_of_error(error))


def without(request: Record, members: Iterable[str]) -> Record:
    """A request without some of its members."""
    return {name: value for name, value in request.items() if name not in members}


class ModelStep(CreateStep, noun="Model"):
    """Makes a model under a generated name."""

    type = "Model"
    members = RETRIED


class EndpointConfigStep(CreateStep, noun="EndpointConfig"):
    """Makes an endpoint configuration.

    The name that the definition gives gets a suffix of the execution (aws/sagemaker-python-sdk, pull request 6224).
    """

    type = "EndpointConfig"
    members = CACHED | RETRIED

    def signature(self, request: Record) -> Record | None:
        """Everything but the name and the tags."""
        return without(request, ("EndpointConfigName", "Tags"))


MODEL, ENDPOINT_CONFIG = ModelStep(), EndpointConfigStep()
