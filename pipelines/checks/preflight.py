"""Which flavour of the checks an account can run.

Model Monitor and Clarify have been closed to new customers since 30 July 2026. Which error such an account gets is not
documented, so nothing here depends on it: accounts that have used the two can continue, all others get the portable
checks, which run everywhere.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.checks import Flavour

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

AUTO = "auto"
"""The value of --checks with which the command chooses the flavour."""
_MANAGED_STEPS = ("QualityCheck", "ClarifyCheck")
_SCHEDULE = "MonitoringScheduleName"
_RECENT = 5  # executions of the pipeline
_LONGEST = 120  # seconds until a schedule is Scheduled


@dataclass(frozen=True)
class FlavourDecision:
    """A flavour and the evidence for it."""

    flavour: Flavour
    reason: str

    def __str__(self) -> str:
        how = "by Model Monitor and Clarify" if self.flavour == "managed" else "by this project's own processing steps"
        return f"Checks: {self.flavour}, {how} ({self.reason})"


def decide(sagemaker: SageMakerClient, pipeline: str) -> FlavourDecision:
    """Managed for an account that uses Model Monitor, or whose pipeline has run such checks; else portable."""
    evidence = _monitors(sagemaker) or _checks_that_ran(sagemaker, pipeline)
    if evidence:
        return FlavourDecision("managed", evidence)
    return FlavourDecision(
        "portable",
        "nothing shows that this account may use Model Monitor and Clarify, which are closed to new customers; "
        "--probe tries it",
    )


def _monitors(sagemaker: SageMakerClient) -> str | None:
    """The monitors that the account has. A list without permission counts as empty."""
    client: Any = sagemaker
    listings: list[tuple[str, Callable[..., Any], str, str]] = [
        ("monitoring schedule", client.list_monitoring_schedules, "MonitoringScheduleSummaries", _SCHEDULE)
    ]
    for kind in ("data_quality", "model_quality", "model_bias", "model_explainability"):
        listed = getattr(client, f"list_{kind}_job_definitions")
        listings.append(("monitoring job definition", listed, "JobDefinitionSummaries", "MonitoringJobDefinitionName"))
    for what, listing, member, name in listings:
        try:
            summaries = listing(MaxResults=1)[member]
        except ClientError:
            continue
        if summaries:
            return f"the account has the {what} {summaries[0][name]}"
    return None


def _checks_that_ran(sagemaker: SageMakerClient, pipeline: str) -> str | None:
    """A managed check of one of the pipeline's latest executions whose job has run."""
    try:
        executions = sagemaker.list_pipeline_executions(PipelineName=pipeline, MaxResults=_RECENT)
        for execution in executions["PipelineExecutionSummaries"]:
            arn = execution["PipelineExecutionArn"]
            for step in sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]:
                metadata: Any = step.get("Metadata", {})
                if any(metadata.get(kind, {}).get("CheckJobArn") for kind in _MANAGED_STEPS):
                    return f"{step['StepName']} ran in execution {arn.rpartition('/')[2]}"
    except ClientError:
        return None
    return None


def probe(sagemaker: SageMakerClient, image: str, role: str, bucket: str) -> FlavourDecision:
    """Tries it: makes a monitoring job definition and a schedule, and deletes both. Neither runs nor costs anything."""
    name = f"preflight-{uuid.uuid4().hex[:8]}"
    client: Any = sagemaker
    try:
        client.create_data_quality_job_definition(**_definition(name, image, role, bucket))
        try:
            failure = _probe_schedule(client, name)
        finally:
            client.delete_data_quality_job_definition(JobDefinitionName=name)
    except ClientError as error:
        text = error.response["Error"].get("Message", str(error))
        return FlavourDecision("portable", f"the account may not create a monitor: {text}")
    if failure:
        return FlavourDecision("portable", f"the account's monitor failed: {failure}")
    return FlavourDecision("managed", "the account could create a monitor")


def _probe_schedule(client: Any, name: str) -> str:
    """Why the schedule failed, empty if it did not. It is deleted when it is no longer Pending, as AWS demands."""
    client.create_monitoring_schedule(
        MonitoringScheduleName=name,
        MonitoringScheduleConfig={
            "ScheduleConfig": {"ScheduleExpression": "cron(0 0 ? * * *)"},
            "MonitoringJobDefinitionName": name,
            "MonitoringType": "DataQuality",
        },
    )
    for _ in range(_LONGEST):
        described = client.describe_monitoring_schedule(MonitoringScheduleName=name)
        if described["MonitoringScheduleStatus"] != "Pending":
            break
        time.sleep(1)
    client.delete_monitoring_schedule(MonitoringScheduleName=name)
    return str(described.get("FailureReason", "")) if described["MonitoringScheduleStatus"] == "Failed" else ""


def _definition(name: str, image: str, role: str, bucket: str) -> dict[str, Any]:
    batch = {
        "DataCapturedDestinationS3Uri": f"s3://{bucket}/preflight/",
        "DatasetFormat": {"Csv": {"Header": False}},
        "LocalPath": "/opt/ml/processing/input",
    }
    output = {"S3Uri": f"s3://{bucket}/preflight/", "LocalPath": "/opt/ml/processing/output"}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    return {
        "JobDefinitionName": name,
        "DataQualityAppSpecification": {"ImageUri": image},
        "DataQualityJobInput": {"BatchTransformInput": batch},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
        "JobResources": {"ClusterConfig": cluster},
        "RoleArn": role,
    }
