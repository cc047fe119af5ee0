"""A monitoring schedule's metrics for CloudWatch: one JSON object per line (Developer Guide, "CloudWatch Metrics")."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.containers.analyzers.contract import write
from local_sagemaker.containers.paths import ml

Report = dict[str, Any]

_DISTANCE = re.compile(r"distance: (\S+) exceeds")


def write_metrics(environment: Mapping[str, str], statistics: Report, violations: list[dict[str, str]]) -> None:
    """Writes ``cloudwatch_metrics.jsonl``."""
    dimensions = [
        {"Name": name, "Value": environment[key]}
        for name, key in (
            ("Endpoint", "sagemaker_endpoint_name"),
            ("MonitoringSchedule", "sagemaker_monitoring_schedule_name"),
        )
        if environment.get(key)
    ]
    at = environment.get("metric_time") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = _data_quality(statistics, violations) if "features" in statistics else _model_quality(statistics)
    lines = [json.dumps({**metric, "Timestamp": at, "Dimensions": dimensions}) for metric in found]
    write(
        ml() / "output" / "metrics" / "cloudwatch" / "cloudwatch_metrics.jsonl", "".join(f"{line}\n" for line in lines)
    )


def _data_quality(statistics: Report, violations: list[dict[str, str]]) -> Iterator[Report]:
    items = statistics["dataset"]["item_count"]
    for feature in statistics["features"]:
        name, numeric = feature["name"], feature.get("numerical_statistics")
        common = (numeric or feature.get("string_statistics") or {"common": {"num_present": 0}})["common"]
        if numeric:
            values = {"SampleCount": common["num_present"], "Sum": numeric["sum"]}
            values |= {"Minimum": numeric["min"], "Maximum": numeric["max"]}
            yield {"MetricName": f"feature_data_{name}", "StatisticValues": values}
        yield {"MetricName": f"feature_non_null_{name}", "Value": common["num_present"] / items if items else 0.0}
    for violation in violations:
        distance = _DISTANCE.search(violation["description"])
        if distance:
            yield {"MetricName": f"feature_baseline_drift_{violation['feature_name']}", "Value": float(distance[1])}


def _model_quality(statistics: Report) -> Iterator[Report]:
    metrics = next(value for name, value in statistics.items() if name.endswith("_metrics"))
    for name, metric in metrics.items():
        if isinstance(metric, dict) and metric.get("value") is not None:
            yield {"MetricName": name, "Value": metric["value"]}
            if metric.get("standard_deviation") is not None:
                yield {"MetricName": f"{name}_std", "Value": metric["standard_deviation"]}
