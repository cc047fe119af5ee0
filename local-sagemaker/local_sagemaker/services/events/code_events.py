"""The events of CodeCommit, CodeBuild and CodePipeline, made of changes of records (contracts: delivery 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.clock import iso
from local_sagemaker.events import DELETED, Event
from local_sagemaker.records import kinds
from local_sagemaker.records.delivery_status import ActionStatus, DeliveryStatus, StageStatus

Made = list[tuple[str, list[str], dict[str, Any]]]
"""(detail-type, resources, detail) of each event."""
_SOURCES = {
    kinds.CODE_REFERENCE.kind: "aws.codecommit",
    kinds.BUILD.kind: "aws.codebuild",
    kinds.DELIVERY_EXECUTION.kind: "aws.codepipeline",
    kinds.DELIVERY_STAGE.kind: "aws.codepipeline",
    kinds.DELIVERY_ACTION.kind: "aws.codepipeline",
}
_STATES: dict[str, str] = {
    DeliveryStatus.IN_PROGRESS: "STARTED",
    DeliveryStatus.CANCELLED: "CANCELED",
    **{
        status: status.upper()
        for status in (
            DeliveryStatus.SUCCEEDED, DeliveryStatus.FAILED, DeliveryStatus.STOPPING, DeliveryStatus.STOPPED,
            DeliveryStatus.SUPERSEDED, ActionStatus.ABANDONED,
        )
    },
}  # fmt: skip


def source_of(change: Event) -> str:
    """The service that an event of a change is of."""
    return _SOURCES.get(change.kind, "aws.sagemaker")


def code_events_of(change: Event) -> Made:
    """The events of a change; none for a kind of another service, or for the end of a record."""
    maker = _MAKERS.get(change.kind)
    return maker(change) if maker is not None else []


def _reference(change: Event) -> Made:
    body = change.body
    removed = change.status == DELETED
    kind = "Deleted" if removed else "Updated" if body.get("oldCommitId") else "Created"
    members = ("referenceType", "referenceName", "referenceFullName", "repositoryName", "repositoryId",
               "callerUserArn")  # fmt: skip
    detail = {"event": f"reference{kind}", **{name: body.get(name) for name in members}}
    if removed:
        detail["oldCommitId"] = body["commitId"]
    else:
        detail["commitId"] = body["commitId"]
        if body.get("oldCommitId"):
            detail["oldCommitId"] = body["oldCommitId"]
    return [("CodeCommit Repository State Change", [str(body.get("repositoryArn", change.arn))], detail)]


def _moment(seconds: float | None) -> str:
    """A time as CodeBuild's events have it: ``Sep 1, 2017 4:12:29 PM``."""
    time = datetime.fromtimestamp(seconds or 0, UTC)
    return f"{time:%b} {time.day}, {time.year} {time.hour % 12 or 12}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'}"


def _build_phase(phase: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"phase-type": phase["phaseType"], "start-time": _moment(phase["startTime"])}
    if "phaseStatus" in phase:
        contexts = [f"{one.get('statusCode', '')}: {one.get('message', '')}" for one in phase.get("contexts", [])]
        row |= {
            "phase-context": contexts or [": "], "phase-status": phase["phaseStatus"],
            "end-time": _moment(phase["endTime"]), "duration-in-seconds": float(phase["durationInSeconds"]),
        }  # fmt: skip
    return row


def _build(change: Event) -> Made:
    if change.status == DELETED:
        return []
    body = change.body
    phases = list(body.get("phases", []))
    base = {
        "build-status": body["buildStatus"], "project-name": body["projectName"], "build-id": body["arn"],
        "additional-information": _build_information(change, phases), "version": "1",
    }  # fmt: skip
    made: Made = []
    done = [phase for phase in phases if "phaseStatus" in phase]
    if done and change.previous is not None:
        last = _build_phase(done[-1])
        detail = {
            "completed-phase": last["phase-type"], "completed-phase-context": "; ".join(last["phase-context"]),
            "completed-phase-status": last["phase-status"], "completed-phase-start": last["start-time"],
            "completed-phase-end": last["end-time"], "completed-phase-duration-seconds": last["duration-in-seconds"],
            **base,
        }  # fmt: skip
        made.append(("CodeBuild Build Phase Change", [body["arn"]], detail))
    if change.previous != change.status:
        detail = {"current-phase": body["currentPhase"], "current-phase-context": "[: ]", **base}
        made.append(("CodeBuild Build State Change", [body["arn"]], detail))
    return made


def _build_information(change: Event, phases: list[dict[str, Any]]) -> dict[str, Any]:
    body = change.body
    environment = body["environment"]
    logs = body.get("logs", {})
    return {
        "timeout-in-minutes": body.get("timeoutInMinutes"), "build-complete": body["buildComplete"],
        "initiator": body["initiator"], "build-start-time": _moment(body["startTime"]),
        "build-number": body["buildNumber"], "source": body["source"], "artifact": body.get("artifacts", {}),
        "source-version": body.get("sourceVersion", ""),
        "queued-timeout-in-minutes": body.get("queuedTimeoutInMinutes"),
        "environment": {
            "image": environment["image"], "type": environment["type"], "compute-type": environment["computeType"],
            "privileged-mode": environment.get("privilegedMode", False),
            "environment-variables": list(environment.get("environmentVariables", [])),
            "image-pull-credentials-type": environment.get("imagePullCredentialsType", "CODEBUILD"),
        },
        "logs": {"group-name": logs.get("groupName"), "stream-name": logs.get("streamName")},
        "phases": [_build_phase(phase) for phase in phases],
    }  # fmt: skip


def _state(change: Event, attempt: int = 1) -> str:
    """The word for a status: a repeated stage or execution is resumed."""
    state = _STATES.get(change.status, change.status.upper())
    return "RESUMED" if state == "STARTED" and (attempt > 1 or change.previous == DeliveryStatus.FAILED) else state


def _execution(change: Event) -> Made:
    body = change.body
    if change.status == DELETED or change.status == change.previous:
        return []
    trigger = body.get("trigger", {})
    detail: dict[str, Any] = {
        "pipeline": body["pipelineName"], "execution-id": body["pipelineExecutionId"],
        "start-time": iso(body["startTime"]), "state": _state(change), "version": float(body["pipelineVersion"]),
        "pipeline-execution-attempt": 1.0,
    }  # fmt: skip
    if change.previous is None:
        detail["execution-trigger"] = {
            "trigger-type": trigger.get("triggerType"), "trigger-detail": trigger.get("triggerDetail"),
        }  # fmt: skip
    return [("CodePipeline Pipeline Execution State Change", [change.arn], detail)]


def _stage(change: Event) -> Made:
    body = change.body
    if change.status in (DELETED, StageStatus.SKIPPED):
        return []
    detail = {
        "pipeline": change.name, "execution-id": body["pipelineExecutionId"], "start-time": iso(body["startTime"]),
        "stage": body["stageName"], "state": _state(change), "version": float(body["pipelineVersion"]),
        "pipeline-execution-attempt": 1.0,
    }  # fmt: skip
    return [("CodePipeline Stage Execution State Change", [change.arn], detail)]


def _action(change: Event) -> Made:
    body = change.body
    if change.status == DELETED:
        return []
    kind, outcome = body["input"]["actionTypeId"], body["output"].get("executionResult", {})
    detail: dict[str, Any] = {
        "pipeline": change.name, "execution-id": body["pipelineExecutionId"], "stage": body["stageName"],
        "action": body["actionName"], "action-execution-id": body["actionExecutionId"],
        "start-time": iso(body["startTime"]), "state": _state(change), "region": body["input"]["region"],
        "type": {name: kind[name] for name in ("owner", "category", "provider", "version")},
        "version": float(body["pipelineVersion"]), "pipeline-execution-attempt": 1.0,
        "input-artifacts": _artifacts(body["input"].get("inputArtifacts", [])),
    }  # fmt: skip
    if change.previous is not None:
        detail["output-artifacts"] = _artifacts(body["output"].get("outputArtifacts", []))
        error = outcome.get("errorDetails", {})
        result = {
            "external-execution-id": outcome.get("externalExecutionId"), "error-code": error.get("code"),
            "external-execution-summary": error.get("message") or outcome.get("externalExecutionSummary"),
        }  # fmt: skip
        detail["execution-result"] = {key: value for key, value in result.items() if value is not None}
    return [("CodePipeline Action Execution State Change", [change.arn], detail)]


def _artifacts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": row["name"], "s3location": {"bucket": row["s3location"]["bucket"], "key": row["s3location"]["key"]}}
        for row in rows
    ]


_MAKERS: dict[str, Callable[[Event], Made]] = {
    kinds.CODE_REFERENCE.kind: _reference,
    kinds.BUILD.kind: _build,
    kinds.DELIVERY_EXECUTION.kind: _execution,
    kinds.DELIVERY_STAGE.kind: _stage,
    kinds.DELIVERY_ACTION.kind: _action,
}
