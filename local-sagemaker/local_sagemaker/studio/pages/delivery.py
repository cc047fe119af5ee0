"""Delivery: projects, the pipelines with the state of their stages, the newest builds, and the stacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import NotSupported
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
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
    revision: str = ""


@dataclass(frozen=True)
class DeliveryStage:
    """A stage with its actions. `execution` is the newest in it; `reason` says why the way into it is closed; `unmet`
    are the rules of its conditions that were not met."""

    name: str
    status: str
    enabled: bool
    actions: list[DeliveryAction]
    execution: str = ""
    reason: str = ""
    waiting: list[str] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether an action waits for a person's approval."""
        return any(action.token and action.status == "InProgress" for action in self.actions)


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
    batches: list[dict[str, Any]] = field(metadata={"help": "the newest batch builds"})
    projects: list[dict[str, Any]] = field(metadata={"help": "SageMaker projects"})


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
    return DeliveryContext(supported, rows, stacks, _builds(visit), _batches(visit), _projects(visit))


def _projects(visit: Visit) -> list[dict[str, Any]]:
    listed = items_or_none(visit, "sagemaker:ListProjects", "ProjectSummaryList", 200, MaxResults=100)
    return [
        {
            "name": item["ProjectName"], "status": item["ProjectStatus"], "created": seconds(item.get("CreationTime")),
            "description": item.get("ProjectDescription", ""), "href": urls.to("projects", item["ProjectName"]),
        }
        for item in listed
    ]  # fmt: skip


def _builds(visit: Visit) -> list[dict[str, Any]]:
    ids = (visit.optional("codebuild:ListBuilds", {"sortOrder": "DESCENDING"}) or {}).get("ids", [])[:20]
    if not ids:
        return []
    builds = (visit.optional("codebuild:BatchGetBuilds", {"ids": ids}) or {}).get("builds", [])
    return [
        {
            "id": item["id"], "href": urls.to("builds", item["id"]), "project": item.get("projectName", ""),
            "status": build_status(item.get("buildStatus", "")), "start": seconds(item.get("startTime")),
        }
        for item in builds
    ]  # fmt: skip


def _batches(visit: Visit) -> list[dict[str, Any]]:
    ids = (visit.optional("codebuild:ListBuildBatches", {"sortOrder": "DESCENDING"}) or {}).get("ids", [])[:20]
    if not ids:
        return []
    batches = (visit.optional("codebuild:BatchGetBuildBatches", {"ids": ids}) or {}).get("buildBatches", [])
    return [
        {
            "id": item["id"], "href": urls.to("batches", item["id"]), "project": item.get("projectName", ""),
            "status": build_status(item.get("buildBatchStatus", "")), "start": seconds(item.get("startTime")),
            "builds": len(item.get("buildGroups", [])),
        }
        for item in batches
    ]  # fmt: skip


def build_status(status: str) -> str:
    """A status of CodeBuild as the pages word it."""
    words = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "IN_PROGRESS": "InProgress", "STOPPED": "Stopped"}
    return words.get(status, status)


def stages_of(visit: Visit, name: str) -> list[DeliveryStage]:
    """The stages of a pipeline with the state of their actions."""
    state = visit.optional("codepipeline:GetPipelineState", {"name": name}) or {}
    stages = []
    for item in state.get("stageStates", []):
        transition, latest = item.get("inboundTransitionState", {}), item.get("latestExecution", {})
        actions = [_action(action) for action in item.get("actionStates", [])]
        waiting = [one["pipelineExecutionId"] for one in item.get("inboundExecutions", [])]
        stages.append(
            DeliveryStage(
                item["stageName"], latest.get("status", ""), bool(transition.get("enabled", True)), actions,
                latest.get("pipelineExecutionId", ""), transition.get("disabledReason", ""), waiting,
                _find_unmet(item),
            )
        )  # fmt: skip
    return stages


def _find_unmet(stage: dict[str, Any]) -> list[str]:
    """The failed rules of the conditions by which a stage is entered or ended, each with what it found."""
    unmet = []
    for moment in ("beforeEntryConditionState", "onSuccessConditionState", "onFailureConditionState"):
        for condition in stage.get(moment, {}).get("conditionStates", []):
            for rule in condition.get("ruleStates", []):
                latest = rule.get("latestExecution", {})
                if latest.get("status") == "Failed":
                    why = latest.get("errorDetails", {}).get("message", "") or latest.get("summary", "")
                    unmet.append(f"{rule['ruleName']}: {why}" if why else rule["ruleName"])
    return unmet


def _action(item: dict[str, Any]) -> DeliveryAction:
    latest = item.get("latestExecution", {})
    external = latest.get("externalExecutionId", "")
    return DeliveryAction(
        item["actionName"], latest.get("status", ""), latest.get("summary", ""),
        latest.get("errorDetails", {}).get("message", ""), seconds(latest.get("lastStatusChange")),
        external if ":" in external and not external.startswith("arn:") else "", latest.get("token", ""),
        item.get("currentRevision", {}).get("revisionId", ""),
    )  # fmt: skip


PAGE = Page("/delivery", load, "delivery.html", "Delivery", live=lambda _visit, _context: ("*:",))
