"""Home: what needs me, what runs, what is new, and this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker import __version__
from local_sagemaker.records.query import Query
from local_sagemaker.studio import urls
from local_sagemaker.studio.local_data import DiskUse
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.execution_data import steps_or_none
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.monitoring import list_schedules, schedule_of
from local_sagemaker.studio.pages.version_reports import quality_of
from local_sagemaker.studio.views.executions import ExecutionRow, row
from local_sagemaker.studio.views.failure import SILENT, explain
from local_sagemaker.studio.views.numbers import number

_NEW = 86_400.0
_RECENT = 10
_MOST, _MOST_FAILED, _METRICS = 20, 5, 3


@dataclass(frozen=True)
class Need:
    """Something that waits for a person."""

    state: str
    title: str
    text: str
    href: str
    action: str


@dataclass(frozen=True)
class Running:
    """A resource that changes now."""

    kind: str
    name: str
    state: str
    since: float | None
    href: str


@dataclass(frozen=True)
class HomeContext:
    """What Home shows."""

    needs: list[Need] = field(metadata={"help": "what waits for a person, each with its action"})
    running: list[Running] = field(metadata={"help": "executions, jobs and endpoints that change now"})
    recent: list[ExecutionRow] = field(metadata={"help": "the ten newest executions of all pipelines"})
    disk: list[DiskUse] = field(metadata={"help": "bytes of the state folder, by kind"})
    free: int = field(metadata={"help": "free bytes of the disk"})
    account: str = field(metadata={"help": "the account's number"})
    version: str = field(metadata={"help": "the version of the service"})
    home: str = field(metadata={"help": "the state folder"})
    is_empty: bool = field(metadata={"help": "whether there is no pipeline yet"})


def load(visit: Visit) -> HomeContext:
    """Reads the newest executions of all pipelines, and what is pending or changing."""
    recent = executions_of(visit, _RECENT)
    disk, free = visit.reads.disk()
    needs = [*_approvals(visit), *_pipeline_approvals(visit), *_violations(visit)]
    needs += [*_failures(visit), *_endpoints(visit)]
    return HomeContext(
        needs, _list_running(visit), recent, disk, free, visit.reads.settings.account, __version__,
        str(visit.reads.settings.home), not recent and not _has_pipeline(visit),
    )  # fmt: skip


def _has_pipeline(visit: Visit) -> bool:
    return bool(items_or_none(visit, "sagemaker:ListPipelines", "PipelineSummaries", 1, MaxResults=1))


def executions_of(visit: Visit, most: int, status: str | None = None, since: float | None = None) -> list[ExecutionRow]:
    """The newest executions of all pipelines; of one status, and begun since then, if that is given."""
    query = Query("pipeline-execution", status=status, created_after=since)
    rows = []
    for arn in visit.reads.newest(query, most, "PipelineExecutionArn"):
        body = visit.optional("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn})
        if body:
            rows.append(row({**body, "StartTime": body["CreationTime"]}, visit.now))
    return rows


def _approvals(visit: Visit) -> list[Need]:
    """The newest versions that wait, of all groups; what is left out is said."""
    query = Query("model-package", equals={"ModelApprovalStatus": "PendingManualApproval"})
    arns = visit.reads.newest(query, _MOST + 1, "ModelPackageArn")
    needs = []
    for arn in arns[:_MOST]:
        package = visit.optional("sagemaker:DescribeModelPackage", {"ModelPackageName": arn}) or {}
        group, version = package.get("ModelPackageGroupName"), package.get("ModelPackageVersion")
        if group and version:
            target, title = urls.to("models", group, version), f"{group} / {version}"
            metrics = [f"{name} {number(value)}" for name, value in quality_of(visit, package).items()][:_METRICS]
            text = ", ".join(["waits for approval", *metrics])
            needs.append(Need("PendingManualApproval", title, text, target, "Review"))
    if len(arns) > _MOST:
        text = f"older ones than these {_MOST} wait, too"
        needs.append(Need("PendingManualApproval", "More versions", text, urls.to("models"), "Open"))
    return needs


def _pipeline_approvals(visit: Visit) -> list[Need]:
    needs = []
    for pipeline in items_or_none(visit, "codepipeline:ListPipelines", "pipelines", 20):
        state = visit.optional("codepipeline:GetPipelineState", {"name": pipeline["name"]}) or {}
        for stage in state.get("stageStates", []):
            for action in stage.get("actionStates", []):
                latest = action.get("latestExecution", {})
                if latest.get("status") == "InProgress" and latest.get("token"):
                    text = f"{action['actionName']} in stage {stage['stageName']} waits for approval"
                    needs.append(
                        Need(
                            "PendingManualApproval",
                            pipeline["name"],
                            text,
                            urls.to("delivery", pipeline["name"]),
                            "Review",
                        )
                    )
    return needs


def _violations(visit: Visit) -> list[Need]:
    """The schedules with the newest violations, each once; a run by hand is one of its schedule."""
    executions = items_or_none(
        visit, "sagemaker:ListMonitoringExecutions", "MonitoringExecutionSummaries", 20,
        StatusEquals="CompletedWithViolations", SortBy="ScheduledTime", SortOrder="Descending", MaxResults=20,
    )  # fmt: skip
    schedules = [item["MonitoringScheduleName"] for item in list_schedules(visit)] if executions else []
    names = dict.fromkeys(schedule_of(item["MonitoringScheduleName"], schedules) for item in executions)
    return [
        Need("CompletedWithViolations", name, "found violations of its baseline", urls.to("monitoring", name), "Open")
        for name in list(names)[:5]
    ]


def _failures(visit: Visit) -> list[Need]:
    """The newest executions that failed within a day, whatever has run since; what is left out is said."""
    failed = executions_of(visit, _MOST_FAILED + 1, "Failed", visit.now - _NEW)
    needs = [
        Need("Failed", f"{item.pipeline} {item.identifier}", _reason(visit, item), item.href, "Open")
        for item in failed[:_MOST_FAILED]
    ]
    if len(failed) > _MOST_FAILED:
        text = f"more than these {_MOST_FAILED} failed within a day"
        needs.append(Need("Failed", "More executions", text, urls.to("pipelines"), "Open"))
    return needs


def _reason(visit: Visit, item: ExecutionRow) -> str:
    """At which step an execution failed, and why in a sentence; the newest 100 steps are looked at."""
    steps = steps_or_none(visit, item.arn, 100)
    failed = [step for step in reversed(steps) if step["StepStatus"] == "Failed"]
    if not failed:
        return item.reason or "failed"
    sentence = explain(failed[0].get("FailureReason", "")).sentence
    return f"failed at {failed[0]['StepName']}{'' if SILENT.match(sentence) else f': {sentence[:200]}'}"


def _endpoints(visit: Visit) -> list[Need]:
    failed = items_or_none(visit, "sagemaker:ListEndpoints", "Endpoints", 5, StatusEquals="Failed", MaxResults=5)
    return [
        Need("Failed", item["EndpointName"], "the endpoint failed", urls.to("endpoints", item["EndpointName"]), "Open")
        for item in failed
    ]


_CHANGING = (
    ("training job", "sagemaker:ListTrainingJobs", "TrainingJobSummaries", "TrainingJobName", "training"),
    ("processing job", "sagemaker:ListProcessingJobs", "ProcessingJobSummaries", "ProcessingJobName", "processing"),
    ("transform job", "sagemaker:ListTransformJobs", "TransformJobSummaries", "TransformJobName", "transform"),
)


def _list_running(visit: Visit) -> list[Running]:
    running = [
        Running("execution", f"{item.pipeline} {item.identifier}", item.status, item.start, item.href)
        for status in ("Executing", "Stopping")
        for item in executions_of(visit, _MOST, status)
    ]
    for kind, operation, member, name, place in _CHANGING:
        for item in items_or_none(visit, operation, member, 10, StatusEquals="InProgress", MaxResults=10):
            running.append(Running(kind, item[name], "InProgress", _time(item), urls.to("jobs", place, item[name])))
    for status in ("Creating", "Updating"):
        endpoints = items_or_none(visit, "sagemaker:ListEndpoints", "Endpoints", 10, StatusEquals=status, MaxResults=10)
        running += [
            Running("endpoint", item["EndpointName"], status, _time(item), urls.to("endpoints", item["EndpointName"]))
            for item in endpoints
        ]
    return running


def _time(item: dict[str, Any]) -> float | None:
    value = item.get("CreationTime")
    return float(value) if isinstance(value, (int, float)) else None


_KINDS = (
    "pipeline-execution", "model-package", "endpoint", "training-job", "processing-job", "transform-job",
)  # fmt: skip
PAGE = Page("/", load, "home.html", "Home", live=lambda _visit, _context: tuple(f"{kind}:" for kind in _KINDS))
