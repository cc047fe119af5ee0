"""A batch build: its builds in their order, its phases, and its settings; stopped or run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Missing, Page, Visit
from local_sagemaker.studio.pages.builds import BuildPhase, phase_of
from local_sagemaker.studio.pages.delivery import build_status
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import between, seconds


@dataclass(frozen=True)
class BatchMember:
    """A build of a batch. `href` is the page of its build, empty before there is one."""

    name: str
    status: str
    start: float | None
    after: list[str]
    href: str
    may_fail: bool
    earlier: int


@dataclass(frozen=True)
class BatchContext:
    """What the page of a batch build shows."""

    id: str = field(metadata={"help": "the batch's id"})
    arn: str = field(metadata={"help": "its ARN"})
    project: str = field(metadata={"help": "its project"})
    ordinal: int = field(metadata={"help": "the number of the batch in its project"})
    status: str = field(metadata={"help": "its status"})
    start: float | None = field(metadata={"help": "seconds since the epoch"})
    seconds: float | None = field(metadata={"help": "how long it took, or takes so far"})
    initiator: str = field(metadata={"help": "who or what started it"})
    version: str = field(metadata={"help": "the resolved source version: a commit"})
    reasons: list[str] = field(metadata={"help": "why it failed, in the API's words"})
    builds: list[BatchMember] = field(metadata={"help": "its builds in the order of its specification"})
    phases: list[BuildPhase] = field(metadata={"help": "phases with their durations"})
    described: dict[str, Any] = field(metadata={"help": "BatchGetBuildBatches' response, masked"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> BatchContext:
    """BatchGetBuildBatches."""
    identity = visit.path["batch"]
    batches = visit.call("codebuild:BatchGetBuildBatches", {"ids": [identity]}).get("buildBatches", [])
    if not batches:
        raise Missing(f"There is no batch build {identity}.")
    item = visit.screen(batches[0])
    phases = [phase_of(phase) for phase in item.get("phases", [])]
    key = {"id": item["id"]}
    return BatchContext(
        item["id"], item.get("arn", ""), item.get("projectName", ""), int(item.get("buildBatchNumber", 0)),
        build_status(item.get("buildBatchStatus", "")), seconds(item.get("startTime")),
        between(item.get("startTime"), item.get("endTime"), visit.now), item.get("initiator", ""),
        item.get("resolvedSourceVersion", ""), [phase.text for phase in phases if phase.text],
        [_member(group) for group in item.get("buildGroups", [])], phases, item,
        {"retry": aws_command("codebuild:RetryBuildBatch", key), "stop": aws_command("codebuild:StopBuildBatch", key)},
    )  # fmt: skip


def _member(group: Mapping[str, Any]) -> BatchMember:
    summary = group.get("currentBuildSummary", {})
    return BatchMember(
        group["identifier"], build_status(summary.get("buildStatus", "")), seconds(summary.get("requestedOn")),
        list(group.get("dependsOn", [])), urls.resource(summary.get("arn", "")), bool(group.get("ignoreFailure")),
        len(group.get("priorBuildSummaryList", [])),
    )  # fmt: skip


def act(visit: Visit) -> str:
    """Stops the batch, or runs it again."""
    identity, action = visit.path["batch"], visit.field("action")
    if action == "stop":
        visit.call("codebuild:StopBuildBatch", {"id": identity})
        return urls.to("batches", identity)
    if action == "retry":
        return urls.to("batches", visit.call("codebuild:RetryBuildBatch", {"id": identity})["buildBatch"]["id"])
    raise ValidationError(f"There is no action '{action}'.")


PAGE = Page("/batches/{batch}", load, "build_batch.html", "Delivery", act)
