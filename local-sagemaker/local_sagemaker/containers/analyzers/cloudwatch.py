"""A monitoring schedule's metrics for CloudWatch: one JSON object per line (Developer Guide, "CloudWatch Metrics")."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from local_sagemaker.containers.analyzers.contract import write
from local_sagemaker.containers.paths import ml

Report = dict[str, Any]

_DISTANCE = re.compile(r"distance: (\S+) exceeds")


def write_metrics(environment: Mapping[str, str], statistics: Report, violations: list[dict[str, str]]) -> None:
    """Writes ``cloudwatch_metrics.jsonl``."""
    found = _data_quality(statistics, violations) if "features" in statistics else _model_quality(statistics)
    _write(environment, found)


def write_clarify_metrics(environment: Mapping[str, str], analysis: Report) -> None:
    """Writes the metrics of a bias or explainability monitor."""
    found: list[Report] = []
    for section, stage in (("pre_training", "Pre-training"), ("post_training", "Post-Training")):
        found += _bias(analysis.get(f"{section}_bias_metrics") or {}, stage)
    for label, values in (analysis.get("explanations", {}).get("kernel_shap") or {}).items():
        found += _explanations(str(label), values)
    _write(environment, found)


def _bias(section: Report, stage: str) -> Iterator[Report]:
    for facet, values in (section.get("facets") or {}).items():
        for one in values:
            dimensions = {
                "BiasStage": stage, "Label": section.get("label"),
                "LabelValue": section.get("label_value_or_threshold"),
                "Facet": facet, "FacetValue": one.get("value_or_threshold"),
            }  # fmt: skip
            for metric in one["metrics"]:
                if isinstance(metric.get("value"), int | float):
                    yield _metric(f"bias_metric_{metric['name']}", metric["value"], dimensions)


def _explanations(label: str, values: Report) -> Iterator[Report]:
    common = {"ExplainabilityMethod": "KernelShap", "Label": label}
    for feature, value in values.get("global_shap_values", {}).items():
        yield _metric(f"feature_{feature}", value, {**common, "ValueType": "GlobalShapValues"})
    if values.get("expected_value") is not None:
        yield _metric("ExpectedValue", values["expected_value"], {**common, "ValueType": "ExpectedValue"})


def _metric(name: str, value: float, dimensions: Mapping[str, Any]) -> Report:
    given = [{"Name": key, "Value": str(text)} for key, text in dimensions.items() if text not in (None, "")]
    return {"MetricName": name, "Value": value, "Dimensions": given}


def _write(environment: Mapping[str, str], metrics: Iterable[Report]) -> None:
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
