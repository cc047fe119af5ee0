"""SageMaker's own events and those of CloudWatch alarms, made of changes of records (contracts: delivery 5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.clock import iso
from local_sagemaker.events import CREATED, DELETED, Event
from local_sagemaker.records import kinds
from local_sagemaker.records.own_members import own_package
from local_sagemaker.records.status import EndpointStatus, StepStatus

Detail = dict[str, Any]
_JOBS = {
    kinds.TRAINING_JOB.kind: "SageMaker Training Job State Change",
    kinds.PROCESSING_JOB.kind: "SageMaker Processing Job State Change",
    kinds.TRANSFORM_JOB.kind: "SageMaker Transform Job State Change",
    kinds.TUNING_JOB.kind: "SageMaker HyperParameter Tuning Job State Change",
}
_TIMES = ("CreationTime", "LastModifiedTime", "TrainingStartTime", "TrainingEndTime", "ProcessingStartTime",
          "ProcessingEndTime", "TransformStartTime", "TransformEndTime")  # fmt: skip

_VARIANT = ("VariantName", "CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")


def events_of(event: Event, tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    """(detail-type, resources, detail) of each event that SageMaker sends for a change. `tags` are those of an ARN."""
    maker = _MAKERS.get(event.kind)
    return maker(event, tags) if maker is not None else []


def _milliseconds(body: Mapping[str, Any]) -> Detail:
    """Times as the recorded events have them: milliseconds since the epoch."""
    return {
        name: int(value * 1000) if name in _TIMES and isinstance(value, int | float) else value
        for name, value in body.items()
        if not name.startswith("_") and value is not None
    }


def _job(event: Event, tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    if event.status == DELETED:
        return []
    detail = {**_milliseconds(event.body), "Tags": dict(tags(event.arn))}
    return [(_JOBS[event.kind], [event.arn], detail)]


def _model(event: Event, tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    if event.status not in (CREATED, DELETED):
        return []
    detail = {**_milliseconds(event.body), "Tags": dict(tags(event.arn))}
    return [("SageMaker Model State Change", [event.arn], detail)]


def _upper(status: str) -> str:
    """``InService`` as events write it: ``IN_SERVICE``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", status).upper()


def _endpoint(event: Event, tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    members = ("EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants", "CreationTime",
               "LastModifiedTime", "FailureReason")  # fmt: skip
    body = {name: event.body[name] for name in members if name in event.body}
    status = "DELETED" if event.status == DELETED else _upper(event.status)
    detail = {**_milliseconds(body), "EndpointStatus": status, "Tags": dict(tags(event.arn))}
    made: list[tuple[str, list[str], Detail]] = []
    if event.previous != event.status:
        made.append(("SageMaker Endpoint State Change", [event.arn], detail))
    if event.status in (EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK):
        made += _deployment(event, detail)
    return made


def _deployment(event: Event, detail: Detail) -> list[tuple[str, list[str], Detail]]:
    """A deployment that has begun or got further (Developer Guide, "SageMaker endpoint deployment state change")."""
    variants = [_variant(variant) for variant in event.body["ProductionVariants"]]
    pending = event.body.get("PendingDeploymentSummary")
    if pending is None and not any("VariantStatus" in variant for variant in variants):
        return []
    detail = {**detail, "ProductionVariants": variants}
    if pending is not None:
        detail["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["EndpointConfigName"], "StartTime": int(pending["StartTime"] * 1000),
            "ProductionVariants": [_variant(variant) for variant in pending["ProductionVariants"]],
        }  # fmt: skip
    return [("SageMaker Endpoint Deployment State Change", [event.arn], detail)]


def _variant(variant: Mapping[str, Any]) -> Detail:
    """A variant as the guide's examples of a deployment have it."""
    shown = {name: variant[name] for name in _VARIANT if name in variant}
    if "VariantStatus" in variant:
        shown["VariantStatus"] = [
            {**status, "StartTime": int(status["StartTime"] * 1000)} for status in variant["VariantStatus"]
        ]
    return shown


def _package(event: Event, _tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    if event.status == DELETED:
        return []
    detail = _milliseconds(event.body)
    detail["ModelPackageName"] = event.arn.partition(":model-package/")[2]
    if event.previous is not None:
        detail["UpdatedModelPackageFields"] = own_package(event.body).get(kinds.UPDATED, (0, ["ModelApprovalStatus"]))[
            1
        ]
    return [("SageMaker Model Package State Change", [event.arn], detail)]


def _execution(event: Event, _tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    if event.status in (CREATED, DELETED):
        return []
    body = event.body
    pipeline = str(body.get("PipelineArn", ""))
    detail = {
        "pipelineArn": pipeline,
        "pipelineExecutionArn": event.arn,
        "pipelineExecutionDisplayName": body.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": body.get("PipelineExecutionDescription"),
        "previousPipelineExecutionStatus": event.previous,
        "currentPipelineExecutionStatus": event.status,
        "executionStartTime": _seconds(body.get("CreationTime")),
        "executionEndTime": _seconds(body.get("LastModifiedTime")) if event.status in _ENDED else None,
    }
    kept = {name: value for name, value in detail.items() if value is not None}
    return [("SageMaker Model Building Pipeline Execution Status Change", [pipeline, event.arn], kept)]


def _alarm(event: Event, _tags: Callable[[str], Mapping[str, str]]) -> list[tuple[str, list[str], Detail]]:
    if event.previous is None or event.status == DELETED:
        return []
    detail = {"alarmName": event.name, **{name: event.body.get(name) for name in _ALARM}}
    return [("CloudWatch Alarm State Change", [event.arn], detail)]


_ALARM = ("state", "previousState", "configuration")
SOURCES = {kinds.CLOUDWATCH_ALARM.kind: "aws.cloudwatch"}
"""The source of events of kinds that are not SageMaker's."""
_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED)


def _seconds(value: Any) -> str | None:
    return iso(value) if isinstance(value, int | float) else None


_MAKERS: dict[str, Callable[[Event, Callable[[str], Mapping[str, str]]], list[tuple[str, list[str], Detail]]]] = {
    **dict.fromkeys(_JOBS, _job),
    kinds.MODEL.kind: _model,
    kinds.ENDPOINT.kind: _endpoint,
    kinds.MODEL_PACKAGE.kind: _package,
    kinds.PIPELINE_EXECUTION.kind: _execution,
    kinds.CLOUDWATCH_ALARM.kind: _alarm,
}
