"""Tuning steps: one hyperparameter tuning job. Its properties are the Describe response together with
``TrainingJobSummaries``, the 50 best training jobs, the best one first (contracts: pipelines 1.4)."""

from __future__ import annotations

from dataclasses import replace

from local_sagemaker.api.request_shapes import response_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.job_names import name_tuning_job
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.retry import JOB_INTERNAL_ERROR
from local_sagemaker.engine.steps.job import JobStep
from local_sagemaker.engine.steps.step_type import Prepared, Record, StepContext, StepResult, StepRun, with_tags
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.objects.uris import join

_KEPT = 50
_DEFINITION_KEY = (
    "AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters", "TuningObjective",
)  # fmt: skip


class TuningStep(JobStep, noun="HyperParameterTuningJob"):
    """A JobStep with shorter names, other metadata, and properties from two operations."""

    type = "Tuning"
    job = "hyper-parameter-tuning-job"
    key = ("HyperParameterTuningJobConfig", "TrainingJobDefinitions")

    def prepare(self, run: StepRun) -> Prepared:
        """The Create request. Its job belongs to no experiment."""
        name = self.new_name(run)
        return Prepared(name, with_tags({**self.arguments(run, name), self.name_member: name}, run))

    def new_name(self, run: StepRun) -> str:
        """Shorter than other jobs' names."""
        prefix = resolve(run.step.arguments.get(self.name_member), run.scope(""))
        return name_tuning_job(run.execution.id, run.step.name, prefix)

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:  # noqa: ARG002 - as JobStep has it
        """By the response shapes of the two operations."""
        operation = "ListTrainingJobsForHyperParameterTuningJob" if path[:1] == ("TrainingJobSummaries",) else None
        return type_at(response_shape(operation or f"Describe{self.noun}"), path)

    def signature(self, request: Record) -> Record | None:
        """Of one definition only some members count, of several all (contracts: pipelines 2.6)."""
        key = super().signature(request) or {}
        if "TrainingJobDefinition" in request:
            definition = request["TrainingJobDefinition"]
            chosen = {member: definition[member] for member in _DEFINITION_KEY if member in definition}
            key["TrainingJobDefinition"] = chosen
        return key

    def metadata(self, arn: str, run: StepRun) -> Record:  # noqa: ARG002 - as JobStep has it
        """What listings show of the step."""
        return {"TuningJob": {"Arn": arn}}

    def outcome(self, run: StepRun, resource: Record) -> StepResult | None:
        """By the job's status. An internal error of a tuning job is never retried."""
        result = super().outcome(run, resource)
        return replace(result, cause=None) if result and result.cause == JOB_INTERNAL_ERROR else result

    def outputs(self, properties: Record) -> list[str]:
        """The best model."""
        return _best_model(properties)

    def properties(self, record: Record, context: StepContext) -> Record:
        """The Describe response of the job in the step's metadata, and its training jobs."""
        name = {self.name_member: last(record["Metadata"]["TuningJob"]["Arn"])}
        description = context.call(f"sagemaker:Describe{self.noun}", name)
        final = description.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric", {})
        request = {
            **name,
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Ascending" if final.get("Type") == "Minimize" else "Descending",
            "MaxResults": _KEPT,
        }
        listed = context.call("sagemaker:ListTrainingJobsForHyperParameterTuningJob", request)
        return {**description, "TrainingJobSummaries": listed["TrainingJobSummaries"]}


def _best_model(job: Record) -> list[str]:
    best = job.get("BestTrainingJob", {})
    for definition in [job.get("TrainingJobDefinition"), *job.get("TrainingJobDefinitions", [])]:
        if definition and best and definition.get("DefinitionName") == best.get("TrainingJobDefinitionName"):
            output = definition["OutputDataConfig"]["S3OutputPath"]
            return [join(output, best["TrainingJobName"], "output", "model.tar.gz")]
    return []


TUNING = TuningStep()
