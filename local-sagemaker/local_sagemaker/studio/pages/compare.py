"""Two to four executions, or model versions, side by side: only what differs, unless all is requested."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.masking import number_secrets
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.compare_data import checks_of, data_of, versions_of
from local_sagemaker.studio.pages.execution_data import definition_of, parameters_of, steps_of
from local_sagemaker.studio.pages.job_details import load_job
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.version_reports import quality_of
from local_sagemaker.studio.views.check_reports import compare
from local_sagemaker.studio.views.executions import ExecutionRow, row
from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.times import between, duration, stamp

MOST = 4


@dataclass(frozen=True)
class CompareRow:
    """A value in each column. `verdicts` are of metrics: better or worse than the first column's; `times` are values
    that are moments, in seconds since the epoch, which the page shows in its viewer's zone."""

    name: str
    values: list[str]
    verdicts: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether the columns are not all equal."""
        return len(set(self.values)) > 1


@dataclass(frozen=True)
class CompareSection:
    """Rows of one kind. `equal` is how many are left out."""

    title: str
    rows: list[CompareRow]
    equal: int


@dataclass(frozen=True)
class CompareContext:
    """What a comparison shows."""

    title: str = field(metadata={"help": "the pipeline or group"})
    back: str = field(metadata={"help": "the address of its page"})
    heads: list[tuple[str, str]] = field(metadata={"help": "the columns: name and address; the first is the reference"})
    sections: list[CompareSection] = field(metadata={"help": "what differs, by kind"})
    series: list[Series] = field(metadata={"help": "curves of the training steps, overlaid"})
    shows_all: bool = field(metadata={"help": "whether equal values are shown, too"})
    choices: list[tuple[str, str]] = field(metadata={"help": "what can be added"})
    name: str = field(metadata={"help": "the name of the values in the query"})


@dataclass(frozen=True)
class _Execution:
    """What is compared of one execution."""

    row: ExecutionRow
    steps: dict[str, dict[str, Any]]
    metrics: dict[str, float]
    definition: dict[str, Any]


def load(visit: Visit) -> CompareContext:
    """Executions of a pipeline."""
    pipeline = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    name = pipeline["PipelineName"]
    chosen = list(dict.fromkeys(visit.query.get("e", [])))[:MOST]
    columns = [_read(visit, f"{pipeline['PipelineArn']}/execution/{identifier}") for identifier in chosen]
    every, hide = visit.value("all") == "1", number_secrets()
    metrics = [{key: f"{value:.6g}" for key, value in item.metrics.items()} for item in columns]
    sections = [
        _section(
            "Outcome",
            _outcomes([item.row for item in columns]),
            every=every,
            times={"Started": [item.row.start or 0.0 for item in columns]},
        ),
        _section("Parameters", [item.row.parameters for item in columns], every=every),
        _section("Metrics", metrics, every=every, judge=True),
        _section("Checks", [checks_of(visit, item.steps) for item in columns], every=every),
        _section("Registered versions", [versions_of(visit, item.steps) for item in columns], every=every),
        _section("Data", [data_of(visit, item.steps, item.row.end) for item in columns], every=every),
        _section("Steps", [_states(item.steps, visit.now) for item in columns], every=every),
        _section("Definition", [flatten(visit.screen(item.definition, hide)) for item in columns], every=every),
    ]
    series = [curve for item in columns for curve in _curves(visit, item.row.identifier, item.steps)]
    request = {"PipelineName": name, "MaxResults": 50}
    operation = "sagemaker:ListPipelineExecutions"
    summaries = items_or_none(visit, operation, "PipelineExecutionSummaries", 50, **request)
    ids = [item["PipelineExecutionArn"].rpartition("/")[2] for item in summaries]
    return CompareContext(
        name, urls.to("pipelines", name), [(item.row.identifier, item.row.href) for item in columns],
        [item for item in sections if item.rows or item.equal], series, every,
        [(item, item) for item in ids if item not in chosen], "e",
    )  # fmt: skip


def _read(visit: Visit, arn: str) -> _Execution:
    body = visit.call("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn})
    listed = parameters_of(visit, arn)
    steps = steps_of(visit, arn)
    text = definition_of(visit, arn)
    item = row({**body, "StartTime": body["CreationTime"], "PipelineParameters": listed}, visit.now)
    return _Execution(item, {step["StepName"]: step for step in steps}, _metrics(visit, steps), json.loads(text))


def _outcomes(rows: list[ExecutionRow]) -> list[dict[str, str]]:
    return [
        {
            "Status": state_of(item.status).word,
            "Started": f"{stamp(item.start)} UTC",
            "Duration": duration(item.seconds),
            "Pipeline version": str(item.version),
            "Reason": item.reason,
        }
        for item in rows
    ]  # fmt: skip


def _states(steps: Mapping[str, Mapping[str, Any]], now: float) -> dict[str, str]:
    return {
        name: f"{step['StepStatus']}{' (reused)' if 'CacheHitResult' in step else ''}, "
        f"{duration(between(step.get('StartTime'), step.get('EndTime'), now))}"
        for name, step in reversed(list(steps.items()))
    }


def _metrics(visit: Visit, steps: list[dict[str, Any]]) -> dict[str, float]:
    """Metrics of training jobs, and of model versions that were registered."""
    metrics: dict[str, float] = {}
    for step in reversed(steps):
        metadata = step.get("Metadata", {})
        job = metadata.get("TrainingJob", {}).get("Arn", "")
        if job:
            body = visit.optional("sagemaker:DescribeTrainingJob", {"TrainingJobName": job.rpartition("/")[2]}) or {}
            for item in body.get("FinalMetricDataList", []):
                metrics[f"{step['StepName']} {item['MetricName']}"] = item["Value"]
        package = metadata.get("RegisterModel", {}).get("Arn", "")
        if package:
            body = visit.optional("sagemaker:DescribeModelPackage", {"ModelPackageName": package}) or {}
            metrics |= {f"{step['StepName']} {name}": value for name, value in quality_of(visit, body).items()}
    return metrics


def _curves(visit: Visit, identifier: str, steps: Mapping[str, Mapping[str, Any]]) -> list[Series]:
    curves = []
    for name, step in steps.items():
        job = step.get("Metadata", {}).get("TrainingJob", {}).get("Arn", "")
        if job:
            view = load_job(visit, "training", job.rpartition("/")[2], tab="metrics")
            curves += [Series(f"{identifier} {name} {item.name}", item.points) for item in view.series]
    return curves[:6]


def flatten(definition: Mapping[str, Any], member: str = "Steps") -> dict[str, str]:
    """Members of the steps by path, or of another list of the definition."""
    flat: dict[str, str] = {}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for name, item in value.items():
                walk(item, f"{path}.{name}" if path else str(name))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                label = item.get("Name", place) if isinstance(item, Mapping) else place
                walk(item, f"{path}[{label}]")
        else:
            flat[path] = json.dumps(value, ensure_ascii=False)

    walk(definition.get(member, []), "" if member == "Steps" else member)
    return flat


def _section(
    title: str, columns: Sequence[Mapping[str, str]], *, every: bool, judge: bool = False,
    times: Mapping[str, list[float]] | None = None,
) -> CompareSection:  # fmt: skip
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = []
    for name in names:
        values = [str(column.get(name, "-")) for column in columns]
        moments = (times or {}).get(name, [])
        rows.append(CompareRow(name, values, _judge(name, values) if judge else [], moments))
    shown = rows if every or len(columns) < 2 else [item for item in rows if item.differs]
    return CompareSection(title, shown[:500], len(rows) - len(shown))


def _judge(name: str, values: list[str]) -> list[str]:
    verdicts = [""]
    for value in values[1:]:
        try:
            verdicts.append(compare(name.rpartition(" ")[2], float(value), float(values[0])))
        except ValueError:
            verdicts.append("")
    return verdicts


def load_versions(visit: Visit) -> CompareContext:
    """Versions of a model group."""
    group = visit.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": visit.path["group"]})
    name = group["ModelPackageGroupName"]
    arn = group["ModelPackageGroupArn"].replace(":model-package-group/", ":model-package/")
    chosen = list(dict.fromkeys(visit.query.get("v", [])))[:MOST]
    if not all(item.isascii() and item.isdigit() for item in chosen):
        raise ValidationError("Versions are numbers.")
    packages = [visit.call("sagemaker:DescribeModelPackage", {"ModelPackageName": f"{arn}/{item}"}) for item in chosen]
    every, hide = visit.value("all") == "1", number_secrets()
    metrics = [{key: f"{value:.6g}" for key, value in quality_of(visit, item).items()} for item in packages]
    sections = [
        _section("Status", [_version_facts(item) for item in packages], every=every),
        _section("Metrics", metrics, every=every, judge=True),
        _section("Containers", [_container(visit.screen(item, hide)) for item in packages], every=every),
    ]
    listed = items_or_none(
        visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", 100, ModelPackageGroupName=name, MaxResults=100
    )
    numbers = [str(item["ModelPackageVersion"]) for item in listed]
    return CompareContext(
        name, urls.to("models", name), [(f"version {item}", urls.to("models", name, item)) for item in chosen],
        [item for item in sections if item.rows or item.equal], [], every,
        [(item, f"version {item}") for item in numbers if item not in chosen], "v",
    )  # fmt: skip


def _version_facts(package: Mapping[str, Any]) -> dict[str, str]:
    return {
        "Approval": package.get("ModelApprovalStatus", ""),
        "Comment": package.get("ApprovalDescription", ""),
        "Stage": package.get("ModelLifeCycle", {}).get("Stage", ""),
        "Made by": package.get("MetadataProperties", {}).get("GeneratedBy", "").rpartition("/")[2],
        "Commit": package.get("MetadataProperties", {}).get("CommitId", ""),
    }


def _container(package: Mapping[str, Any]) -> dict[str, str]:
    flat = flatten({"Steps": package.get("InferenceSpecification", {})})
    return {name: value.strip('"') for name, value in flat.items()}


PAGE = Page("/pipelines/{pipeline}/compare", load, "compare.html", "Pipelines")
VERSIONS = Page("/models/{group}/compare", load_versions, "compare.html", "Models")
