"""Delivery: where a version is, what waits for whom, and the log of a build."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import NotSupported, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Missing, Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.log_reading import LogWindow, read_log
from local_sagemaker.studio.views.times import seconds


@dataclass(frozen=True)
class DeliveryAction:
    """An action of a stage with its newest execution."""

    name: str
    status: str
    summary: str
    error: str
    at: float | None
    build: str
    token: str


@dataclass(frozen=True)
class DeliveryStage:
    """A stage with its actions."""

    name: str
    status: str
    enabled: bool
    actions: list[DeliveryAction]


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery pipeline of the list."""

    name: str
    href: str
    stages: list[DeliveryStage]
    updated: float | None


@dataclass(frozen=True)
class DeliveryContext:
    """What the list of delivery pipelines shows."""

    supported: bool = field(metadata={"help": "whether the service has CodePipeline"})
    rows: list[DeliveryRow] = field(metadata={"help": "delivery pipelines with their stages"})
    stacks: list[dict[str, Any]] = field(metadata={"help": "CloudFormation stacks"})
    builds: list[dict[str, Any]] = field(metadata={"help": "the newest builds"})


def load(visit: Visit) -> DeliveryContext:
    """codepipeline:ListPipelines with their states, stacks, and the newest builds."""
    try:
        pipelines = visit.call("codepipeline:ListPipelines", {}).get("pipelines", [])
        supported = True
    except NotSupported:
        pipelines, supported = [], False
    rows = [
        DeliveryRow(
            item["name"],
            urls.to("delivery", item["name"]),
            stages_of(visit, item["name"]),
            seconds(item.get("updated")),
        )
        for item in pipelines
    ]
    listed = visit.optional("cloudformation:DescribeStacks", {}) or {}
    stacks = [
        {
            "name": item["StackName"], "status": item["StackStatus"], "reason": item.get("StackStatusReason", ""),
            "changed": seconds(item.get("LastUpdatedTime") or item.get("CreationTime")),
        }
        for item in listed.get("Stacks", [])
    ]  # fmt: skip
    return DeliveryContext(supported, rows, stacks, _builds(visit))


def _builds(visit: Visit) -> list[dict[str, Any]]:
    ids = (visit.optional("codebuild:ListBuilds", {"sortOrder": "DESCENDING"}) or {}).get("ids", [])[:20]
    if not ids:
        return []
    found = (visit.optional("codebuild:BatchGetBuilds", {"ids": ids}) or {}).get("builds", [])
    return [
        {
            "id": item["id"], "href": urls.to("builds", item["id"]), "project": item.get("projectName", ""),
            "status": _build_status(item.get("buildStatus", "")), "start": seconds(item.get("startTime")),
        }
        for item in found
    ]  # fmt: skip


def _build_status(status: str) -> str:
    words = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "IN_PROGRESS": "InProgress", "STOPPED": "Stopped"}
    return words.get(status, status)


def stages_of(visit: Visit, name: str) -> list[DeliveryStage]:
    """The stages of a pipeline with the state of their actions."""
    state = visit.optional("codepipeline:GetPipelineState", {"name": name}) or {}
    stages = []
    for item in state.get("stageStates", []):
        enabled = item.get("inboundTransitionState", {}).get("enabled", True)
        actions = [_action(action) for action in item.get("actionStates", [])]
        status = item.get("latestExecution", {}).get("status", "")
        stages.append(DeliveryStage(item["stageName"], status, bool(enabled), actions))
    return stages


def _action(item: dict[str, Any]) -> DeliveryAction:
    latest = item.get("latestExecution", {})
    external = latest.get("externalExecutionId", "")
    return DeliveryAction(
        item["actionName"], latest.get("status", ""), latest.get("summary", ""),
        latest.get("errorDetails", {}).get("message", ""), seconds(latest.get("lastStatusChange")),
        external if ":" in external and not external.startswith("arn:") else "", latest.get("token", ""),
    )  # fmt: skip


@dataclass(frozen=True)
class DeliveryPipelineContext:
    """What the page of a delivery pipeline shows."""

    name: str = field(metadata={"help": "the pipeline's name"})
    stages: list[DeliveryStage] = field(metadata={"help": "its stages"})
    waiting: list[tuple[str, DeliveryAction]] = field(metadata={"help": "approvals that wait, with their stage"})
    executions: list[dict[str, Any]] = field(metadata={"help": "executions, newest first"})
    definition: dict[str, Any] = field(metadata={"help": "GetPipeline's answer"}, repr=False)


def load_pipeline(visit: Visit) -> DeliveryPipelineContext:
    """GetPipeline, its state and its executions."""
    name = visit.path["pipeline"]
    definition = visit.call("codepipeline:GetPipeline", {"name": name})
    stages = stages_of(visit, name)
    waiting = [
        (stage.name, action)
        for stage in stages
        for action in stage.actions
        if action.token and action.status == "InProgress"
    ]
    found = items_or_none(
        visit, "codepipeline:ListPipelineExecutions", "pipelineExecutionSummaries", 50, pipelineName=name, maxResults=50
    )
    executions = [
        {
            "id": item["pipelineExecutionId"], "status": item.get("status", ""),
            "start": seconds(item.get("startTime")), "updated": seconds(item.get("lastUpdateTime")),
            "trigger": item.get("trigger", {}).get("triggerType", ""),
            "revisions": [_revision(part) for part in item.get("sourceRevisions", [])],
        }
        for item in found
    ]  # fmt: skip
    return DeliveryPipelineContext(name, stages, waiting, executions, definition.get("pipeline", {}))


def _revision(part: dict[str, Any]) -> str:
    return str(part.get("revisionSummary") or part.get("revisionId", ""))


def act(visit: Visit) -> str:
    """Approves or rejects with a comment, starts, or retries a stage."""
    name, action = visit.path["pipeline"], visit.field("action")
    if action == "approval":
        status, comment = visit.field("status"), visit.field("comment").strip()
        if status == "Rejected" and not comment:
            raise ValidationError("A rejection needs a comment: what should be different?")
        visit.call(
            "codepipeline:PutApprovalResult",
            {
                "pipelineName": name, "stageName": visit.field("stage"), "actionName": visit.field("name"),
                "token": visit.field("token"), "result": {"summary": comment, "status": status},
            },
        )  # fmt: skip
    elif action == "start":
        visit.call("codepipeline:StartPipelineExecution", {"name": name})
    else:
        raise ValidationError(f"There is no action '{action}'.")
    return urls.to("delivery", name)


@dataclass(frozen=True)
class BuildContext:
    """What a build's page shows."""

    id: str = field(metadata={"help": "the build's id"})
    project: str = field(metadata={"help": "its project"})
    status: str = field(metadata={"help": "its status"})
    phases: list[dict[str, Any]] = field(metadata={"help": "phases with their durations"})
    log: LogWindow | None = field(metadata={"help": "the end of its log"})
    described: dict[str, Any] = field(metadata={"help": "BatchGetBuilds' answer"}, repr=False)


def load_build(visit: Visit) -> BuildContext:
    """BatchGetBuilds and the build's log."""
    found = visit.call("codebuild:BatchGetBuilds", {"ids": [visit.path["build"]]}).get("builds", [])
    if not found:
        raise Missing(f"There is no build {visit.path['build']}.")
    item = found[0]
    phases = [
        {
            "name": phase.get("phaseType", ""), "status": _build_status(phase.get("phaseStatus", "")),
            "seconds": phase.get("durationInSeconds"),
            "text": "; ".join(context.get("message", "") for context in phase.get("contexts", [])),
        }
        for phase in item.get("phases", [])
    ]  # fmt: skip
    logs = item.get("logs", {})
    log = (
        read_log(visit, logs["groupName"], logs["streamName"], token=visit.value("token"))
        if logs.get("streamName")
        else None
    )
    return BuildContext(
        item["id"], item.get("projectName", ""), _build_status(item.get("buildStatus", "")), phases, log, item
    )


PAGE = Page("/delivery", load, "delivery.html", "Delivery", live=lambda _visit, _context: ("*:",))
PIPELINE = Page(
    "/delivery/{pipeline}", load_pipeline, "delivery_pipeline.html", "Delivery", act, lambda _visit, _context: ("*:",)
)
BUILD = Page("/builds/{build}", load_build, "build.html", "Delivery")
