"""A monitoring schedule's metrics for CloudWatch: one JSON object per line (Developer Guide, "CloudWatch Metrics")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.containers.analyzers.contract import write
from local_sagemaker.containers.paths import ml

Metric = dict[str, Any]


def metric(name: str, value: float, dimensions: Mapping[str, Any]) -> Metric:
    """One value with the dimensions that have one."""
    pairs = [{"Name": key, "Value": str(text)} for key, text in dimensions.items() if text not in (None, "")]
    return {"MetricName": name, "Value": value, "Dimensions": pairs}


def write_metrics(environment: Mapping[str, str], metrics: Iterable[Metric]) -> None:
    """Writes ``cloudwatch_metrics.jsonl``, each with the schedule's dimensions."""
    dimensions = [
        {"Name": name, "Value": environment[key]}
        for name, key in (
            ("Endpoint", "sagemaker_endpoint_name"),
            ("MonitoringSchedule", "sagemaker_monitoring_schedule_name"),
        )
        if environment.get(key)
    ]
    at = environment.get("metric_time") or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [
        json.dumps({**metric, "Timestamp": at, "Dimensions": [*dimensions, *metric.get("Dimensions", ())]})
        for metric in metrics
    ]
    write(
        ml() / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl", "".join(f"{line}\n" for line in lines)
    )
