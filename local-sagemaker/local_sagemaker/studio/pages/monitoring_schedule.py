"""A monitoring schedule: trends with baseline and bound, executions with their violations in words, alarms, run now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.ids import instant
from local_sagemaker.monitoring import schedule_times
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.monitor_alarms import AlarmChange, AlarmRow, alarms_of, history_of
from local_sagemaker.studio.pages.monitoring import executions_of, list_schedules, run_prefix, schedule_of
from local_sagemaker.studio.pages.objects import report_or_none, split_uri
from local_sagemaker.studio.pages.retraining import retrain_address
from local_sagemaker.studio.pages.serving import packages_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.monitor_trend import MonitorFiles, Trend, read_trends
from local_sagemaker.studio.views.times import seconds
from local_sagemaker.studio.views.violation_texts import ViolationInWords, violations_in_words

_SHOWN = 50
_READ = 24
_ENDED = ("Completed", "CompletedWithViolations")
FORMS = (
    ("cron(0 * ? * * *)", "every hour"), ("cron(0 0/6 ? * * *)", "every six hours"),
    ("cron(0 0 ? * * *)", "every day at midnight"), ("cron(0 12 ? * * *)", "every day at noon"),
)  # fmt: skip
"""The forms that Model Monitor takes, by example: hourly, daily, and every so many hours from an hour on."""


@dataclass(frozen=True)
class MonitorExecution:
    """One execution: its window, status, files and violations."""

    scheduled: float | None
    status: str
    reason: str
    job: str
    schedule: str
    output: str
    violations: list[ViolationInWords]
    statistics: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class BaselineOrigin:
    """The files that a monitor compares with, and where they come from."""

    files: dict[str, str]
    version: str
    href: str
    approval: str
    at: float | None
    retrain: str = ""


@dataclass(frozen=True)
class ScheduleContext:
    """What the page of a schedule shows."""

    name: str = field(metadata={"help": "the schedule's name"})
    arn: str = field(metadata={"help": "its ARN"})
    status: str = field(metadata={"help": "MonitoringScheduleStatus"})
    kind: str = field(metadata={"help": "MonitoringType"})
    endpoint: str = field(metadata={"help": "the endpoint that it watches"})
    schedule: str = field(metadata={"help": "ScheduleExpression"})
    next_run: float | None = field(metadata={"help": "when it is due next, seconds since the epoch"})
    reason: str = field(metadata={"help": "FailureReason"})
    trends: list[Trend] = field(metadata={"help": "measures over executions, those nearest to their bound first"})
    executions: list[MonitorExecution] = field(metadata={"help": "newest first, those of Run now among them"})
    is_running: bool = field(metadata={"help": "whether an execution runs now"})
    baseline: BaselineOrigin = field(metadata={"help": "what is compared with"})
    alarms: list[AlarmRow] = field(metadata={"help": "CloudWatch alarms on its metrics or on its endpoint"})
    alerts: list[dict[str, Any]] = field(metadata={"help": "ListMonitoringAlerts' response"})
    described: dict[str, Any] = field(metadata={"help": "DescribeMonitoringSchedule's response"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})
    history: list[AlarmChange] = field(metadata={"help": "what became of the alarms and alerts, newest first"})
    forms: tuple[tuple[str, str], ...] = field(
        default=FORMS, metadata={"help": "forms of a ScheduleExpression, with their meaning"}
    )


def load(visit: Visit) -> ScheduleContext:
    """DescribeMonitoringSchedule, its executions with their files, alarms, alerts, and the baseline."""
    body = visit.call("sagemaker:DescribeMonitoringSchedule", {"MonitoringScheduleName": visit.path["schedule"]})
    config = body.get("MonitoringScheduleConfig", {})
    kind = body.get("MonitoringType") or config.get("MonitoringType", "")
    definition = _definition(visit, kind, config)
    name, endpoint = body["MonitoringScheduleName"], body.get("EndpointName", "")
    executions = _executions(visit, name)
    baseline = _baseline(visit, definition, endpoint)
    files = [MonitorFiles(item.scheduled or 0.0, item.statistics) for item in executions if item.statistics]
    trends = read_trends(
        kind, files, report_or_none(visit, baseline.files.get("Statistics", "")),
        report_or_none(visit, baseline.files.get("Constraints", "")),
    )  # fmt: skip
    alarms = alarms_of(visit, name, endpoint)
    running = any(item.status in ("Pending", "InProgress", "Stopping") for item in executions)
    return ScheduleContext(
        name, body["MonitoringScheduleArn"], body["MonitoringScheduleStatus"], kind, endpoint,
        config.get("ScheduleConfig", {}).get("ScheduleExpression", "once"), _next(visit, body, config),
        body.get("FailureReason", ""), trends, executions, running, baseline, alarms,
        items_or_none(visit, "sagemaker:ListMonitoringAlerts", "MonitoringAlertSummaries", MonitoringScheduleName=name),
        {**body, "JobDefinition": definition}, _commands(visit, body), history_of(visit, name, alarms),
    )  # fmt: skip


def _next(visit: Visit, body: Mapping[str, Any], config: Mapping[str, Any]) -> float | None:
    if body["MonitoringScheduleStatus"] != "Scheduled":
        return None
    timetable = schedule_times.parse(config.get("ScheduleConfig"))
    return timetable.next(visit.now) if timetable else None


def _definition(visit: Visit, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    name = config.get("MonitoringJobDefinitionName")
    if not name:
        return dict(config.get("MonitoringJobDefinition", {}))
    return visit.optional(f"sagemaker:Describe{kind}JobDefinition", {"JobDefinitionName": name}) or {}


def _executions(visit: Visit, name: str) -> list[MonitorExecution]:
    """The executions of the schedule and of those that Run now made of it; files of the newest are read."""
    executions = executions_of(visit, name, _SHOWN)
    for item in list_schedules(visit, NameContains=run_prefix(name)):
        run = item["MonitoringScheduleName"]
        if run != name and schedule_of(run, [name]) == name:
            executions += executions_of(visit, run, 5)
    executions.sort(key=lambda item: -(seconds(item.get("ScheduledTime")) or 0.0))
    return [_execution(visit, item, is_read=place < _READ) for place, item in enumerate(executions[:_SHOWN])]


def _execution(visit: Visit, item: dict[str, Any], *, is_read: bool) -> MonitorExecution:
    arn, status = item.get("ProcessingJobArn", ""), item.get("MonitoringExecutionStatus", "")
    output, violations, statistics = "", [], None
    if is_read and arn and status in _ENDED:
        output = _output_of(visit, arn)
        if status == "CompletedWithViolations":
            violations = violations_in_words(report_or_none(visit, f"{output}/constraint_violations.json"))
        statistics = report_or_none(visit, f"{output}/statistics.json") or report_or_none(
            visit, f"{output}/analysis.json"
        )
    return MonitorExecution(
        seconds(item.get("ScheduledTime")), status, item.get("FailureReason", ""), arn, item["MonitoringScheduleName"],
        f"{output}/" if output else "", violations[:100], statistics,
    )  # fmt: skip


def _output_of(visit: Visit, arn: str) -> str:
    job = visit.optional("sagemaker:DescribeProcessingJob", {"ProcessingJobName": arn.rpartition("/")[2]}) or {}
    outputs = job.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return str(outputs[0].get("S3Output", {}).get("S3Uri", "")).rstrip("/") if outputs else ""


def _baseline(visit: Visit, definition: Mapping[str, Any], endpoint: str) -> BaselineOrigin:
    """The files of the definition, and the served version among whose baselines they are. Where none has them, the
    first served version is what would be trained again."""
    files = {
        member.removesuffix("Resource"): value[member]["S3Uri"]
        for name, value in definition.items()
        if name.endswith("BaselineConfig") and isinstance(value, dict)
        for member in ("StatisticsResource", "ConstraintsResource")
        if value.get(member, {}).get("S3Uri")
    }
    again = ""
    for arn in packages_of(visit, endpoint) if endpoint else []:
        package = visit.optional("sagemaker:DescribeModelPackage", {"ModelPackageName": arn}) or {}
        if {*files.values()} & {*_uris(package.get("DriftCheckBaselines"))}:
            name = f"{package['ModelPackageGroupName']} / {package['ModelPackageVersion']}"
            return BaselineOrigin(
                files, name, urls.resource(arn), package.get("ModelApprovalStatus", ""),
                seconds(package.get("CreationTime")), retrain_address(visit, package),
            )  # fmt: skip
        again = again or retrain_address(visit, package)
    return BaselineOrigin(files, "", "", "", _date_of(visit, files), again)


def _uris(value: Any) -> Iterator[str]:
    for item in value.values() if isinstance(value, dict) else ():
        if isinstance(item, str):
            yield item
        else:
            yield from _uris(item)


def _date_of(visit: Visit, files: Mapping[str, str]) -> float | None:
    for uri in files.values():
        bucket, key = split_uri(uri)
        head = visit.optional("s3:HeadObject", {"Bucket": bucket, "Key": key})
        if head:
            return seconds(head.get("LastModified"))
    return None


def _run_request(visit: Visit, body: Mapping[str, Any]) -> dict[str, Any]:
    """CreateMonitoringSchedule with NOW, the same definition, and the last hour as its window."""
    config = dict(body["MonitoringScheduleConfig"])
    config["ScheduleConfig"] = {
        "ScheduleExpression": "NOW",
        "DataAnalysisStartTime": "-PT1H",
        "DataAnalysisEndTime": "-PT0H",
    }
    name = f"{run_prefix(body['MonitoringScheduleName'])}{instant(visit.now)}"
    return {"MonitoringScheduleName": name, "MonitoringScheduleConfig": config}


def _change_request(body: Mapping[str, Any], expression: str) -> dict[str, Any]:
    """UpdateMonitoringSchedule with another ScheduleExpression, and all else as it is; "" for no other."""
    config = dict(body["MonitoringScheduleConfig"])
    before = dict(config.get("ScheduleConfig", {}))
    if expression and expression != before.get("ScheduleExpression"):
        config["ScheduleConfig"] = {"ScheduleExpression": expression}
    return {"MonitoringScheduleName": body["MonitoringScheduleName"], "MonitoringScheduleConfig": config}


def _commands(visit: Visit, body: Mapping[str, Any]) -> dict[str, str]:
    key = {"MonitoringScheduleName": body["MonitoringScheduleName"]}
    return {
        "run now": aws_command("sagemaker:CreateMonitoringSchedule", visit.screen(_run_request(visit, body))),
        "change": aws_command("sagemaker:UpdateMonitoringSchedule", visit.screen(_change_request(body, ""))),
        "start": aws_command("sagemaker:StartMonitoringSchedule", key),
        "stop": aws_command("sagemaker:StopMonitoringSchedule", key),
        "describe": aws_command("sagemaker:DescribeMonitoringSchedule", key),
    }


def act(visit: Visit) -> str:
    """Starts, stops or changes the schedule, or runs its definition now."""
    action, name = visit.field("action"), visit.path["schedule"]
    if action == "run":
        body = visit.call("sagemaker:DescribeMonitoringSchedule", {"MonitoringScheduleName": name})
        visit.call("sagemaker:CreateMonitoringSchedule", _run_request(visit, body))
        return urls.to("monitoring", name, done="An execution over the last hour has begun")
    if action == "change":
        expression = visit.field("expression").strip()
        if not expression:
            raise ValidationError("The schedule needs an expression.")
        body = visit.call("sagemaker:DescribeMonitoringSchedule", {"MonitoringScheduleName": name})
        visit.call("sagemaker:UpdateMonitoringSchedule", _change_request(body, expression))
        return urls.to("monitoring", name, done=f"The schedule is {expression} now")
    if action not in ("start", "stop"):
        raise ValidationError(f"There is no action '{action}'.")
    try:
        visit.call(f"sagemaker:{action.capitalize()}MonitoringSchedule", {"MonitoringScheduleName": name})
    except ServiceError as error:
        raise ValidationError(error.message) from error
    return urls.to("monitoring", name)


PAGE = Page(
    "/monitoring/{schedule}", load, "monitoring_schedule.html", "Monitoring", act,
    lambda _visit, _context: ("processing-job:", "monitoring-schedule:"),
)  # fmt: skip
