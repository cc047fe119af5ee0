"""A delivery pipeline: what waits for approval, its stages, its executions; every way to move a change on or back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.masking import mask_variables
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.delivery import DeliveryAction, DeliveryStage, stages_of
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import between, seconds


@dataclass(frozen=True)
class WaitingApproval:
    """An approval that waits for a person: its question, and of which revision."""

    stage: str
    action: DeliveryAction
    question: str
    link: str
    revisions: list[str]


@dataclass(frozen=True)
class DeliveryExecution:
    """An execution of the list."""

    id: str
    status: str
    start: float | None
    updated: float | None
    trigger: str
    revisions: list[str]


@dataclass(frozen=True)
class ActionRow:
    """One action of the execution that is looked at."""

    stage: str
    name: str
    status: str
    start: float | None
    seconds: float | None
    summary: str
    build: str
    variables: dict[str, str]


@dataclass(frozen=True)
class DeliveryPipelineContext:
    """What the page of a delivery pipeline shows."""

    name: str = field(metadata={"help": "the pipeline's name"})
    stages: list[DeliveryStage] = field(metadata={"help": "its stages"})
    waiting: list[WaitingApproval] = field(metadata={"help": "approvals that wait"})
    executions: list[DeliveryExecution] = field(metadata={"help": "executions, newest first"})
    execution: str = field(metadata={"help": "the execution whose actions are shown"})
    actions: list[ActionRow] = field(metadata={"help": "its actions, in the order in which they began"})
    targets: dict[str, list[str]] = field(metadata={"help": "executions that a stage can go back to, by stage"})
    definition: dict[str, Any] = field(metadata={"help": "GetPipeline's response"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> DeliveryPipelineContext:
    """GetPipeline, its state, its executions, and the actions of one of them."""
    name = visit.path["pipeline"]
    definition = visit.call("codepipeline:GetPipeline", {"name": name}).get("pipeline", {})
    stages = stages_of(visit, name)
    listed = items_or_none(
        visit, "codepipeline:ListPipelineExecutions", "pipelineExecutionSummaries", 50, pipelineName=name, maxResults=50
    )
    executions = [_execution(item) for item in listed]
    chosen = visit.value("execution") or (executions[0].id if executions else "")
    return DeliveryPipelineContext(
        name, stages, _approvals(stages, definition, executions), executions, chosen,
        _actions(visit, name, chosen) if chosen else [], _targets(visit, name, stages), definition,
        {"release change": aws_command("codepipeline:StartPipelineExecution", {"name": name}),
         "state": aws_command("codepipeline:GetPipelineState", {"name": name})},
    )  # fmt: skip


def _execution(item: dict[str, Any]) -> DeliveryExecution:
    revisions = [
        str(one.get("revisionSummary") or one.get("revisionId", "")) for one in item.get("sourceRevisions", [])
    ]
    trigger = item.get("trigger", {})
    text = " ".join(part for part in (trigger.get("triggerType", ""), trigger.get("triggerDetail", "")) if part)
    return DeliveryExecution(
        item["pipelineExecutionId"], item.get("status", ""), seconds(item.get("startTime")),
        seconds(item.get("lastUpdateTime")), text, revisions,
    )  # fmt: skip


def _approvals(
    stages: list[DeliveryStage], definition: dict[str, Any], executions: list[DeliveryExecution]
) -> list[WaitingApproval]:
    settings = {
        (stage["name"], action["name"]): action.get("configuration", {})
        for stage in definition.get("stages", [])
        for action in stage.get("actions", [])
    }
    revisions = {item.id: item.revisions for item in executions}
    return [
        WaitingApproval(
            stage.name, action, settings.get((stage.name, action.name), {}).get("CustomData", ""),
            settings.get((stage.name, action.name), {}).get("ExternalEntityLink", ""),
            revisions.get(stage.execution, []),
        )
        for stage in stages
        for action in stage.actions
        if action.token and action.status == "InProgress"
    ]  # fmt: skip


def _actions(visit: Visit, name: str, execution: str) -> list[ActionRow]:
    listed = items_or_none(
        visit, "codepipeline:ListActionExecutions", "actionExecutionDetails", 100, pipelineName=name,
        filter={"pipelineExecutionId": execution}, maxResults=100,
    )  # fmt: skip
    rows = []
    for item in reversed(listed):
        output = item.get("output", {})
        result = output.get("executionResult", {})
        external = result.get("externalExecutionId", "")
        summary = result.get("errorDetails", {}).get("message", "") or result.get("externalExecutionSummary", "")
        ended = item.get("lastUpdateTime") if item.get("status") != "InProgress" else None
        rows.append(
            ActionRow(
                item.get("stageName", ""), item.get("actionName", ""), item.get("status", ""),
                seconds(item.get("startTime")), between(item.get("startTime"), ended, visit.now), summary,
                external if ":" in external and not external.startswith("arn:") else "",
                _variables(visit, output.get("outputVariables", {})),
            )
        )  # fmt: skip
    return rows


def _variables(visit: Visit, variables: dict[str, str]) -> dict[str, str]:
    """An action's variables, of a build what it exports of its environment."""
    return variables if visit.reveals else mask_variables(variables)


def _targets(visit: Visit, name: str, stages: list[DeliveryStage]) -> dict[str, list[str]]:
    """Executions that succeeded in a stage, but for the one that is in it."""
    targets = {}
    for stage in stages[1:]:
        listed = items_or_none(
            visit, "codepipeline:ListPipelineExecutions", "pipelineExecutionSummaries", 20, pipelineName=name,
            filter={"succeededInStage": {"stageName": stage.name}}, maxResults=20,
        )  # fmt: skip
        targets[stage.name] = [
            item["pipelineExecutionId"] for item in listed if item["pipelineExecutionId"] != stage.execution
        ]
    return targets


def act(visit: Visit) -> str:
    """Does what the form says; the page with the change is next."""
    action = _ACTIONS.get(visit.field("action"))
    if action is None:
        raise ValidationError(f"There is no action '{visit.field('action')}'.")
    name = visit.path["pipeline"]
    done = action(visit, name)
    return urls.to("delivery", name, done=done)


def _approve(visit: Visit, name: str) -> str:
    status, comment = visit.field("status"), visit.field("comment").strip()
    if status == "Rejected" and not comment:
        raise ValidationError("A rejection needs a comment: what should be different?")
    request = {
        "pipelineName": name, "stageName": visit.field("stage"), "actionName": visit.field("name"),
        "token": visit.field("token"), "result": {"summary": comment, "status": status},
    }  # fmt: skip
    visit.call("codepipeline:PutApprovalResult", request)
    return f"{visit.field('name')}: {status.lower()}"


def _start(visit: Visit, name: str) -> str:
    request = {"name": name, "clientRequestToken": visit.field("token") or uuid.uuid4().hex}
    return f"Execution {visit.call('codepipeline:StartPipelineExecution', request)['pipelineExecutionId']} has begun"


def _retry(visit: Visit, name: str) -> str:
    request = {
        "pipelineName": name, "stageName": visit.field("stage"), "pipelineExecutionId": visit.field("execution"),
        "retryMode": visit.field("mode") or "FAILED_ACTIONS",
    }  # fmt: skip
    visit.call("codepipeline:RetryStageExecution", request)
    return f"{visit.field('stage')} is run again"


def _roll_back(visit: Visit, name: str) -> str:
    request = {
        "pipelineName": name, "stageName": visit.field("stage"), "targetPipelineExecutionId": visit.field("target"),
    }  # fmt: skip
    visit.call("codepipeline:RollbackStage", request)
    return f"{visit.field('stage')} goes back to {visit.field('target')}"


def _stop(visit: Visit, name: str) -> str:
    request: dict[str, Any] = {
        "pipelineName": name, "pipelineExecutionId": visit.field("execution"),
        "abandon": visit.field("abandon") == "1",
    }  # fmt: skip
    if visit.field("reason"):
        request["reason"] = visit.field("reason")
    visit.call("codepipeline:StopPipelineExecution", request)
    return "The execution is being stopped"


def _close(visit: Visit, name: str) -> str:
    request = {
        "pipelineName": name, "stageName": visit.field("stage"), "transitionType": "Inbound",
        "reason": visit.field("reason").strip() or "closed by hand",
    }  # fmt: skip
    visit.call("codepipeline:DisableStageTransition", request)
    return f"Nothing enters {visit.field('stage')} until it is opened again"


def _open(visit: Visit, name: str) -> str:
    request = {"pipelineName": name, "stageName": visit.field("stage"), "transitionType": "Inbound"}
    visit.call("codepipeline:EnableStageTransition", request)
    return f"{visit.field('stage')} is open again"


_ACTIONS: dict[str, Callable[[Visit, str], str]] = {
    "approval": _approve, "start": _start, "retry": _retry, "rollback": _roll_back, "stop": _stop, "disable": _close,
    "enable": _open,
}  # fmt: skip
PAGE = Page(
    "/delivery/{pipeline}", load, "delivery_pipeline.html", "Delivery", act, lambda _visit, _context: ("*:",)
)  # fmt: skip
