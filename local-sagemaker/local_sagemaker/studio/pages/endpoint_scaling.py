"""How much an endpoint's variants are used, and how Application Auto Scaling scales them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.views.times import seconds

WINDOW = 3 * 3600
_NAMESPACE = {"ServiceNamespace": "sagemaker"}


@dataclass(frozen=True)
class VariantUse:
    """A variant's last three hours. `share` is its part of the endpoint's requests, `latency` the model's mean in
    milliseconds."""

    variant: str
    requests: int
    share: float | None
    client_errors: int
    server_errors: int
    latency: float | None


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
    """CloudWatch's sums over the last three hours, by variant."""
    sums = {}
    for item in variants:
        name = item["VariantName"]
        found = {
            metric: _sum(visit, endpoint, name, metric, statistic)
            for metric, statistic in (
                ("Invocations", "Sum"), ("Invocation4XXErrors", "Sum"), ("Invocation5XXErrors", "Sum"),
                ("ModelLatency", "Average"),
            )
        }  # fmt: skip
        sums[name] = found
    total = sum(found["Invocations"] or 0 for found in sums.values())
    return [
        VariantUse(
            name, int(found["Invocations"] or 0), (found["Invocations"] or 0) / total if total else None,
            int(found["Invocation4XXErrors"] or 0), int(found["Invocation5XXErrors"] or 0),
            None if found["ModelLatency"] is None else found["ModelLatency"] / 1000,
        )
        for name, found in sums.items()
    ]  # fmt: skip


def _sum(visit: Visit, endpoint: str, variant: str, metric: str, statistic: str) -> float | None:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    request = {
        "Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions, "Period": WINDOW,
        "StartTime": visit.now - WINDOW, "EndTime": visit.now + 60, "Statistics": [statistic, "SampleCount"],
    }  # fmt: skip
    points = (visit.optional("cloudwatch:GetMetricStatistics", request) or {}).get("Datapoints", [])
    if not points:
        return None
    if statistic == "Sum":
        return float(sum(item["Sum"] for item in points))
    count = sum(item["SampleCount"] for item in points)
    return float(sum(item["Average"] * item["SampleCount"] for item in points) / count) if count else None


def scaling_of(visit: Visit, endpoint: str) -> list[ScalingTarget]:
    """DescribeScalableTargets, DescribeScalingPolicies and DescribeScalingActivities of the endpoint's variants."""
    answer = visit.optional("application-autoscaling:DescribeScalableTargets", dict(_NAMESPACE)) or {}
    prefix = f"endpoint/{endpoint}/variant/".lower()
    targets = [item for item in answer.get("ScalableTargets", []) if item["ResourceId"].lower().startswith(prefix)]
    return [_target(visit, item) for item in targets]


def _target(visit: Visit, item: Mapping[str, Any]) -> ScalingTarget:
    key = {**_NAMESPACE, "ResourceId": item["ResourceId"], "ScalableDimension": item["ScalableDimension"]}
    policies = (visit.optional("application-autoscaling:DescribeScalingPolicies", key) or {}).get("ScalingPolicies", [])
    found = visit.optional("application-autoscaling:DescribeScalingActivities", key) or {}
    activities = [
        ScalingActivity(
            seconds(one.get("StartTime")), one.get("StatusCode", ""), one.get("Description", ""), one.get("Cause", "")
        )
        for one in found.get("ScalingActivities", [])[:20]
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
