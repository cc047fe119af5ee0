"""Where a model to be registered comes from: a pipeline's execution, a training job, or an archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients, is_absent, split
from delivery.errors import DeliveryError, NotFoundError, not_found
from pipelines import conditions, progress
from pipelines.command_line import hint

CARRIED = ("InferenceSpecification", "ModelMetrics", "DriftCheckBaselines", "MetadataProperties", "Domain", "Task")
"""What a version that is registered into a second group takes along."""


@dataclass(frozen=True)
class Candidate:
    """A model that can be registered. ``specification`` is what the source already knows in AWS's own shape."""

    image: str
    model_data: str
    source: str
    metrics: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    specification: Mapping[str, Any] = field(default_factory=dict)
    registered: str | None = None

    def container(self) -> dict[str, Any]:
        made: dict[str, Any] = {"Image": self.image, "ModelDataUrl": self.model_data}
        return {**made, "Environment": dict(self.environment)} if self.environment else made


def from_training_job(clients: Clients, job: str) -> Candidate:
    """What a completed training job left, with its final metrics.

    :raises DeliveryError: if there is no such job, or it has not completed.
    """
    try:
        described: Any = clients.sagemaker.describe_training_job(TrainingJobName=job)
    except ClientError as error:
        if not is_absent(error):
            raise
        listed = clients.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
        raise not_found("training job", job, (item["TrainingJobName"] for item in listed)) from error
    if described["TrainingJobStatus"] != "Completed":
        raise DeliveryError(f"the training job {job} is {described['TrainingJobStatus']}: it has left no model")
    finals = {item["MetricName"]: {"value": item["Value"]} for item in described.get("FinalMetricDataList", [])}
    return Candidate(
        image=described["AlgorithmSpecification"]["TrainingImage"],
        model_data=described["ModelArtifacts"]["S3ModelArtifacts"],
        source=described["TrainingJobArn"],
        metrics={"training_metrics": finals} if finals else {},
    )


def from_artifact(image: str, model_data: str, source: str, environment: Mapping[str, str] | None = None) -> Candidate:
    return Candidate(image=image, model_data=model_data, source=source, environment=environment or {})


def from_pipeline(clients: Clients, pipeline: str, step: str | None = None) -> Candidate:
    """The model of a pipeline's execution, with the numbers of its evaluation.

    :param pipeline: a pipeline's name, which means its latest successful execution, or an execution's ARN.
    :param step: the training step, if there are several.
    :raises DeliveryError: if there is no such execution, or no such model in it.
    """
    execution = pipeline if pipeline.startswith("arn:") else _latest_execution(clients, pipeline)
    ran = progress.list_steps(clients.sagemaker, execution)
    packages = [item["Metadata"]["RegisterModel"]["Arn"] for item in ran.values() if _has(item, "RegisterModel")]
    if packages and step is None:
        return _from_package(clients, packages[-1])
    trained = {
        name: item["Metadata"]["TrainingJob"]["Arn"]
        for name, item in ran.items()
        if _has(item, "TrainingJob") and item["StepStatus"] == "Succeeded"
    }
    if step is not None and step not in trained:
        none = "no training step of the execution has succeeded"
        raise NotFoundError(f"there is no training step {step}{hint(step, trained, none)}")
    if not trained or (step is None and len(trained) > 1):
        choice = f"choose one with --step: {', '.join(trained)}" if trained else "it has trained none"
        raise DeliveryError(f"the execution {execution} has no single model; {choice}")
    job = trained[step] if step else next(iter(trained.values()))
    candidate = from_training_job(clients, job.rpartition("/")[2])
    return Candidate(
        image=candidate.image,
        model_data=candidate.model_data,
        source=execution,
        metrics={**candidate.metrics, **_evaluation(clients, execution, ran)},
    )


def with_metrics(clients: Clients, candidate: Candidate, place: str | None) -> Candidate:
    """The candidate with the metrics of a JSON file or object.

    :raises DeliveryError: if it cannot be read.
    """
    if place is None:
        return candidate
    try:
        if place.startswith("s3://"):
            bucket, key = split(place)
            text = clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        else:
            text = Path(place).read_bytes()
        metrics = json.loads(text)
    except (OSError, ValueError, ClientError) as error:
        raise DeliveryError(f"--metrics {place}: {error}") from error
    if not isinstance(metrics, dict):
        raise DeliveryError(f"--metrics {place}: a JSON object is expected")
    specification = {name: value for name, value in candidate.specification.items() if name != "ModelMetrics"}
    return replace(candidate, metrics=metrics, specification=specification)


def _latest_execution(clients: Clients, pipeline: str) -> str:
    try:
        pages = clients.sagemaker.get_paginator("list_pipeline_executions").paginate(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for item in page["PipelineExecutionSummaries"]:
                if item["PipelineExecutionStatus"] == "Succeeded":
                    return item["PipelineExecutionArn"]
    except ClientError as error:
        if not is_absent(error):
            raise
        listed = clients.sagemaker.get_paginator("list_pipelines").paginate()
        names = [item["PipelineName"] for page in listed for item in page["PipelineSummaries"]]
        raise not_found("pipeline", pipeline, names) from error
    raise NotFoundError(f"the pipeline {pipeline} has no execution that succeeded")


def _from_package(clients: Clients, arn: str) -> Candidate:
    described: Any = clients.sagemaker.describe_model_package(ModelPackageName=arn)
    container = described["InferenceSpecification"]["Containers"][0]
    return Candidate(
        image=container["Image"],
        model_data=container.get("ModelDataUrl", ""),
        source=arn,
        specification={name: described[name] for name in CARRIED if name in described},
        registered=arn,
    )


def _evaluation(clients: Clients, execution: str, ran: Mapping[str, Any]) -> dict[str, Any]:
    """The contents of the execution's property files, merged."""
    described = clients.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=execution)
    reports = conditions.read_reports(clients, json.loads(described["PipelineDefinition"]), ran)
    merged: dict[str, Any] = {}
    for report in reports.values():
        if isinstance(report, Mapping):
            merged.update(report)
    return merged


def _has(step: Mapping[str, Any], kind: str) -> bool:
    return "Arn" in step.get("Metadata", {}).get(kind, {})
