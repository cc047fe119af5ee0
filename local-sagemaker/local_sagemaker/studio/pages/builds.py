"""A build: its phases, the command at which it failed, its log, environment and artifacts; stopped or run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Missing, Moved, Page, Visit
from local_sagemaker.studio.pages.delivery import build_status
from local_sagemaker.studio.pages.log_window import LogWindow, read_log
from local_sagemaker.studio.views.build_log import FailedCommand, find_failed_command
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import between, seconds


@dataclass(frozen=True)
class BuildPhase:
    """A phase of a build with its message."""

    name: str
    status: str
    seconds: float | None
    text: str


@dataclass(frozen=True)
class BuildContext:
    """What a build's page shows."""

    id: str = field(metadata={"help": "the build's id"})
    arn: str = field(metadata={"help": "its ARN"})
    project: str = field(metadata={"help": "its project"})
    ordinal: int = field(metadata={"help": "the number of the build in its project"})
    status: str = field(metadata={"help": "its status"})
    start: float | None = field(metadata={"help": "seconds since the epoch"})
    seconds: float | None = field(metadata={"help": "how long it took, or takes so far"})
    initiator: str = field(metadata={"help": "who or what started it"})
    version: str = field(metadata={"help": "the resolved source version: a commit"})
    failed: FailedCommand | None = field(metadata={"help": "the command at which it failed, with its output"})
    phases: list[BuildPhase] = field(metadata={"help": "phases with their durations"})
    log: LogWindow | None = field(metadata={"help": "the end of its log"})
    environment: dict[str, str] = field(metadata={"help": "its variables; those that sound secret are masked"})
    artifacts: str = field(metadata={"help": "where its artifacts are"})
    described: dict[str, Any] = field(metadata={"help": "BatchGetBuilds' response, masked in the same way"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> BuildContext:
    """BatchGetBuilds and the build's log."""
    listed = visit.call("codebuild:BatchGetBuilds", {"ids": [visit.path["build"]]}).get("builds", [])
    if not listed:
        if visit.call("codebuild:BatchGetBuildBatches", {"ids": [visit.path["build"]]}).get("buildBatches"):
            raise Moved(urls.to("batches", visit.path["build"]))
        raise Missing(f"There is no build {visit.path['build']}.")
    item = visit.screen(listed[0])
    logs = item.get("logs", {})
    log = None
    if logs.get("streamName"):
        log = read_log(visit, logs["groupName"], logs["streamName"], token=visit.value("token"))
    status = build_status(item.get("buildStatus", ""))
    key = {"id": item["id"]}
    return BuildContext(
        item["id"], item.get("arn", ""), item.get("projectName", ""), int(item.get("buildNumber", 0)), status,
        seconds(item.get("startTime")), between(item.get("startTime"), item.get("endTime"), visit.now),
        item.get("initiator", ""), item.get("resolvedSourceVersion", ""),
        find_failed_command(log.texts) if log and status != "Succeeded" else None,
        [phase_of(phase) for phase in item.get("phases", [])], log, _environment(item),
        item.get("artifacts", {}).get("location", ""), item,
        {"retry": aws_command("codebuild:RetryBuild", key), "stop": aws_command("codebuild:StopBuild", key)},
    )  # fmt: skip


def phase_of(phase: dict[str, Any]) -> BuildPhase:
    """A phase of a build, or of a batch."""
    start, end = seconds(phase.get("startTime")), seconds(phase.get("endTime"))
    length = end - start if start is not None and end is not None else None
    messages = [context.get("message", "") for context in phase.get("contexts", [])]
    text = "; ".join(message for message in messages if message)
    return BuildPhase(phase.get("phaseType", ""), build_status(phase.get("phaseStatus", "")), length, text)


def _environment(item: dict[str, Any]) -> dict[str, str]:
    variables = item.get("environment", {}).get("environmentVariables", [])
    return {one["name"]: str(one.get("value", "")) for one in variables}


def act(visit: Visit) -> str:
    """Stops the build, or runs it again."""
    identity, action = visit.path["build"], visit.field("action")
    if action == "stop":
        visit.call("codebuild:StopBuild", {"id": identity})
        return urls.to("builds", identity)
    if action == "retry":
        return urls.to("builds", visit.call("codebuild:RetryBuild", {"id": identity})["build"]["id"])
    raise ValidationError(f"There is no action '{action}'.")


PAGE = Page("/builds/{build}", load, "build.html", "Delivery", act)
