"""Data quality and model quality of a dataset: statistics, constraints, and violations of an earlier baseline's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_checks.analysis import (
    data_quality,
    data_quality_violations,
    model_quality,
    model_quality_constraints,
    spark_json,
)
from model_checks.analysis.profile import profile_dataset
from model_checks.analysis.quality_folds import ErrorFolds
from model_checks.analysis.type_inference import INTEGRAL
from model_checks.datasets import predictions
from model_checks.datasets.dataset import Dataset
from model_checks.datasets.predictions import PredictionAttributes
from model_checks.errors import AnalysisError
from model_checks.report import Report


@dataclass(frozen=True)
class QualityAnalysis:
    """The contents of the three files; `violations` is None where there is no baseline to compare with.

    Data with another number of columns than a schedule's baseline is not analysed: recorded executions left no other
    file than that violation. (A check step's job is: its new baseline is wanted in any case.)
    """

    statistics: Report | None
    constraints: Report | None
    violations: list[dict[str, str]] | None

    def without(self, features: Sequence[str]) -> QualityAnalysis:
        """The analysis without some features, by name or position (``_c1``, ``1``)."""
        names = [feature["name"] for feature in (self.statistics or self.constraints or {}).get("features", ())]
        left_out = {names[int(one)] if one.isdigit() and int(one) < len(names) else one for one in features}

        def reduce(report: Report | None) -> Report | None:
            if report is None or "features" not in report:
                return report
            kept = [feature for feature in report["features"] if feature["name"] not in left_out]
            return {**report, "features": kept}

        violations = self.violations
        if violations is not None:
            violations = [one for one in violations if one.get("feature_name") not in left_out]
        return QualityAnalysis(reduce(self.statistics), reduce(self.constraints), violations)

    def files(self) -> dict[str, str]:
        """The files by name, in the style of AWS's; constraint_violations.json only where there are some."""
        reports = {"statistics.json": self.statistics, "constraints.json": self.constraints}
        if self.violations:
            reports["constraint_violations.json"] = {"violations": self.violations}
        return {name: spark_json.dumps(report) for name, report in reports.items() if report is not None}


def check_baseline(report: Any, what: str, model: bool, place: str) -> Report:
    """The constraints or statistics (`what`) of a baseline. Raises AnalysisError for those of the other kind."""
    section = f"_{'metrics' if what == 'statistics' else what}" if model else "features"
    if not isinstance(report, dict) or not any(name.endswith(section) for name in report):
        kind = "model" if model else "data"
        raise AnalysisError(f"Error: The baseline {what} are not those of a {kind} quality baseline: {place}.")
    return report


def baseline_columns(constraints: Report | None) -> tuple[list[str], frozenset[str]]:
    """The names of a data quality baseline's columns, and of those that hold whole numbers, for `Dataset`."""
    features = (constraints or {}).get("features", [])
    whole = (feature["name"] for feature in features if feature.get("inferred_type") == INTEGRAL)
    return [feature["name"] for feature in features], frozenset(whole)


def analyse_data_quality(
    dataset: Dataset,
    constraints: Report | None = None,
    statistics: Report | None = None,
    drift_method: str | None = None,
    scheduled: bool = False,
) -> QualityAnalysis:
    """Profiles the dataset; with a baseline's constraints (and statistics, for drift) it is compared with them."""
    domains = data_quality_violations.domains_of(constraints) if constraints else {}
    profile = profile_dataset(dataset.blocks, domains)
    if not profile.item_count:
        raise AnalysisError(f"Error: The dataset under {dataset.place or dataset.source} is empty.")
    if constraints is not None and scheduled:
        other_columns = data_quality_violations.column_count(list(profile.columns), constraints)
        if other_columns:
            return QualityAnalysis(None, None, other_columns)
    current = data_quality.statistics(profile)
    overrides = {"categorical_drift_method": drift_method} if drift_method else None
    suggested = data_quality.suggest_constraints(current, overrides)
    if constraints is None:
        return QualityAnalysis(current, suggested, None)
    violations = data_quality_violations.violations(profile, current, constraints, statistics)
    return QualityAnalysis(current, suggested, violations)


def analyse_model_quality(
    dataset: Dataset,
    problem: str,
    attributes: PredictionAttributes,
    threshold: float = 0.5,
    constraints: Report | None = None,
    times: Mapping[str, str] | None = None,
) -> QualityAnalysis:
    """Measures predictions against labels. `problem` is one of `model_quality.SECTIONS`; `times` enter the statistics.

    `threshold` makes labels of a binary problem's probabilities.
    """
    if problem not in model_quality.SECTIONS:
        raise AnalysisError(f"Error: Unknown problem_type {problem}. Known: {', '.join(model_quality.SECTIONS)}.")
    measure = _measure_regression if problem == "Regression" else _measure_classes
    statistics = measure(dataset, problem, attributes, threshold)
    statistics["dataset"] |= times or {}
    suggested = model_quality_constraints.suggest_constraints(statistics)
    violations = model_quality_constraints.violations(statistics, constraints) if constraints else None
    return QualityAnalysis(statistics, suggested, violations)


def _measure_regression(dataset: Dataset, problem: str, attributes: PredictionAttributes, threshold: float) -> Report:
    del problem, threshold
    errors = predictions.numbers(dataset, attributes.label, attributes.prediction or attributes.probability or "")
    if isinstance(errors, ErrorFolds):
        return model_quality.regression_of_folds(errors)
    return model_quality.regression(*errors)


def _measure_classes(dataset: Dataset, problem: str, attributes: PredictionAttributes, threshold: float) -> Report:
    multiclass = problem == "MulticlassClassification"
    if multiclass and not attributes.prediction:
        raise AnalysisError("Error: MulticlassClassification needs inference_attribute.")
    labels, scores = predictions.labels(dataset, attributes, threshold, doubles=multiclass)
    if multiclass:
        return model_quality.multiclass(labels)
    _check_two(labels.names)
    return model_quality.binary(labels, model_quality.positive_name(labels.names), scores)


def _check_two(classes: Sequence[str]) -> None:
    if len(classes) > 2:
        some = ", ".join([*classes[:5], *(["..."] if len(classes) > 5 else [])])
        raise AnalysisError(f"Error: BinaryClassification needs two classes, but there are {len(classes)}: {some}.")
