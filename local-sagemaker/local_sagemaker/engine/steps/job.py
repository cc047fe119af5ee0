"""A step that is one job: Create, wait for its event, Describe. Its properties are the Describe answer.

Processing, Training and Transform steps differ in their operation's names, their cache key and their outputs.
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.request_shapes import request_shape, response_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.retry import cause_of_error, cause_of_failure
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    RETRIED,
    SUCCEEDED,
    Ended,
    Record,
    StepRun,
    Tools,
    failed,
    tagged,
)
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.errors import ServiceError

_GONE = ("ValidationException", "ResourceNotFound")


@dataclass(frozen=True)
class JobStep:
    """A job's step. `noun` is the job as operations name it (``TrainingJob``), `key` the members of its cache key."""

    type: str
    noun: str
    job: str
    key: tuple[str, ...]
    written: Callable[[Record], list[str]]
    """The S3 URIs in a Describe answer that the job wrote to."""
    refused: frozenset[str] = frozenset()
    members: frozenset[str] = CACHED | RETRIED

    @property
    def operation(self) -> str:
        """``CreateTrainingJob``."""
        return f"Create{self.noun}"

    @property
    def name_member(self) -> str:
        """``TrainingJobName``."""
        return f"{self.noun}Name"

    def problems(self, step: Step) -> Iterator[str]:
        """Nothing beyond the arguments."""
        yield from ()

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """None beyond the arguments."""
        yield from ()

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """By the Describe operation's response shape."""
        return type_at(response_shape(f"Describe{self.noun}"), path)

    def resolve(self, run: StepRun) -> Record:
        """The Create request: the arguments in the API's types, the chosen name, the execution's experiment."""
        arguments = resolve(run.step.arguments, run.scope)
        request: Record = fit(arguments, request_shape(self.operation))
        request[self.name_member] = run.job_name
        if run.facts.experiment:
            request["ExperimentConfig"] = {**request.get("ExperimentConfig", {}), **run.facts.experiment}
        return tagged(request, run)

    def signature(self, request: Record) -> Record | None:
        """The members of the request that specs list for the type's cache key."""
        return {member: request[member] for member in self.key if member in request}

    def start(self, run: StepRun) -> Ended | None:
        """Creates the job."""
        return self.create(run, run.request)

    def create(self, run: StepRun, request: Record) -> Ended | None:
        """Creates a job by this request; a refusal is the step's failure, with AWS's text."""
        try:
            answer = run.tools.call(f"sagemaker:{self.operation}", request)
        except ServiceError as error:
            return refusal(self.operation, error)
        run.record["Metadata"] = self.metadata(answer[f"{self.noun}Arn"], run)
        return None

    def metadata(self, arn: str, run: StepRun) -> Record:
        """What listings show of the step."""
        return {self.noun: {"Arn": arn}}

    def resume(self, run: StepRun) -> Ended | None:
        """Takes up the job that the record names, or creates it when the kill came before."""
        found = self.describe(run.job_name, run.tools)
        if found is None:
            return self.start(run)
        run.record["Metadata"] = self.metadata(found[f"{self.noun}Arn"], run)
        return self.outcome(run, found)

    def ended(self, run: StepRun) -> Ended | None:
        """The outcome by the job's status."""
        found = self.describe(run.job_name, run.tools)
        return failed(f"ClientError: {run.job_name} is gone.") if found is None else self.outcome(run, found)

    def outcome(self, run: StepRun, job: Record) -> Ended | None:
        """Reads a Describe answer."""
        status = job[f"{self.noun}Status"]
        if status == "Completed":
            return SUCCEEDED
        if status == "Stopped":
            return Ended("Stopped", self._why_stopped(job))
        if status == "Failed":
            reason = str(job.get("FailureReason", ""))
            return failed(f"ClientError: {reason}", cause_of_failure(reason))
        return None

    def _why_stopped(self, job: Record) -> str | None:
        start, end = (job.get(f"{self.noun.removesuffix('Job')}{which}Time") for which in ("Start", "End"))
        limit = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        if limit and start and end and end - start >= limit:
            return f"ClientError: {self.noun} exceeded its MaxRuntimeInSeconds of {limit} s and was stopped."
        return job.get("FailureReason")

    def stop(self, run: StepRun) -> None:
        """Asks for the job's end; one that has just ended says so by its event."""
        try:
            run.tools.call(f"sagemaker:Stop{self.noun}", {self.name_member: run.job_name})
        except ServiceError as error:
            if error.code not in _GONE:
                raise

    def describe(self, name: str, tools: Tools) -> Record | None:
        """The Describe answer, or None when there is no such job."""
        try:
            return tools.call(f"sagemaker:Describe{self.noun}", {self.name_member: name})
        except ServiceError as error:
            if error.code in _GONE:
                return None
            raise

    def properties(self, record: Record, tools: Tools) -> Record:
        """The Describe answer of the job in the step's metadata."""
        name = last(record["Metadata"][self.noun]["Arn"])
        return tools.call(f"sagemaker:Describe{self.noun}", {self.name_member: name})

    def outputs(self, properties: Record) -> list[str]:
        """What the job wrote to."""
        return self.written(properties)


def refusal(operation: str, error: ServiceError) -> Ended:
    """The failure of a step whose operation was refused, as AWS words it."""
    reason = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {error.message}"
    return failed(reason, cause_of_error(error))


def output_uris(job: Record) -> list[str]:
    """The S3 outputs of a processing job."""
    outputs: list[dict[str, Any]] = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output]
