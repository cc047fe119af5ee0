"""What a schedule's job does, whichever way it was written: in one of the four job definitions, or in the schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATA_QUALITY, MODEL_QUALITY, BIAS, EXPLAINABILITY = "DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"
TYPES = (DATA_QUALITY, MODEL_QUALITY, BIAS, EXPLAINABILITY)
WITH_LABELS = (MODEL_QUALITY, BIAS)
"""The kinds whose data is merged with ground truth."""
BY_CLARIFY = (BIAS, EXPLAINABILITY)
"""The kinds that Clarify analyses: their baseline is an analysis, their configuration an object in S3."""


@dataclass(frozen=True)
class MonitoringDefinition:
    """A monitoring job. `source` is an EndpointInput or BatchTransformInput, `output` a MonitoringS3Output."""

    type: str
    application: Mapping[str, Any]
    environment: Mapping[str, str]
    baseline: Mapping[str, Any]
    source: Mapping[str, Any]
    output: Mapping[str, Any]
    cluster: Mapping[str, Any]
    role: str
    network: Mapping[str, Any] | None
    maximum: int | None
    ground_truth: str | None = None
    kms_key: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def endpoint(self) -> str | None:
        """The endpoint whose captured data is analysed; None where it is a batch transform's."""
        return self.source.get("EndpointName")

    @property
    def seconds(self) -> int:
        """How long each job may run."""
        return self.maximum or (1800 if self.type in WITH_LABELS else 3600)


def from_schedule(config: Mapping[str, Any]) -> MonitoringDefinition:
    """The job that a schedule holds itself."""
    body = config["MonitoringJobDefinition"]
    entry = body["MonitoringInputs"][0]
    return MonitoringDefinition(
        type=config.get("MonitoringType", DATA_QUALITY),
        application=body["MonitoringAppSpecification"],
        environment=body.get("Environment", {}),
        baseline=body.get("BaselineConfig", {}),
        source=entry.get("EndpointInput") or entry.get("BatchTransformInput") or {},
        output=body["MonitoringOutputConfig"]["MonitoringOutputs"][0]["S3Output"],
        kms_key=body["MonitoringOutputConfig"].get("KmsKeyId"),
        cluster=body["MonitoringResources"]["ClusterConfig"],
        role=body["RoleArn"],
        network=body.get("NetworkConfig"),
        maximum=body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
        request=body,
    )


def from_job_definition(kind: str, body: Mapping[str, Any]) -> MonitoringDefinition:
    """The job of a job definition; its members begin with the kind's name."""
    data, application = body[f"{kind}JobInput"], body[f"{kind}AppSpecification"]
    outputs = body[f"{kind}JobOutputConfig"]
    return MonitoringDefinition(
        type=kind,
        application=application,
        environment=application.get("Environment", {}),
        baseline=body.get(f"{kind}BaselineConfig", {}),
        source=data.get("EndpointInput") or data.get("BatchTransformInput") or {},
        ground_truth=data.get("GroundTruthS3Input", {}).get("S3Uri"),
        output=outputs["MonitoringOutputs"][0]["S3Output"],
        kms_key=outputs.get("KmsKeyId"),
        cluster=body["JobResources"]["ClusterConfig"],
        role=body["RoleArn"],
        network=body.get("NetworkConfig"),
        maximum=body.get("StoppingCondition", {}).get("MaxRuntimeInSeconds"),
        request=body,
    )
