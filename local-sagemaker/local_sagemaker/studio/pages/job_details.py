"""A job as its page and the step panel show it: inputs and outputs with what exists, parameters, metrics, log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.masking import mask_variables
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.curves import curves
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.log_window import LogWindow, read_log, streams_of
from local_sagemaker.studio.views.failure import Failure, explain
from local_sagemaker.studio.views.times import between, seconds


@dataclass(frozen=True)
class Artifact:
    """An input or output: its URI, how many objects exist, their bytes, the newest's time, and what is odd.

    `before` are the bytes of the last success.

    `etag` is the object's, or a digest of those of several.
    """

    name: str
    uri: str
    objects: int | None = None
    bytes: int | None = None
    modified: float | None = None
    warning: str = ""
    more: bool = False
    etag: str = ""
    before: int | None = None


@dataclass(frozen=True)
class JobView:
    """One job. `describe` is the whole response of its Describe operation."""

    kind: str
    name: str
    status: str
    start: float | None
    end: float | None
    seconds: float | None
    image: str
    instance: str
    role: str
    reason: str
    inputs: list[Artifact]
    outputs: list[Artifact]
    parameters: dict[str, str]
    environment: dict[str, str]
    metrics: dict[str, float]
    series: list[Series]
    log: LogWindow | None
    streams: list[str]
    failure: Failure | None
    describe: dict[str, Any] = field(repr=False, default_factory=dict)


_DESCRIBE = {
    "training": ("sagemaker:DescribeTrainingJob", "TrainingJobName", "TrainingJobStatus"),
    "processing": ("sagemaker:DescribeProcessingJob", "ProcessingJobName", "ProcessingJobStatus"),
    "transform": ("sagemaker:DescribeTransformJob", "TransformJobName", "TransformJobStatus"),
    "tuning": (
        "sagemaker:DescribeHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobStatus",
    ),
}
KINDS = tuple(_DESCRIBE)
_JOBS = {"TrainingJob": "training", "ProcessingJob": "processing", "TransformJob": "transform", "TuningJob": "tuning"}


def job_of(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    """Kind and name of the job that a step ran, from its metadata; None for a step without one."""
    for member, content in metadata.items():
        arn = content.get("CheckJobArn") or (content.get("Arn") if member in _JOBS else None)
        if arn:
            return _JOBS.get(member, "processing"), str(arn).rpartition("/")[2]
    return None


def load_job(visit: Visit, kind: str, name: str, *, tab: str, since: float | None = None) -> JobView:
    """Describes the job and reads what its tab shows. Raises the API's error when there is no such job."""
    operation, member, status_member = _DESCRIBE[kind]
    body = visit.call(operation, {member: name})
    status = body[status_member]
    start = seconds(body.get("ProcessingStartTime") or body.get("TrainingStartTime") or body.get("TransformStartTime"))
    end = seconds(body.get("ProcessingEndTime") or body.get("TrainingEndTime") or body.get("TransformEndTime"))
    created = seconds(body.get("CreationTime"))
    if kind == "tuning":
        start, end = created, seconds(body.get("HyperParameterTuningEndTime"))
    streams = streams_of(visit, urls.JOB_GROUPS[kind], name) if kind in urls.JOB_GROUPS else []
    chosen = visit.value("stream") if visit.value("stream") in streams else (streams or [""])[0]
    wants_log = tab in ("log", "overview", "metrics") and chosen
    log = None
    if wants_log:
        log = read_log(
            visit, urls.JOB_GROUPS[kind], chosen, token=visit.value("token") if tab == "log" else "",
            head=tab == "log" and visit.value("at") == "top",
        )  # fmt: skip
    io = (_inputs(kind, body), _outputs(kind, body)) if tab == "io" else ([], [])
    inputs, outputs = ([_look(visit, item) for item in part] for part in io)
    warned = [_warn(item, status, since) for item in outputs]
    metrics = _metrics(body)
    reason = body.get("FailureReason", "")
    return JobView(
        kind, name, status, start or created, end, between(start or created, end, visit.now) if start or end else None,
        _image(body), _instance(body), body.get("RoleArn", ""), reason, inputs, warned,
        _hyperparameters(body), _environment(visit, body), metrics,
        curves(log.texts) if log and tab == "metrics" else [], log, streams,
        explain(reason, log.texts if log else ()) if status == "Failed" else None, body,
    )  # fmt: skip


def _image(body: dict[str, Any]) -> str:
    body = _training_of(body)
    specification = body.get("AppSpecification") or body.get("AlgorithmSpecification") or {}
    return str(specification.get("ImageUri") or specification.get("TrainingImage") or "")


def _instance(body: dict[str, Any]) -> str:
    body = _training_of(body)
    resources = (
        body.get("ResourceConfig")
        or body.get("TransformResources")
        or body.get("ProcessingResources", {}).get("ClusterConfig")
        or {}
    )
    count, kind = resources.get("InstanceCount"), resources.get("InstanceType")
    return f"{count} x {kind}" if count and kind else ""


def _environment(visit: Visit, body: dict[str, Any]) -> dict[str, str]:
    """Values whose names speak of secrets are masked, unless the address wants them."""
    variables = body.get("Environment", {})
    shown = variables if visit.reveals else mask_variables(variables)
    return {name: str(value) for name, value in shown.items()}


def _training_of(body: dict[str, Any]) -> dict[str, Any]:
    """What describes the containers of a job: the job itself, or the (first) training that a tuning job varies."""
    several = body.get("TrainingJobDefinitions") or [body]
    return dict(body.get("TrainingJobDefinition") or several[0])


def _hyperparameters(body: dict[str, Any]) -> dict[str, str]:
    """A training job's; of a tuning job the fixed ones, and the ranges and choices of the others."""
    training = _training_of(body)
    shown = {**training.get("HyperParameters", {}), **training.get("StaticHyperParameters", {})}
    config = body.get("HyperParameterTuningJobConfig", {})
    ranges = training.get("HyperParameterRanges") or config.get("ParameterRanges", {})
    for item in (one for items in ranges.values() for one in items if "Name" in one):
        choices = item.get("Values")
        shown[item["Name"]] = ", ".join(choices) if choices else f"{item.get('MinValue')} to {item.get('MaxValue')}"
    return {name: str(value) for name, value in shown.items()}


def _metrics(body: dict[str, Any]) -> dict[str, float]:
    """A training job's final metrics; the best objective of a tuning job."""
    best = body.get("BestTrainingJob", {}).get("FinalHyperParameterTuningJobObjectiveMetric")
    return {item["MetricName"]: item["Value"] for item in body.get("FinalMetricDataList", [])} | (
        {f"best {best['MetricName']}": best["Value"]} if best else {}
    )


def _inputs(kind: str, body: dict[str, Any]) -> list[Artifact]:
    if kind == "processing":
        return [
            Artifact(item["InputName"], item.get("S3Input", {}).get("S3Uri", ""))
            for item in body.get("ProcessingInputs", [])
        ]
    if kind in ("training", "tuning"):
        return [
            Artifact(item["ChannelName"], item.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", ""))
            for item in _training_of(body).get("InputDataConfig", [])
        ]
    source = body.get("TransformInput", {}).get("DataSource", {}).get("S3DataSource", {}).get("S3Uri", "")
    return [Artifact("input", source)] if source else []


def _outputs(kind: str, body: dict[str, Any]) -> list[Artifact]:
    if kind == "processing":
        outputs = body.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [Artifact(item["OutputName"], item.get("S3Output", {}).get("S3Uri", "")) for item in outputs]
    if kind == "training":
        uri = body.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
        return [Artifact("model", uri)] if uri else []
    if kind == "tuning":
        uri = _training_of(body).get("OutputDataConfig", {}).get("S3OutputPath", "")
        return [Artifact("models", uri)] if uri else []
    output = body.get("TransformOutput", {}).get("S3OutputPath", "")
    return [Artifact("output", output)] if output else []


def _look(visit: Visit, item: Artifact) -> Artifact:
    """What exists: at most 1,000 objects are looked at."""
    bucket, _, key = item.uri.removeprefix("s3://").partition("/")
    if not item.uri.startswith("s3://"):
        return item
    try:
        response = visit.call("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": key, "MaxKeys": 1000})
    except ServiceError as error:
        return Artifact(item.name, item.uri, warning=error.message)
    entries = response.get("Contents", [])
    times = [time for time in (seconds(entry.get("LastModified")) for entry in entries) if time is not None]
    return Artifact(
        item.name, item.uri, len(entries), sum(entry["Size"] for entry in entries), max(times, default=None),
        "", bool(response.get("IsTruncated")), _etag([str(entry.get("ETag", "")).strip('"') for entry in entries]),
    )  # fmt: skip


def _etag(tags: list[str]) -> str:
    return tags[0] if len(tags) == 1 else hashlib.sha256("\n".join(tags).encode()).hexdigest()[:32] if tags else ""


def _warn(item: Artifact, status: str, since: float | None) -> Artifact:
    warning = item.warning
    if item.objects == 0 and status == "Completed":
        warning = "empty: the step wrote nothing here"
    elif since is not None and item.modified is not None and item.modified < since - 1:
        warning = "older than this execution: written by an earlier run"
    return replace(item, warning=warning)
