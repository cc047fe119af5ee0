"""Endpoints: do they serve, which version, how fast; test inference, traffic, capture, settings."""

from __future__ import annotations

import csv
import io
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.log_reading import LogWindow, read_log, streams_of
from local_sagemaker.studio.pages.serving import packages_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import seconds

TABS = (("overview", "Overview"), ("test", "Test"), ("traffic", "Traffic"), ("log", "Log"), ("settings", "Settings"))
_LARGEST = 256 * 1024


@dataclass(frozen=True)
class EndpointRow:
    """An endpoint of the list."""

    name: str
    href: str
    status: str
    created: float | None
    modified: float | None
    packages: list[str]


@dataclass(frozen=True)
class EndpointsContext:
    """What the list of endpoints shows."""

    rows: list[EndpointRow] = field(metadata={"help": "one page of endpoints"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    text: str = field(metadata={"help": "the part of a name that is searched"})


def load(visit: Visit) -> EndpointsContext:
    """ListEndpoints, with the model versions that each serves."""
    request: dict[str, Any] = {"MaxResults": 50}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if visit.value("q"):
        request["NameContains"] = visit.value("q")
    answer = visit.call("sagemaker:ListEndpoints", request)
    rows = [
        EndpointRow(
            item["EndpointName"], urls.to("endpoints", item["EndpointName"]), item["EndpointStatus"],
            seconds(item.get("CreationTime")), seconds(item.get("LastModifiedTime")),
            packages_of(visit, item["EndpointName"]),
        )
        for item in answer["Endpoints"]
    ]  # fmt: skip
    return EndpointsContext(rows, answer.get("NextToken", ""), visit.value("q"))


@dataclass(frozen=True)
class InferenceAnswer:
    """The response to a test request."""

    status: str
    text: str
    milliseconds: float
    content_type: str = ""
    variant: str = ""
    table: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class EndpointContext:
    """What an endpoint's page shows."""

    name: str = field(metadata={"help": "the endpoint's name"})
    arn: str = field(metadata={"help": "its ARN"})
    status: str = field(metadata={"help": "EndpointStatus"})
    reason: str = field(metadata={"help": "FailureReason"})
    created: float | None = field(metadata={"help": "seconds since the epoch"})
    modified: float | None = field(metadata={"help": "seconds since the epoch"})
    variants: list[dict[str, Any]] = field(metadata={"help": "ProductionVariants of DescribeEndpoint"})
    packages: list[str] = field(metadata={"help": "ARNs of the model versions that it serves"})
    capture: dict[str, Any] = field(metadata={"help": "DataCaptureConfig"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    answer: InferenceAnswer | None = field(metadata={"help": "the answer to the test request, if one was sent"})
    series: dict[str, list[Series]] = field(metadata={"help": "curves of CloudWatch by metric"})
    log: LogWindow | None = field(metadata={"help": "the end of the container's log"})
    streams: list[str] = field(metadata={"help": "log streams, one an instance"})
    history: list[dict[str, Any]] = field(metadata={"help": "status changes, newest first"})
    config: dict[str, Any] = field(metadata={"help": "DescribeEndpointConfig's answer"}, repr=False)
    described: dict[str, Any] = field(metadata={"help": "DescribeEndpoint's answer"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load_endpoint(visit: Visit) -> EndpointContext:
    """DescribeEndpoint, its config, and what the tab shows."""
    body = visit.call("sagemaker:DescribeEndpoint", {"EndpointName": visit.path["endpoint"]})
    name = body["EndpointName"]
    tab = visit.value("tab") if visit.value("tab") in dict(TABS) else "overview"
    config = visit.optional(
        "sagemaker:DescribeEndpointConfig", {"EndpointConfigName": body.get("EndpointConfigName", "")}
    )
    group = f"/aws/sagemaker/Endpoints/{name}"
    streams = _streams(visit, group, body) if tab == "log" or body["EndpointStatus"] == "Failed" else []
    stream = visit.value("stream") if visit.value("stream") in streams else (streams or [""])[-1]
    answer = _invoke(visit, name) if visit.field("action") == "invoke" else None
    traffic = _traffic(visit, name, body) if tab == "traffic" else {}
    return EndpointContext(
        name, body["EndpointArn"], body["EndpointStatus"], body.get("FailureReason", ""),
        seconds(body.get("CreationTime")),
        seconds(body.get("LastModifiedTime")), body.get("ProductionVariants", []), packages_of(visit, name),
        (config or {}).get("DataCaptureConfig", {}), tab, TABS, answer, traffic,
        read_log(visit, group, stream, token=visit.value("token")) if stream else None, streams,
        _history(visit, name) if tab == "overview" else [], config or {}, body, _commands(name),
    )  # fmt: skip


def _streams(visit: Visit, group: str, body: dict[str, Any]) -> list[str]:
    names = [item.get("VariantName", "AllTraffic") for item in body.get("ProductionVariants", [])] or ["AllTraffic"]
    return [stream for name in names for stream in streams_of(visit, group, name)]


def _history(visit: Visit, name: str) -> list[dict[str, Any]]:
    events = visit.reads.history(300, ("endpoint",))
    return [
        {"time": event.time, "status": event.status, "config": event.body.get("EndpointConfigName", "")}
        for event in events
        if event.key.lower() == name.lower()
    ][:20]


_METRICS = (
    ("Invocations", "Sum"),
    ("ModelLatency", "Average"),
    ("Invocation4XXErrors", "Sum"),
    ("Invocation5XXErrors", "Sum"),
)


def _traffic(visit: Visit, name: str, body: dict[str, Any]) -> dict[str, list[Series]]:
    """Curves of the last three hours by variant, a point a minute."""
    found: dict[str, list[Series]] = {}
    for metric, statistic in _METRICS:
        for variant in body.get("ProductionVariants", []):
            dimensions = [
                {"Name": "EndpointName", "Value": name},
                {"Name": "VariantName", "Value": variant["VariantName"]},
            ]
            answer = visit.optional(
                "cloudwatch:GetMetricStatistics",
                {
                    "Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions, "Period": 60,
                    "StartTime": visit.now - 3 * 3600, "EndTime": visit.now + 60, "Statistics": [statistic],
                },
            )  # fmt: skip
            points = sorted(
                (float(item["Timestamp"]), float(item[statistic])) for item in (answer or {}).get("Datapoints", [])
            )
            if points:
                minutes = tuple((round((at - visit.now) / 60, 1), value) for at, value in points)
                found.setdefault(f"{metric} ({statistic.lower()})", []).append(Series(variant["VariantName"], minutes))
    return found


def _invoke(visit: Visit, name: str) -> InferenceAnswer:
    """Sends the test request; an error of the API is an answer, too."""
    request: dict[str, Any] = {
        "EndpointName": name,
        "Body": visit.field("body").replace("\r\n", "\n").encode(),
        "ContentType": visit.field("content_type") or "text/csv",
    }
    for member, key in (("Accept", "accept"), ("TargetVariant", "variant"), ("TargetModel", "model")):
        if visit.field(key):
            request[member] = visit.field(key)
    started = time.perf_counter()
    try:
        answer = visit.call("sagemaker-runtime:InvokeEndpoint", request)
    except ServiceError as error:
        return InferenceAnswer(f"{error.status} {error.code}", error.message, 1000 * (time.perf_counter() - started))
    took = 1000 * (time.perf_counter() - started)
    body = answer.get("Body", b"")
    raw = body if isinstance(body, bytes) else bytes(body.read()) if hasattr(body, "read") else str(body).encode()
    text = raw[:_LARGEST].decode("utf-8", "replace")
    kind = answer.get("ContentType", "")
    if "json" in kind:
        with suppress(ValueError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    table = list(csv.reader(io.StringIO(text)))[:100] if "csv" in kind else []
    return InferenceAnswer("200 OK", text, took, kind, answer.get("InvokedProductionVariant", ""), table)


def _commands(name: str) -> dict[str, str]:
    return {
        "describe": aws_command("sagemaker:DescribeEndpoint", {"EndpointName": name}),
        "delete": aws_command("sagemaker:DeleteEndpoint", {"EndpointName": name}),
    }


def act_endpoint(visit: Visit) -> str:
    """Deletes the endpoint, or shifts the weights of its variants."""
    name, action = visit.path["endpoint"], visit.field("action")
    if action == "delete":
        if visit.field("confirm") != name:
            raise ValidationError(f"Type the endpoint's name, {name}, to delete it.")
        visit.call("sagemaker:DeleteEndpoint", {"EndpointName": name})
        return urls.to("endpoints", done=f"{name} is being deleted")
    if action == "weights":
        desired = []
        for key, values in visit.form.items():
            if key.startswith("weight."):
                try:
                    desired.append({"VariantName": key[7:], "DesiredWeight": float(values[0])})
                except ValueError as error:
                    raise ValidationError(f"'{values[0]}' is no weight.") from error
        request = {"EndpointName": name, "DesiredWeightsAndCapacities": desired}
        visit.call("sagemaker:UpdateEndpointWeightsAndCapacities", request)
        return urls.to("endpoints", name)
    if action == "invoke":
        return ""
    raise ValidationError(f"There is no action '{action}'.")


PAGE = Page("/endpoints", load, "endpoints.html", "Endpoints", live=lambda _visit, _context: ("endpoint:",))
ENDPOINT = Page(
    "/endpoints/{endpoint}", load_endpoint, "endpoint.html", "Endpoints", act_endpoint,
    lambda _visit, context: (f"endpoint:{context.name}",),
)  # fmt: skip
