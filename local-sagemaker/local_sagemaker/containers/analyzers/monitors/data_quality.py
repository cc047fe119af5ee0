"""The columns of the data: their types, completeness, distributions, and what drifted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from local_sagemaker.containers.analyzers import job_inputs
from local_sagemaker.containers.analyzers.cloudwatch import Metric
from local_sagemaker.containers.analyzers.monitors.monitor import Report
from model_checks import quality
from model_checks.quality import QualityAnalysis

_DISTANCE = re.compile(r"distance: (\S+) exceeds")


class DataQuality:
    """Statistics of each column, and a baseline's constraints on them (Model Monitor)."""

    analysis_type = "DATA_QUALITY"

    def analyse(self, environment: Mapping[str, str]) -> QualityAnalysis:
        """The dataset's profile, compared with a baseline's constraints and, for drift, its statistics."""
        constraints, statistics = (_baseline(environment, what) for what in ("constraints", "statistics"))
        dataset = job_inputs.dataset(environment, constraints)
        method = environment.get("categorical_drift_method")
        return quality.analyse_data_quality(
            dataset, constraints, statistics, method, job_inputs.is_scheduled(environment)
        )

    def metrics(self, statistics: Report, violations: Sequence[Mapping[str, str]]) -> Iterator[Metric]:
        """Distribution and completeness of each feature, and its drift where that is a violation."""
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


def _baseline(environment: Mapping[str, str], what: str) -> Report | None:
    baseline = job_inputs.baseline(environment, what)
    return baseline and quality.check_baseline(baseline.report, what, False, baseline.place)
