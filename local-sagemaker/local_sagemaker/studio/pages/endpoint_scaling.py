"""How much an endpoint's variants are used, and how Application Auto Scaling scales them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.views.times import seconds

WINDOW = 3 * 3600
_NAMESPACE = {"ServiceNamespace": "sagemaker"}
_FIGURES = (
    ("Invocations", "Sum"), ("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum"),
    ("ModelLatency", "Average"), ("ModelLatency", "p50"), ("ModelLatency", "p90"), ("ModelLatency", "p99"),
)  # fmt: skip


@dataclass(frozen=True)
class VariantUse:
    """A variant's last three hours. `share` is its part of the endpoint's requests, `latency` the model's mean in
    milliseconds, `p50`, `p90` and `p99` what so many percent of its responses took at most."""

    variant: str
    requests: int
    share: float | None
    client_errors: int
    server_errors: int
    latency: float | None
    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True)
class ScalingTarget:
    """A variant that is scaled between two bounds, by its policies, with the newest of what they did."""

    variant: str
    least: int
    most: int
    policies: list[str]
    activities: list[ScalingActivity]


@dataclass(frozen=True)
class ScalingActivity:
    """A change of a variant's instances."""

    time: float | None
    status: str
    text: str
    cause: str


def use_of(visit: Visit, endpoint: str, variants: Sequence[Mapping[str, Any]]) -> list[VariantUse]:
    """CloudWatch's figures of the last three hours, by variant."""
    names = [item["VariantName"] for item in variants]
    if not names:
        return []
    queries = [
        _query(f"v{place}x{number}", endpoint, name, metric, statistic)
        for place, name in enumerate(names)
        for number, (metric, statistic) in enumerate(_FIGURES)
    ]
    # one period that ends in the next minute, which is where the newest requests are counted
    request = {"MetricDataQueries": queries, "StartTime": visit.now + 60 - WINDOW, "EndTime": visit.now + 60}
    response = visit.optional("cloudwatch:GetMetricData", request) or {}
    values = {item["Id"]: item["Values"][0] for item in response.get("MetricDataResults", []) if item.get("Values")}
    rows = [[values.get(f"v{place}x{number}") for number in range(len(_FIGURES))] for place in range(len(names))]
    total = sum(row[0] or 0 for row in rows)
    return [
        VariantUse(
            name, int(row[0] or 0), (row[0] or 0) / total if total else None, int(row[1] or 0), int(row[2] or 0),
            *(None if value is None else value / 1000 for value in row[3:]),
        )
        for name, row in zip(names, rows, strict=True)
    ]  # fmt: skip


def _query(identifier: str, endpoint: str, variant: str, metric: str, statistic: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    of = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    return {"Id": identifier, "MetricStat": {"Metric": of, "Period": WINDOW, "Stat": statistic}}


def scaling_of(visit: Visit, endpoint: str) -> list[ScalingTarget]:
    """DescribeScalableTargets, DescribeScalingPolicies and DescribeScalingActivities of the endpoint's variants."""
    response = visit.optional("application-autoscaling:DescribeScalableTargets", dict(_NAMESPACE)) or {}
    prefix = f"endpoint/{endpoint}/variant/".lower()
    targets = [item for item in response.get("ScalableTargets", []) if item["ResourceId"].lower().startswith(prefix)]
    return [_target(visit, item) for item in targets]


def _target(visit: Visit, item: Mapping[str, Any]) -> ScalingTarget:
    key = {**_NAMESPACE, "ResourceId": item["ResourceId"], "ScalableDimension": item["ScalableDimension"]}
    policies = (visit.optional("application-autoscaling:DescribeScalingPolicies", key) or {}).get("ScalingPolicies", [])
    history = visit.optional("application-autoscaling:DescribeScalingActivities", key) or {}
    activities = [
        ScalingActivity(
            seconds(one.get("StartTime")), one.get("StatusCode", ""), one.get("Description", ""), one.get("Cause", "")
        )
        for one in history.get("ScalingActivities", [])[:20]
    ]
    return ScalingTarget(
        item["ResourceId"].rpartition("/")[2], item["MinCapacity"], item["MaxCapacity"],
        [_policy(one) for one in policies], activities,
    )  # fmt: skip


def _policy(item: Mapping[str, Any]) -> str:
    """A policy in words."""
    tracking = item.get("TargetTrackingScalingPolicyConfiguration") or {}
    metric = (tracking.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType") or (
        tracking.get("CustomizedMetricSpecification") or {}
    ).get("MetricName", "")
    if not tracking:
        return f"{item.get('PolicyName', '')}: {item.get('PolicyType', '')}"
    return f"{item.get('PolicyName', '')}: keeps {metric} at {tracking.get('TargetValue')}"
