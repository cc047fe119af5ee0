"""Steps that are one job: Create, wait for its event, Describe.

Processing, Training and Transform steps differ in their cache key and in where their outputs are.
"""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from contextlib import suppress

from local_sagemaker.engine.retry import cause_of_failure
from local_sagemaker.engine.steps.create import CreateStep
from local_sagemaker.engine.steps.step_type import (
    CACHED,
    RETRIED,
    SUCCEEDED,
    Prepared,
    Record,
    StepResult,
    StepRun,
    failure,
)
from local_sagemaker.errors import MISSING, WrongStatus
from local_sagemaker.records.status import JobStatus, StepStatus


class JobStep(CreateStep):
    """A job's step."""

    members = CACHED | RETRIED
    key: tuple[str, ...]
    """The members of its request that make a cache hit."""

    def prepare(self, run: StepRun) -> Prepared:
        """The Create request, with the execution's experiment."""
        prepared = super().prepare(run)
        if not run.execution.experiment:
            return prepared
        experiment = {**prepared.request.get("ExperimentConfig", {}), **run.execution.experiment}
        return Prepared(prepared.name, {**prepared.request, "ExperimentConfig": experiment})

    def signature(self, request: Record) -> Record | None:
        """The members of the request that the contract lists for the type's cache key."""
        return {member: request[member] for member in self.key if member in request}

    def outcome(self, run: StepRun, resource: Record) -> StepResult | None:
        """By the job's status."""
        status = resource[f"{self.noun}Status"]
        if status == JobStatus.COMPLETED:
            return SUCCEEDED
        if status == JobStatus.STOPPED:
            return StepResult(StepStatus.STOPPED, self._reason_of_stop(resource))
        if status == JobStatus.FAILED:
            reason = str(resource.get("FailureReason", ""))
            return failure(f"ClientError: {reason}", cause_of_failure(reason))
        return None

    def _reason_of_stop(self, job: Record) -> str | None:
        start, end = (job.get(f"{self.noun.removesuffix('Job')}{which}Time") for which in ("Start", "End"))
        limit = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        if limit and start and end and end - start >= limit:
            return f"ClientError: {self.noun} exceeded its MaxRuntimeInSeconds of {limit} s and was stopped."
        return job.get("FailureReason")

    def stop(self, run: StepRun) -> None:
        """Stops the job; one that has just ended has its event anyway."""
        with suppress(WrongStatus, *MISSING):
            run.context.call(f"sagemaker:Stop{self.noun}", {self.name_member: run.job_name})


class ProcessingJobStep(JobStep, noun="ProcessingJob"):
    """A step that is a processing job."""

    job = "processing-job"

    def outputs(self, properties: Record) -> list[str]:
        """The job's S3 outputs."""
        return output_uris(properties)


class ProcessingStep(ProcessingJobStep):
    """One processing job. Outputs, resources and role are not in the cache key."""

    type = "Processing"
    members = CACHED | RETRIED | {"PropertyFiles"}
    key = ("AppSpecification", "Environment", "ProcessingInputs")


class TrainingStep(JobStep, noun="TrainingJob"):
    """One training job (also ``@step`` functions, notebook jobs and repacking, which are such jobs)."""

    type = "Training"
    job = "training-job"
    key = (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    )

    def outputs(self, properties: Record) -> list[str]:
        """The model's archive."""
        artifacts = properties.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        return [artifacts] if artifacts else []


class TransformStep(JobStep, noun="TransformJob"):
    """One batch transform job."""

    type = "Transform"
    job = "transform-job"
    key = ("DataProcessing", "Environment", "ModelName", "TransformInput")

    def outputs(self, properties: Record) -> list[str]:
        """The prefix that the predictions are under."""
        return [properties["TransformOutput"]["S3OutputPath"]]


def output_uris(job: Record) -> list[str]:
    """The S3 outputs of a processing job."""
    outputs: list[Record] = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return [output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output]


PROCESSING, TRAINING, TRANSFORM = ProcessingStep(), TrainingStep(), TransformStep()
