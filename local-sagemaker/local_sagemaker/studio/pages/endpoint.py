"""An endpoint: does it serve, which version, how fast; rollouts and the way back, tests, traffic, captured requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.line import Series
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.captured_requests import CapturedRecord, read_captures
from local_sagemaker.studio.pages.endpoint_scaling import ScalingTarget, VariantUse, scaling_of, use_of
from local_sagemaker.studio.pages.inference import InferenceTest, try_inference
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.log_window import LogWindow, read_log, streams_of
from local_sagemaker.studio.pages.monitoring import MonitorRow, schedule_rows
from local_sagemaker.studio.pages.serving import packages_of, version_name
from local_sagemaker.studio.pages.tagging import ACTIONS, edit_tags, tags_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.numbers import is_number
from local_sagemaker.studio.views.rollout import RolloutView, make_policy, rollout_of
from local_sagemaker.studio.views.times import seconds

TABS = (
    ("overview", "Overview"), ("test", "Test"), ("traffic", "Traffic"), ("capture", "Capture"), ("log", "Log"),
    ("settings", "Settings"),
)  # fmt: skip
STRATEGIES = (("ALL_AT_ONCE", "All at once"), ("CANARY", "Canary"), ("LINEAR", "Linear"))


@dataclass(frozen=True)
class EndpointChange:
    """The endpoint had this status at a time."""

    time: float
    status: str
    config: str


@dataclass(frozen=True)
class EndpointContext:
    """What an endpoint's page shows."""

    name: str = field(metadata={"help": "the endpoint's name"})
    arn: str = field(metadata={"help": "its ARN"})
    status: str = field(metadata={"help": "EndpointStatus"})
    reason: str = field(metadata={"help": "FailureReason"})
    modified: float | None = field(metadata={"help": "seconds since the epoch"})
    config_name: str = field(metadata={"help": "the configuration that serves"})
    variants: list[dict[str, Any]] = field(metadata={"help": "ProductionVariants of DescribeEndpoint"})
    use: list[VariantUse] = field(metadata={"help": "how much each variant was used in the last three hours"})
    scaling: list[ScalingTarget] = field(metadata={"help": "variants that are scaled, with what was done"})
    packages: dict[str, str] = field(metadata={"help": "the model versions that it serves: names by ARN"})
    rollout: RolloutView | None = field(metadata={"help": "the deployment that is under way"})
    alarms: dict[str, str] = field(metadata={"help": "states of the alarms that would roll it back"})
    previous: str = field(metadata={"help": "the configuration that served before, to go back to"})
    configs: list[str] = field(metadata={"help": "configurations to choose from, newest first"})
    strategies: tuple[tuple[str, str], ...] = field(metadata={"help": "ways to shift the traffic"})
    monitors: list[MonitorRow] = field(metadata={"help": "the schedules that watch it"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    test: InferenceTest = field(metadata={"help": "the test request and its response"})
    series: dict[str, list[Series]] = field(metadata={"help": "curves of CloudWatch by metric"})
    capture: dict[str, Any] = field(metadata={"help": "DataCaptureConfig"})
    records: list[CapturedRecord] = field(metadata={"help": "the newest captured requests"})
    log: LogWindow | None = field(metadata={"help": "the end of the container's log"})
    streams: list[str] = field(metadata={"help": "log streams, one an instance"})
    history: list[EndpointChange] = field(metadata={"help": "status changes, newest first"})
    tags: dict[str, str] = field(metadata={"help": "its tags"})
    config: dict[str, Any] = field(metadata={"help": "DescribeEndpointConfig's response"}, repr=False)
    described: dict[str, Any] = field(metadata={"help": "DescribeEndpoint's response"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> EndpointContext:
    """DescribeEndpoint, its config, the monitors on it, and what the tab shows."""
    body = visit.call("sagemaker:DescribeEndpoint", {"EndpointName": visit.path["endpoint"]})
    name, status = body["EndpointName"], body["EndpointStatus"]
    tab = visit.value("tab") if visit.value("tab") in dict(TABS) else "overview"
    config_name = body.get("EndpointConfigName", "")
    config = visit.optional("sagemaker:DescribeEndpointConfig", {"EndpointConfigName": config_name}) or {}
    rollout, history = rollout_of(body), _history(visit, name)
    log, streams = _log(visit, body) if tab == "log" or status == "Failed" else (None, [])
    capture, variants = config.get("DataCaptureConfig", {}), body.get("ProductionVariants", [])
    names = [item.get("VariantName", "") for item in variants]
    records = read_captures(visit, name, capture, names) if tab == "capture" and capture else []
    packages = {arn: version_name(visit, arn) for arn in packages_of(visit, name)}
    return EndpointContext(
        name, body["EndpointArn"], status, body.get("FailureReason", ""), seconds(body.get("LastModifiedTime")),
        config_name, variants, use_of(visit, name, variants) if tab == "overview" else [],
        scaling_of(visit, name) if tab == "settings" else [], packages, rollout,
        _alarm_states(visit, rollout.alarms if rollout else []), _previous(history, config_name), _configs(visit),
        STRATEGIES, _monitors(visit, name), tab, TABS, try_inference(visit, name),
        _traffic(visit, name, body) if tab == "traffic" else {}, capture, records, log, streams, history,
        tags_of(visit, body["EndpointArn"]) if tab == "settings" else {}, config, body, _commands(name),
    )  # fmt: skip


def _monitors(visit: Visit, name: str) -> list[MonitorRow]:
    """The schedules on the endpoint, without those that were made to run one by hand."""
    return [row for row in schedule_rows(visit, EndpointName=name) if row.schedule == row.name]


def _log(visit: Visit, body: dict[str, Any]) -> tuple[LogWindow | None, list[str]]:
    group = f"/aws/sagemaker/Endpoints/{body['EndpointName']}"
    names = [item.get("VariantName", "AllTraffic") for item in body.get("ProductionVariants", [])] or ["AllTraffic"]
    streams = [stream for name in names for stream in streams_of(visit, group, name)]
    stream = visit.value("stream") if visit.value("stream") in streams else (streams or [""])[-1]
    return read_log(visit, group, stream, token=visit.value("token")) if stream else None, streams


def _history(visit: Visit, name: str) -> list[EndpointChange]:
    events = visit.reads.history(300, ("endpoint",))
    own = [event for event in events if event.key.lower() == name.lower()]
    return [EndpointChange(one.time, one.status or "", one.body.get("EndpointConfigName", "")) for one in own[:20]]


def _previous(history: list[EndpointChange], current: str) -> str:
    """The newest other configuration with which the endpoint was in service."""
    return next(
        (item.config for item in history if item.status == "InService" and item.config not in ("", current)), ""
    )


def _configs(visit: Visit) -> list[str]:
    listed = items_or_none(
        visit, "sagemaker:ListEndpointConfigs", "EndpointConfigs", 50, SortBy="CreationTime", SortOrder="Descending",
        MaxResults=50,
    )  # fmt: skip
    return [item["EndpointConfigName"] for item in listed]


def _alarm_states(visit: Visit, names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    response = visit.optional("cloudwatch:DescribeAlarms", {"AlarmNames": names}) or {}
    listed = [*response.get("MetricAlarms", []), *response.get("CompositeAlarms", [])]
    states = {item["AlarmName"]: item.get("StateValue", "") for item in listed}
    return {name: states.get(name, "missing") for name in names}


_METRICS = (
    ("Invocations", "Sum"), ("ModelLatency", "Average"), ("OverheadLatency", "Average"),
    ("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum"),
)  # fmt: skip


def _traffic(visit: Visit, name: str, body: dict[str, Any]) -> dict[str, list[Series]]:
    """Curves of the last three hours by variant, a point a minute."""
    series: dict[str, list[Series]] = {}
    for metric, statistic in _METRICS:
        for variant in body.get("ProductionVariants", []):
            points = _points(visit, name, variant["VariantName"], metric, statistic)
            if points:
                title = f"{metric} ({statistic.lower()})"
                series.setdefault(title, []).append(Series(variant["VariantName"], points))
    return series


def _points(visit: Visit, endpoint: str, variant: str, metric: str, statistic: str) -> tuple[tuple[float, float], ...]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    request = {
        "Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions, "Period": 60,
        "StartTime": visit.now - 3 * 3600, "EndTime": visit.now + 60, "Statistics": [statistic],
    }  # fmt: skip
    response = visit.optional("cloudwatch:GetMetricStatistics", request) or {}
    unit = 1000 if metric.endswith("Latency") else 1  # microseconds are shown as milliseconds, as the tables have them
    points = sorted(
        (float(item["Timestamp"]), float(item[statistic]) / unit) for item in response.get("Datapoints", [])
    )
    return tuple((round((at - visit.now) / 60, 1), value) for at, value in points)


def _commands(name: str) -> dict[str, str]:
    return {
        "describe": aws_command("sagemaker:DescribeEndpoint", {"EndpointName": name}),
        "delete": aws_command("sagemaker:DeleteEndpoint", {"EndpointName": name}),
    }


def act(visit: Visit) -> str:
    """Deletes the endpoint, shifts the weights of its variants, or gives it another configuration."""
    name, action = visit.path["endpoint"], visit.field("action")
    if action == "delete":
        if visit.field("confirm") != name:
            raise ValidationError(f"Type the endpoint's name, {name}, to delete it.")
        visit.call("sagemaker:DeleteEndpoint", {"EndpointName": name})
        return urls.to("endpoints", done=f"{name} is being deleted")
    if action == "weights":
        desired = [
            {"VariantName": key.removeprefix("weight."), "DesiredWeight": _number(values[0], "weight")}
            for key, values in visit.form.items()
            if key.startswith("weight.")
        ]
        request = {"EndpointName": name, "DesiredWeightsAndCapacities": desired}
        visit.call("sagemaker:UpdateEndpointWeightsAndCapacities", request)
        return urls.to("endpoints", name)
    if action == "update":
        visit.call("sagemaker:UpdateEndpoint", _update_request(visit, name))
        return urls.to("endpoints", name)
    if action == "invoke":
        return ""
    if action in ACTIONS:
        edit_tags(visit, visit.call("sagemaker:DescribeEndpoint", {"EndpointName": name})["EndpointArn"])
        return urls.to("endpoints", name, tab="settings")
    raise ValidationError(f"There is no action '{action}'.")


def _update_request(visit: Visit, name: str) -> dict[str, Any]:
    request: dict[str, Any] = {"EndpointName": name, "EndpointConfigName": visit.field("config")}
    strategy = visit.field("strategy")
    if strategy:
        step, wait = _number(visit.field("step", "10"), "share"), _number(visit.field("wait", "0"), "number of seconds")
        alarms = [word.strip() for word in visit.field("alarms").split(",") if word.strip()]
        request["DeploymentConfig"] = make_policy(strategy, int(step), int(wait), alarms)
    return request


def _number(text: str, noun: str) -> float:
    if not is_number(text) or not math.isfinite(float(text)):
        raise ValidationError(f"'{text}' is no {noun}.")
    return float(text)


PAGE = Page(
    "/endpoints/{endpoint}", load, "endpoint.html", "Endpoints", act,
    lambda _visit, context: (f"endpoint:{context.name}",),
)  # fmt: skip
