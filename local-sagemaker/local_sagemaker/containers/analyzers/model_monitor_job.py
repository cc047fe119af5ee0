"""The program of the Model Monitor image: baseline statistics and constraints, and violations of an earlier baseline.

It is configured by environment variables (contracts: model-monitor 1.1). Reports go to `output_path`, the exit
message to /opt/ml/output/message; the job completes with or without violations.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from local_sagemaker.containers.analyzers import cloudwatch, scripts
from local_sagemaker.containers.analyzers.contract import (
    as_job_path,
    exit_code_of,
    local,
    read_json,
    require_variable,
    time_of,
    write,
)
from model_checks import quality
from model_checks.datasets.dataset import Dataset, Window
from model_checks.datasets.predictions import PredictionAttributes
from model_checks.errors import AnalysisError
from model_checks.quality import QualityAnalysis

Report = dict[str, Any]

NO_VIOLATIONS = "Completed: Job completed successfully with no violations."


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return exit_code_of(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Analyses the dataset, writes the reports and returns the exit message."""
    output = local(require_variable(environment, "output_path"))
    dataset = _dataset(environment)
    found = (_model_quality if _is_quality(environment) else _data_quality)(environment, dataset)
    if excluded := environment.get("exclude_features_attribute"):
        found = found.without([name.strip() for name in excluded.split(",")])
    for name, text in found.files().items():
        write(output / name, text)
    if environment.get("publish_cloudwatch_metrics") == "Enabled" and found.statistics is not None:
        cloudwatch.write_metrics(environment, found.statistics, found.violations or [])
    if script := environment.get("post_analytics_processor_script"):
        scripts.postprocess(local(script))
    if not found.violations:
        return NO_VIOLATIONS
    return f"CompletedWithViolations: Job completed successfully with {len(found.violations)} violations."


def _dataset(environment: Mapping[str, str]) -> Dataset:
    text = require_variable(environment, "dataset_format")
    try:
        dataset_format = json.loads(text)
    except json.JSONDecodeError as error:
        raise AnalysisError(f"Error: dataset_format is not JSON: {error}: {text}") from None
    script = environment.get("record_preprocessor_script")
    source = local(require_variable(environment, "dataset_source"))
    return Dataset(
        source,
        dataset_format,
        scripts.preprocessor(local(script)) if script else None,
        Window(time_of(environment, "start_time"), time_of(environment, "end_time")),
        *quality.baseline_columns(_baseline(environment, "constraints")),
        place=as_job_path(source),
    )


def _baseline(environment: Mapping[str, str], what: str) -> Report | None:
    """The constraints or statistics of a baseline; those of another kind of check are refused."""
    path = environment.get(f"baseline_{what}")
    if not path:
        return None
    report = read_json(_file(local(path), what), f"baseline {what}")
    return quality.check_baseline(report, what, _is_quality(environment), path)


def _is_quality(environment: Mapping[str, str]) -> bool:
    return environment.get("analysis_type", "DATA_QUALITY") == "MODEL_QUALITY"


def _file(path: Path, what: str) -> Path:
    return path / f"{what}.json" if path.is_dir() else path


def _data_quality(environment: Mapping[str, str], dataset: Dataset) -> QualityAnalysis:
    constraints, statistics = _baseline(environment, "constraints"), _baseline(environment, "statistics")
    method = environment.get("categorical_drift_method")
    return quality.analyse_data_quality(dataset, constraints, statistics, method, _is_scheduled(environment))


def _threshold(environment: Mapping[str, str]) -> float:
    text = environment.get("probability_threshold_attribute") or "0.5"
    try:
        return float(text)
    except ValueError:
        raise AnalysisError(f"Error: probability_threshold_attribute is not a number: {text}.") from None


def _is_scheduled(environment: Mapping[str, str]) -> bool:
    """Whether the job is an execution of a monitoring schedule, by what only those are given."""
    return any(environment.get(name) for name in ("sagemaker_monitoring_schedule_name", "start_time"))


def _times(environment: Mapping[str, str]) -> dict[str, str]:
    """The window of a schedule's execution, and the time of the analysis."""
    window = {name: environment[name] for name in ("start_time", "end_time") if environment.get(name)}
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**window, "evaluation_time": now}


def _model_quality(environment: Mapping[str, str], dataset: Dataset) -> QualityAnalysis:
    problem = require_variable(environment, "problem_type")
    attributes = PredictionAttributes.of(environment, dataset.merged)
    constraints = _baseline(environment, "constraints")
    threshold = _threshold(environment) if problem != "Regression" else 0.0
    return quality.analyse_model_quality(dataset, problem, attributes, threshold, constraints, _times(environment))
