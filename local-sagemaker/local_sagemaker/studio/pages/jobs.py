"""Jobs of the four kinds, and one of them at full width."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.arns import last
from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Missing, Page, Visit
from local_sagemaker.studio.pages.job_details import KINDS, JobView, load_job
from local_sagemaker.studio.pages.listing import items_or_none, order_of
from local_sagemaker.studio.pages.step_panel import step_address
from local_sagemaker.studio.pages.tagging import tags_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.numbers import is_number
from local_sagemaker.studio.views.times import between, seconds

TABS = (
    ("overview", "Overview"), ("io", "In / out"), ("parameters", "Parameters"), ("log", "Log"), ("metrics", "Metrics"),
    ("requests", "Requests"),
)  # fmt: skip
LISTS = {
    "training": ("sagemaker:ListTrainingJobs", "TrainingJobSummaries", "TrainingJob"),
    "processing": ("sagemaker:ListProcessingJobs", "ProcessingJobSummaries", "ProcessingJob"),
    "transform": ("sagemaker:ListTransformJobs", "TransformJobSummaries", "TransformJob"),
    "tuning": ("sagemaker:ListHyperParameterTuningJobs", "HyperParameterTuningJobSummaries", "HyperParameterTuningJob"),
}
STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped")
_RECORDS = {"tuning": "hyper-parameter-tuning-job"}


@dataclass(frozen=True)
class JobRow:
    """A job of the list."""

    name: str
    href: str
    status: str
    created: float | None
    seconds: float | None


@dataclass(frozen=True)
class JobsContext:
    """What the list of jobs shows."""

    kind: str = field(metadata={"help": "training, processing, transform or tuning"})
    kinds: tuple[str, ...] = field(metadata={"help": "all kinds"})
    rows: list[JobRow] = field(metadata={"help": "one page of jobs, newest first"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    text: str = field(metadata={"help": "the part of a name that is searched"})
    status: str = field(metadata={"help": "the status that is filtered by"})
    statuses: tuple[str, ...] = field(metadata={"help": "all statuses"})


def load(visit: Visit) -> JobsContext:
    """The List operation of the kind."""
    kind = visit.value("kind", "training")
    if kind not in LISTS:
        raise Missing(f"There are no jobs of kind '{kind}'; there are {', '.join(LISTS)}.")
    operation, member, noun = LISTS[kind]
    request: dict[str, Any] = {"MaxResults": 50, **order_of(visit, "Name", "CreationTime", "Status")}
    for name, value in (("NextToken", "token"), ("NameContains", "q"), ("StatusEquals", "status")):
        if visit.value(value):
            request[name] = visit.value(value)
    response = visit.call(operation, request)
    rows = []
    for item in response[member]:
        name, status = item[f"{noun}Name"], item[f"{noun}Status"]
        end = item.get(f"{noun.removesuffix('Job')}EndTime")
        created = seconds(item.get("CreationTime"))
        running = status in ("InProgress", "Stopping")
        length = between(created, end, visit.now) if end or running else None
        rows.append(JobRow(name, urls.to("jobs", kind, name), status, created, length))
    return JobsContext(
        kind, tuple(LISTS), rows, response.get("NextToken", ""), visit.value("q"), visit.value("status"), STATUSES
    )


@dataclass(frozen=True)
class JobMaker:
    """What made a job: in words, and as a link."""

    words: str
    name: str
    href: str


@dataclass(frozen=True)
class JobContext:
    """What a job's page shows."""

    job: JobView = field(metadata={"help": "the job"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    trials: list[dict[str, Any]] = field(metadata={"help": "training jobs of a tuning job, best first"})
    tuned: dict[str, list[Series]] = field(metadata={"help": "the objective by start and by each tuned number"})
    facts: dict[str, str] = field(metadata={"help": "facts about it, as names and values"})
    made_by: JobMaker | None = field(metadata={"help": "the step, or the tuning job, that made it"})
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load_one(visit: Visit) -> JobContext:
    """The job, and what the tab shows."""
    kind, name = visit.path["kind"], visit.path["name"]
    if kind not in KINDS:
        raise Missing(f"There are no jobs of kind '{kind}'; there are {', '.join(KINDS)}.")
    tab = visit.value("tab") if visit.value("tab") in dict(TABS) else "overview"
    job = load_job(visit, kind, name, tab=tab)
    noun = LISTS[kind][2]
    trials = _trials(visit, name) if kind == "tuning" else []
    return JobContext(
        job, tab, TABS, trials, tuning_curves(trials), _facts(job), _maker(visit, job, noun),
        {
            "describe": aws_command(f"sagemaker:Describe{noun}", {f"{noun}Name": job.name}),
            "stop": aws_command(f"sagemaker:Stop{noun}", {f"{noun}Name": job.name}),
        },
    )  # fmt: skip


def _maker(visit: Visit, job: JobView, noun: str) -> JobMaker | None:
    """The step that the job's tags name, or the tuning job that its description names."""
    if tuning := job.describe.get("TuningJobArn"):
        return JobMaker("A training job of", last(tuning), urls.resource(tuning))
    tags = tags_of(visit, job.describe.get(f"{noun}Arn", ""))
    arn, step = tags.get("sagemaker:pipeline-execution-arn", ""), tags.get("sagemaker:pipeline-step-name", "")
    return JobMaker(f"Step {step} of execution", last(arn), step_address(arn, step)) if arn and step else None


def _trials(visit: Visit, name: str) -> list[dict[str, Any]]:
    trials = items_or_none(
        visit, "sagemaker:ListTrainingJobsForHyperParameterTuningJob", "TrainingJobSummaries", 500,
        HyperParameterTuningJobName=name, MaxResults=100,
    )  # fmt: skip
    rows = []
    for item in trials:
        metric = item.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
        rows.append(
            {
                "name": item["TrainingJobName"], "status": item["TrainingJobStatus"], "value": metric.get("Value"),
                "metric": metric.get("MetricName", ""), "rank": item.get("ObjectiveStatus", ""),
                "parameters": item.get("TunedHyperParameters", {}), "created": seconds(item.get("CreationTime")),
            }
        )  # fmt: skip
    body = visit.call("sagemaker:DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": name})
    objective = body.get("HyperParameterTuningJobConfig", {}).get("HyperParameterTuningJobObjective", {})
    sign = -1 if objective.get("Type") == "Maximize" else 1
    return sorted(rows, key=lambda row: (row["value"] is None, sign * (row["value"] or 0)))


def _facts(job: JobView) -> dict[str, str]:
    config = job.describe.get("HyperParameterTuningJobConfig", {})
    objective, limits = config.get("HyperParameterTuningJobObjective", {}), config.get("ResourceLimits", {})
    facts = {
        "Image": job.image, "Role": job.role, "Instance": job.instance, "Strategy": config.get("Strategy", ""),
        "Objective": f"{objective.get('Type', '')} {objective.get('MetricName', '')}".strip(),
        "Training jobs": str(limits.get("MaxNumberOfTrainingJobs", "")),
        "At once": str(limits.get("MaxParallelTrainingJobs", "")),
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value}


def tuning_curves(trials: list[dict[str, Any]]) -> dict[str, list[Series]]:
    """The objective of the trials in the order of their start, with the best so far, and against each tuned number."""
    ended = sorted((item for item in trials if item["value"] is not None), key=lambda item: item["created"] or 0)
    if not ended:
        return {}
    better = min if trials[0]["value"] == min(item["value"] for item in ended) else max
    best = [better(item["value"] for item in ended[: place + 1]) for place in range(len(ended))]
    curves = {
        "training job, by start": [
            Series("objective", tuple((at, item["value"]) for at, item in enumerate(ended, 1)), "points"),
            Series("best so far", tuple(enumerate(best, 1))),
        ]
    }
    for name in ended[0]["parameters"]:
        pairs = [(str(item["parameters"].get(name, "")), item["value"]) for item in ended]
        if all(is_number(text) for text, _ in pairs):
            curves[name] = [Series("objective", tuple((float(text), value) for text, value in pairs), "points")]
    return curves


def act(visit: Visit) -> str:
    """Stops the job."""
    kind, name = visit.path["kind"], visit.path["name"]
    if visit.field("action") != "stop" or kind not in LISTS:
        raise ValidationError(f"There is no action '{visit.field('action')}'.")
    noun = LISTS[kind][2]
    visit.call(f"sagemaker:Stop{noun}", {f"{noun}Name": name})
    return urls.to("jobs", kind, name)


def _record(kind: str) -> str:
    return _RECORDS.get(kind, f"{kind}-job")


PAGE = Page("/jobs", load, "jobs.html", "Jobs", live=lambda _visit, context: (f"{_record(context.kind)}:",))
JOB = Page(
    "/jobs/{kind}/{name}", load_one, "job.html", "Jobs", act,
    lambda _visit, context: (f"{_record(context.job.kind)}:{context.job.name}",),
)  # fmt: skip
