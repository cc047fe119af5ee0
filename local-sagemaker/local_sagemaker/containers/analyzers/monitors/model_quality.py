"""The model's predictions against the labels that came later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone

from local_sagemaker.containers.analyzers import job_inputs
from local_sagemaker.containers.analyzers.cloudwatch import Metric
from local_sagemaker.containers.analyzers.contract import require_variable
from local_sagemaker.containers.analyzers.monitors.monitor import Report
from model_checks import quality
from model_checks.datasets.predictions import PredictionAttributes
from model_checks.errors import AnalysisError
from model_checks.quality import QualityAnalysis


class ModelQuality:
    """Metrics of regression and classification, and a baseline's constraints on them (Model Monitor)."""

    analysis_type = "MODEL_QUALITY"

    def analyse(self, environment: Mapping[str, str]) -> QualityAnalysis:
        """The metrics of the variable ``problem_type``, compared with a baseline's constraints."""
        baseline = job_inputs.baseline(environment, "constraints")
        constraints = baseline and quality.check_baseline(baseline.report, "constraints", True, baseline.place)
        dataset = job_inputs.dataset(environment, constraints)
        problem = require_variable(environment, "problem_type")
        attributes = PredictionAttributes.of(environment, dataset.merged)
        threshold = _threshold(environment) if problem != "Regression" else 0.0
        return quality.analyse_model_quality(dataset, problem, attributes, threshold, constraints, _times(environment))

    def metrics(self, statistics: Report, violations: Sequence[Mapping[str, str]]) -> Iterator[Metric]:
        """Each metric of the problem, and its standard deviation."""
        del violations
        metrics = next(value for name, value in statistics.items() if name.endswith("_metrics"))
        for name, metric in metrics.items():
            if isinstance(metric, dict) and metric.get("value") is not None:
                yield {"MetricName": name, "Value": metric["value"]}
                if metric.get("standard_deviation") is not None:
                    yield {"MetricName": f"{name}_std", "Value": metric["standard_deviation"]}


def _threshold(environment: Mapping[str, str]) -> float:
    text = environment.get("probability_threshold_attribute") or "0.5"
    try:
        return float(text)
    except ValueError:
        raise AnalysisError(f"Error: probability_threshold_attribute is not a number: {text}.") from None


def _times(environment: Mapping[str, str]) -> dict[str, str]:
    """The window of a schedule's execution, and the time of the analysis."""
    window = {name: environment[name] for name in ("start_time", "end_time") if environment.get(name)}
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**window, "evaluation_time": now}
