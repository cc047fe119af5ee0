"""Monitoring: which endpoints drift; schedules with their executions, violations and trends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import NotSupported, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.objects import json_or_none
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import seconds

KINDS = (
    ("DataQuality", "Data quality"),
    ("ModelQuality", "Model quality"),
    ("ModelBias", "Bias"),
    ("ModelExplainability", "Explainability"),
)


@dataclass(frozen=True)
class MonitorRow:
    """A schedule with its newest execution."""

    name: str
    href: str
    kind: str
    endpoint: str
    status: str
    newest: str
    at: float | None


@dataclass(frozen=True)
class MonitoringContext:
    """What the overview of monitoring shows."""

    supported: bool = field(metadata={"help": "whether the service has monitoring schedules"})
    rows: list[MonitorRow] = field(metadata={"help": "schedules"})
    matrix: list[tuple[str, list[tuple[str, str]]]] = field(metadata={"help": "endpoint x monitor: state and address"})
    kinds: tuple[tuple[str, str], ...] = field(metadata={"help": "the four monitors"})


def load(visit: Visit) -> MonitoringContext:
    """ListMonitoringSchedules with the newest execution of each."""
    try:
        answer = visit.call("sagemaker:ListMonitoringSchedules", {"MaxResults": 100})
    except NotSupported:
        return MonitoringContext(False, [], [], KINDS)
    rows = [_row(visit, item) for item in answer["MonitoringScheduleSummaries"]]
    names = [
        item["EndpointName"] for item in items_or_none(visit, "sagemaker:ListEndpoints", "Endpoints", 50, MaxResults=50)
    ]
    names += [row.endpoint for row in rows if row.endpoint and row.endpoint not in names]
    matrix = []
    for name in dict.fromkeys(names):
        cells = []
        for kind, _ in KINDS:
            found = next((row for row in rows if row.endpoint == name and row.kind == kind), None)
            cells.append((found.newest or found.status, found.href) if found else ("", ""))
        matrix.append((name, cells))
    return MonitoringContext(True, rows, matrix, KINDS)


def _row(visit: Visit, item: dict[str, Any]) -> MonitorRow:
    name = item["MonitoringScheduleName"]
    found = executions_of(visit, name, 1)
    newest = found[0] if found else {}
    return MonitorRow(
        name, urls.to("monitoring", name), item.get("MonitoringType", ""), item.get("EndpointName", ""),
        item.get("MonitoringScheduleStatus", ""), newest.get("MonitoringExecutionStatus", ""),
        seconds(newest.get("ScheduledTime") or item.get("CreationTime")),
    )  # fmt: skip


def executions_of(visit: Visit, schedule: str, most: int) -> list[dict[str, Any]]:
    """The newest executions of a schedule."""
    return items_or_none(
        visit, "sagemaker:ListMonitoringExecutions", "MonitoringExecutionSummaries", most,
        MonitoringScheduleName=schedule, SortBy="ScheduledTime", SortOrder="Descending", MaxResults=min(most, 100),
    )  # fmt: skip


@dataclass(frozen=True)
class MonitorExecution:
    """One execution: its window, status, and violations in words."""

    scheduled: float | None
    status: str
    reason: str
    job: str
    violations: list[tuple[str, str, str]]


@dataclass(frozen=True)
class ScheduleContext:
    """What the page of a schedule shows."""

    name: str = field(metadata={"help": "the schedule's name"})
    arn: str = field(metadata={"help": "its ARN"})
    status: str = field(metadata={"help": "MonitoringScheduleStatus"})
    kind: str = field(metadata={"help": "MonitoringType"})
    endpoint: str = field(metadata={"help": "the endpoint that it watches"})
    schedule: str = field(metadata={"help": "ScheduleExpression"})
    reason: str = field(metadata={"help": "FailureReason"})
    executions: list[MonitorExecution] = field(metadata={"help": "newest first"})
    baseline: dict[str, str] = field(metadata={"help": "the files that are compared with"})
    described: dict[str, Any] = field(metadata={"help": "DescribeMonitoringSchedule's answer"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load_schedule(visit: Visit) -> ScheduleContext:
    """DescribeMonitoringSchedule, its executions, and what they found."""
    body = visit.call("sagemaker:DescribeMonitoringSchedule", {"MonitoringScheduleName": visit.path["schedule"]})
    config = body.get("MonitoringScheduleConfig", {})
    kind = body.get("MonitoringType") or config.get("MonitoringType", "")
    definition = _definition(visit, kind, config)
    name = body["MonitoringScheduleName"]
    executions = [_execution(visit, item) for item in executions_of(visit, name, 50)]
    key = {"MonitoringScheduleName": name}
    return ScheduleContext(
        name, body["MonitoringScheduleArn"], body["MonitoringScheduleStatus"], kind, body.get("EndpointName", ""),
        config.get("ScheduleConfig", {}).get("ScheduleExpression", "once"), body.get("FailureReason", ""), executions,
        _baseline(definition), {**body, "JobDefinition": definition},
        {
            "start": aws_command("sagemaker:StartMonitoringSchedule", key),
            "stop": aws_command("sagemaker:StopMonitoringSchedule", key),
            "describe": aws_command("sagemaker:DescribeMonitoringSchedule", key),
        },
    )  # fmt: skip


def _definition(visit: Visit, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    name = config.get("MonitoringJobDefinitionName")
    if not name:
        return dict(config.get("MonitoringJobDefinition", {}))
    return visit.optional(f"sagemaker:Describe{kind}JobDefinition", {"JobDefinitionName": name}) or {}


def _baseline(definition: dict[str, Any]) -> dict[str, str]:
    found = {}
    for name, value in definition.items():
        if name.endswith("BaselineConfig") and isinstance(value, dict):
            for member in ("StatisticsResource", "ConstraintsResource"):
                if value.get(member, {}).get("S3Uri"):
                    found[member.removesuffix("Resource")] = value[member]["S3Uri"]
    return found


def _execution(visit: Visit, item: dict[str, Any]) -> MonitorExecution:
    arn = item.get("ProcessingJobArn", "")
    violations: list[tuple[str, str, str]] = []
    if item.get("MonitoringExecutionStatus") == "CompletedWithViolations" and arn:
        job = visit.optional("sagemaker:DescribeProcessingJob", {"ProcessingJobName": arn.rpartition("/")[2]}) or {}
        for output in job.get("ProcessingOutputConfig", {}).get("Outputs", []):
            uri = output.get("S3Output", {}).get("S3Uri", "").rstrip("/")
            document = json_or_none(visit, f"{uri}/constraint_violations.json") or {}
            for found in document.get("violations", []):
                name = found.get("feature_name") or found.get("metric_name") or found.get("facet") or ""
                kind = found.get("constraint_check_type", "")
                violations.append((str(name), str(kind), str(found.get("description", ""))))
    return MonitorExecution(
        seconds(item.get("ScheduledTime")), item.get("MonitoringExecutionStatus", ""), item.get("FailureReason", ""),
        arn, violations[:100],
    )  # fmt: skip


def act(visit: Visit) -> str:
    """Starts or stops the schedule."""
    action, name = visit.field("action"), visit.path["schedule"]
    if action not in ("start", "stop"):
        raise ValidationError(f"There is no action '{action}'.")
    visit.call(f"sagemaker:{action.capitalize()}MonitoringSchedule", {"MonitoringScheduleName": name})
    return urls.to("monitoring", name)


PAGE = Page(
    "/monitoring", load, "monitoring.html", "Monitoring", live=lambda _visit, _context: ("processing-job:", "endpoint:")
)
SCHEDULE = Page(
    "/monitoring/{schedule}", load_schedule, "monitoring_schedule.html", "Monitoring", act,
    lambda _visit, _context: ("processing-job:", "monitoring-schedule:"),
)  # fmt: skip
