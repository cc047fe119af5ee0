"""The program of the Model Monitor image: baseline statistics and constraints, and violations of an earlier baseline.

It is configured by environment variables (specs: model-monitor 1.1). Reports go to `output_path`, the exit message to
/opt/ml/output/message; the job completes with or without violations.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker.containers.analyzers import cloudwatch, predictions, scripts
from local_sagemaker.containers.analyzers.contract import (
    AnalysisError,
    guarded,
    local,
    read_json,
    required,
    shown,
    time_of,
    write,
)
from local_sagemaker.containers.analyzers.datasets import Dataset, Window
from local_sagemaker.containers.analyzers.predictions import Attributes
from model_checks.analysis import (
    data_quality,
    data_quality_violations,
    model_quality,
    model_quality_constraints,
    spark_json,
)
from model_checks.analysis.inference import INTEGRAL
from model_checks.analysis.profile import profile_dataset
from model_checks.analysis.quality_folds import ErrorFolds

Report = dict[str, Any]

NO_VIOLATIONS = "Completed: Job completed successfully with no violations."


@dataclass(frozen=True)
class Analysis:
    """What a job computes; `violations` is None where there is no baseline to compare with.

    A schedule's execution whose data has another number of columns than the baseline is not analysed: recorded ones
    left no other file than that violation. (A check step's job is: its new baseline is wanted in any case.)
    """

    statistics: Report | None
    constraints: Report | None
    violations: list[dict[str, str]] | None


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return guarded(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Analyses the dataset, writes the reports and answers the exit message."""
    output = local(required(environment, "output_path"))
    dataset = _dataset(environment)
    found = (_model_quality if _is_quality(environment) else _data_quality)(environment, dataset)
    reports = {"statistics": found.statistics, "constraints": found.constraints}
    if found.violations:
        reports["constraint_violations"] = {"violations": found.violations}
    for name, report in reports.items():
        if report is not None:
            write(output / f"{name}.json", spark_json.dumps(report))
    if environment.get("publish_cloudwatch_metrics") == "Enabled" and found.statistics is not None:
        cloudwatch.write_metrics(environment, found.statistics, found.violations or [])
    if script := environment.get("post_analytics_processor_script"):
        scripts.postprocess(local(script))
    if not found.violations:
        return NO_VIOLATIONS
    return f"CompletedWithViolations: Job completed successfully with {len(found.violations)} violations."


def _dataset(environment: Mapping[str, str]) -> Dataset:
    text = required(environment, "dataset_format")
    try:
        dataset_format = json.loads(text)
    except json.JSONDecodeError as error:
        raise AnalysisError(f"Error: dataset_format is not JSON: {error}: {text}") from None
    script = environment.get("record_preprocessor_script")
    features = (_baseline(environment, "constraints") or {}).get("features", [])
    return Dataset(
        local(required(environment, "dataset_source")),
        dataset_format,
        scripts.preprocessor(local(script)) if script else None,
        Window(time_of(environment, "start_time"), time_of(environment, "end_time")),
        [feature["name"] for feature in features],
        frozenset(feature["name"] for feature in features if feature.get("inferred_type") == INTEGRAL),
    )


def _baseline(environment: Mapping[str, str], what: str) -> Report | None:
    """The constraints or statistics of a baseline; those of another kind of check are refused."""
    path = environment.get(f"baseline_{what}")
    if not path:
        return None
    found = read_json(_file(local(path), what), f"baseline {what}")
    section = f"_{'metrics' if what == 'statistics' else what}" if _is_quality(environment) else "features"
    if not isinstance(found, dict) or not any(name.endswith(section) for name in found):
        kind = "model" if _is_quality(environment) else "data"
        raise AnalysisError(f"Error: The baseline {what} are not those of a {kind} quality baseline: {path}.")
    return found


def _is_quality(environment: Mapping[str, str]) -> bool:
    return environment.get("analysis_type", "DATA_QUALITY") == "MODEL_QUALITY"


def _file(path: Path, what: str) -> Path:
    return path / f"{what}.json" if path.is_dir() else path


def _data_quality(environment: Mapping[str, str], dataset: Dataset) -> Analysis:
    constraints, baseline = _baseline(environment, "constraints"), _baseline(environment, "statistics")
    domains = data_quality_violations.domains_of(constraints) if constraints else {}
    profile = profile_dataset(dataset.blocks, domains)
    if not profile.item_count:
        raise AnalysisError(f"Error: The dataset under {shown(dataset.source)} is empty.")
    if constraints is not None and _scheduled(environment):
        other_columns = data_quality_violations.column_count(list(profile.columns), constraints)
        if other_columns:
            return Analysis(None, None, other_columns)
    statistics = data_quality.statistics(profile)
    method = environment.get("categorical_drift_method")
    suggested = data_quality.suggest_constraints(statistics, {"categorical_drift_method": method} if method else None)
    if constraints is None:
        return Analysis(statistics, suggested, None)
    found = data_quality_violations.violations(profile, statistics, constraints, baseline)
    return Analysis(statistics, suggested, found)


def _check_two(classes: Sequence[str]) -> None:
    if len(classes) > 2:
        some = ", ".join([*classes[:5], *(["..."] if len(classes) > 5 else [])])
        raise AnalysisError(f"Error: BinaryClassification needs two classes, but there are {len(classes)}: {some}.")


def _threshold(environment: Mapping[str, str]) -> float:
    text = environment.get("probability_threshold_attribute") or "0.5"
    try:
        return float(text)
    except ValueError:
        raise AnalysisError(f"Error: probability_threshold_attribute is not a number: {text}.") from None


def _scheduled(environment: Mapping[str, str]) -> bool:
    """Whether the job is an execution of a monitoring schedule, by what only those are given."""
    return any(environment.get(name) for name in ("sagemaker_monitoring_schedule_name", "start_time"))


def _times(environment: Mapping[str, str]) -> dict[str, str]:
    """The window of a schedule's execution, and the time of the analysis."""
    window = {name: environment[name] for name in ("start_time", "end_time") if environment.get(name)}
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {**window, "evaluation_time": now}


def _model_quality(environment: Mapping[str, str], dataset: Dataset) -> Analysis:
    problem = required(environment, "problem_type")
    if problem not in model_quality.SECTIONS:
        raise AnalysisError(f"Error: Unknown problem_type {problem}. Known: {', '.join(model_quality.SECTIONS)}.")
    attributes = Attributes.of(environment, dataset.merged)
    if problem == "Regression":
        predicted_name = attributes.prediction or attributes.probability or ""
        errors = predictions.numbers(dataset, attributes.label, predicted_name)
        if isinstance(errors, ErrorFolds):
            statistics = model_quality.folded_regression(errors)
        else:
            statistics = model_quality.regression(*errors)
    else:
        threshold = _threshold(environment)
        if problem == "MulticlassClassification" and not attributes.prediction:
            raise AnalysisError("Error: MulticlassClassification needs inference_attribute.")
        doubles = problem == "MulticlassClassification"
        labels, scores = predictions.labels(dataset, attributes, threshold, doubles)
        if problem == "BinaryClassification":
            _check_two(labels.names)
            statistics = model_quality.binary(labels, model_quality.positive_name(labels.names), scores)
        else:
            statistics = model_quality.multiclass(labels)
    statistics["dataset"] |= _times(environment)
    suggested = model_quality_constraints.suggest_constraints(statistics)
    constraints = _baseline(environment, "constraints")
    found = model_quality_constraints.violations(statistics, constraints) if constraints else None
    return Analysis(statistics, suggested, found)
