"""Tuning steps: one hyperparameter tuning job. Its properties are the Describe answer together with
``TrainingJobSummaries``, the 50 best training jobs, the best one first (specs: pipelines 1.4)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from local_sagemaker.api.request_shapes import request_shape, response_shape
from local_sagemaker.arns import last
from local_sagemaker.engine.arguments import fit
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.naming import tuning_job_name
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.retry import JOB_INTERNAL_ERROR
from local_sagemaker.engine.steps.job import JobStep
from local_sagemaker.engine.steps.step_type import Ended, Record, StepRun, Tools, tagged
from local_sagemaker.engine.value_types import type_at
from local_sagemaker.objects.uris import join

_KEPT = 50
_DEFINITION_KEY = (
    "AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters", "TuningObjective",
)  # fmt: skip


@dataclass(frozen=True)
class TuningStep(JobStep):
    """A JobStep with shorter names, other metadata, and properties from two operations."""

    def resolve(self, run: StepRun) -> Record:
        """The Create request. Its job belongs to no experiment, and its name is cut shorter."""
        arguments = resolve(run.step.arguments, run.scope)
        request: Record = fit(arguments, request_shape(self.operation))
        prefix = request.get(self.name_member)
        run.record["_job"] = tuning_job_name(run.facts.execution_id, run.step.name, prefix)
        request[self.name_member] = run.job_name
        return tagged(request, run)

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:  # noqa: ARG002 - as JobStep has it
        """By the response shapes of the two operations."""
        operation = "ListTrainingJobsForHyperParameterTuningJob" if path[:1] == ("TrainingJobSummaries",) else None
        return type_at(response_shape(operation or f"Describe{self.noun}"), path)

    def signature(self, request: Record) -> Record | None:
        """Of one definition only some members count, of several all (specs: pipelines 2.6)."""
        key = super().signature(request) or {}
        if "TrainingJobDefinition" in request:
            definition = request["TrainingJobDefinition"]
            chosen = {member: definition[member] for member in _DEFINITION_KEY if member in definition}
            key["TrainingJobDefinition"] = chosen
        return key

    def metadata(self, arn: str, run: StepRun) -> Record:  # noqa: ARG002 - as JobStep has it
        """What listings show of the step."""
        return {"TuningJob": {"Arn": arn}}

    def outcome(self, run: StepRun, job: Record) -> Ended | None:
        """Reads a Describe answer. An internal error of a tuning job is never retried."""
        ended = super().outcome(run, job)
        return replace(ended, cause=None) if ended and ended.cause == JOB_INTERNAL_ERROR else ended

    def properties(self, record: Record, tools: Tools) -> Record:
        """The Describe answer of the job in the step's metadata, and its training jobs."""
        name = {self.name_member: last(record["Metadata"]["TuningJob"]["Arn"])}
        found = tools.call(f"sagemaker:Describe{self.noun}", name)
        final = found.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric", {})
        request = {
            **name,
            "SortBy": "FinalObjectiveMetricValue",
            "SortOrder": "Ascending" if final.get("Type") == "Minimize" else "Descending",
            "MaxResults": _KEPT,
        }
        listed = tools.call("sagemaker:ListTrainingJobsForHyperParameterTuningJob", request)
        return {**found, "TrainingJobSummaries": listed["TrainingJobSummaries"]}


def _written(job: Record) -> list[str]:
    """The best model."""
    best = job.get("BestTrainingJob", {})
    for definition in [job.get("TrainingJobDefinition"), *job.get("TrainingJobDefinitions", [])]:
        if definition and best and definition.get("DefinitionName") == best.get("TrainingJobDefinitionName"):
            output = definition["OutputDataConfig"]["S3OutputPath"]
            return [join(output, best["TrainingJobName"], "output", "model.tar.gz")]
    return []


TUNING = TuningStep(
    type="Tuning",
    noun="HyperParameterTuningJob",
    job="hyper-parameter-tuning-job",
    key=("HyperParameterTuningJobConfig", "TrainingJobDefinitions"),
    written=_written,
)
