"""Data quality: which constraints of a baseline the current dataset violates (constraint_violations.json).

One function per check, called for each feature of the constraints that the dataset has; columns that are missing or
extra are found by their names and number. The sentences are AWS's as far as they are known, since tools parse them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_checks.analysis import drift
from model_checks.analysis.profile import Column, DatasetProfile
from model_checks.analysis.type_inference import FRACTIONAL, INTEGRAL, STRING, UNKNOWN, TypeCounts
from model_checks.report import Report

Violation = dict[str, str]

_DEFAULT_DISTANCE = 0.1


@dataclass(frozen=True)
class Feature:
    """One feature under test: its constraint, its baseline statistics (if any), the current profile and statistics."""

    name: str
    constraint: Mapping[str, Any]
    baseline: Mapping[str, Any] | None
    column: Column
    current: Mapping[str, Any]
    config: Mapping[str, Any]

    def violation(self, check: str, description: str) -> Violation:
        return {"feature_name": self.name, "constraint_check_type": check, "description": description}


def violations(
    profile: DatasetProfile, statistics: Report, constraints: Report, baseline_statistics: Report | None
) -> list[Violation]:
    """Every violation, in the order of the constraints' features; columns that miss or are extra come last."""
    config = constraints.get("monitoring_config") or {}
    if not _is_enabled(config, "evaluate_constraints"):
        return []
    current = {feature["name"]: feature for feature in statistics["features"]}
    baseline = {feature["name"]: feature for feature in (baseline_statistics or {}).get("features", [])}
    problems: list[Violation] = []
    for constraint in constraints["features"]:
        name = constraint["name"]
        settings = {**config, **_overrides(constraint)}
        if name in current and _is_enabled(settings, "evaluate_constraints"):
            feature = Feature(
                name, constraint, baseline.get(name), profile.columns[name], current[name], _merge(config, settings)
            )
            mistyped = list(_data_type(feature))  # and then there is no drift check (recorded: dq-churn-violations)
            problems += [*mistyped, *_completeness(feature), *(() if mistyped else _drift(feature)), *_domain(feature)]
    expected = [constraint["name"] for constraint in constraints["features"]]
    return problems + (column_count(list(current), constraints) or list(_find_renamed(list(current), expected)))


def _is_enabled(config: Mapping[str, Any], name: str) -> bool:
    return str(config.get(name, "Enabled")).lower() != "disabled"


def _overrides(constraint: Mapping[str, Any]) -> Mapping[str, Any]:
    """The feature's own monitoring settings: documented on the feature, written by the SDK one level deeper."""
    overrides: dict[str, Any] = {}
    for holder in (constraint, constraint.get("num_constraints") or {}, constraint.get("string_constraints") or {}):
        for key in ("monitoringConfigOverrides", "monitoring_config_overrides"):
            overrides.update(holder.get(key) or {})
    return overrides


def _merge(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Mapping[str, Any]:
    distribution = {
        **(config.get("distribution_constraints") or {}),
        **(settings.get("distribution_constraints") or {}),
    }
    return {**settings, "distribution_constraints": distribution}


def _count_matches(expected: str, counts: TypeCounts) -> int:
    """How many present values are of the expected type; in a column of numbers, integers also match Fractional."""
    if expected == INTEGRAL:
        return counts.integral
    if expected == FRACTIONAL:
        mixed = counts.string or counts.boolean
        return counts.fractional + (0 if mixed else counts.integral)
    return counts.string + counts.boolean


def _data_type(feature: Feature) -> Iterator[Violation]:
    expected, counts = feature.constraint.get("inferred_type", UNKNOWN), feature.column.types
    if expected not in (INTEGRAL, FRACTIONAL, STRING) or not counts.present:
        return
    ratio = _count_matches(expected, counts) / counts.present
    threshold = float(feature.config.get("datatype_check_threshold", 1.0))
    # a String column may hold texts that look like numbers, provided that the column as a whole is one of text
    if ratio < threshold and not (expected == STRING and counts.infer() == STRING):
        yield feature.violation(
            "data_type_check",
            f"Data type match requirement is not met. Expected data type: {expected}, "
            f"Expected match: {threshold * 100}%. Observed: Only {ratio * 100}% of data is {expected}.",
        )


def _completeness(feature: Feature) -> Iterator[Violation]:
    observed, required = feature.column.completeness, feature.constraint.get("completeness")
    if required is not None and observed < float(required):
        yield feature.violation("completeness_check", _value_text(observed))


def _value_text(value: float) -> str:
    return f"Value: {value} does not meet the constraint requirement! "


def _drift(feature: Feature) -> Iterator[Violation]:
    config = feature.config["distribution_constraints"]
    if feature.baseline is None or not _is_enabled(config, "perform_comparison"):
        return
    threshold = float(config.get("comparison_threshold", _DEFAULT_DISTANCE))
    is_robust = str(config.get("comparison_method", "Robust")).lower() in ("robust", "linf_robust")
    left, right = feature.baseline.get("numerical_statistics"), feature.current.get("numerical_statistics")
    texts = feature.baseline.get("string_statistics"), feature.current.get("string_statistics")
    if left and right:
        distance = drift.numeric_distance(left, right)
        sizes = (left["common"]["num_present"], right["common"]["num_present"])
        if is_robust:
            distance = drift.robust(distance, *sizes)
    elif texts[0] and texts[1] and "distribution" in texts[0] and feature.column.categories:
        threshold = float(config.get("categorical_comparison_threshold", threshold))
        yield from _categorical_drift(feature, drift.categories(texts[0]), feature.column.categories, threshold)
        return
    else:
        return
    if distance > threshold:
        yield _drift_violation(feature, distance, threshold)


def _categorical_drift(
    feature: Feature, baseline: Mapping[str, int], current: Mapping[str, int], threshold: float
) -> Iterator[Violation]:
    config = feature.config["distribution_constraints"]
    is_robust = str(config.get("comparison_method", "Robust")).lower() in ("robust", "linf_robust")
    if str(config.get("categorical_drift_method", "LInfinity")).lower() == "chisquared":
        result = drift.chi_squared(baseline, current)
        if result is None:
            return
        statistic, p_value = result
        if is_robust and p_value < threshold:
            yield _drift_violation(feature, p_value, threshold)
        elif not is_robust and statistic > threshold:
            yield _drift_violation(feature, statistic, threshold)
        return
    distance = drift.categorical_distance(baseline, current)
    if is_robust:
        distance = drift.robust(distance, sum(baseline.values()), sum(current.values()))
    if distance > threshold:
        yield _drift_violation(feature, distance, threshold)


def _drift_violation(feature: Feature, distance: float, threshold: float) -> Violation:
    return feature.violation(
        "baseline_drift_check", f"Baseline drift distance: {distance} exceeds threshold: {threshold}"
    )


def _domain(feature: Feature) -> Iterator[Violation]:
    domain = (feature.constraint.get("string_constraints") or {}).get("domains")
    if not domain or not feature.column.types.present or feature.column.types.infer() != STRING:
        return
    inside = feature.column.inside / feature.column.types.present
    if inside < float(feature.config.get("domain_content_threshold", 1.0)):
        yield feature.violation("categorical_values_check", _value_text(inside))


def column_count(columns: Sequence[str], constraints: Report) -> list[Violation]:
    """The violation of a dataset with fewer or more columns than its baseline."""
    expected = len(constraints["features"])
    if len(columns) == expected or not _is_enabled(constraints.get("monitoring_config") or {}, "evaluate_constraints"):
        return []
    kind, name = ("missing", "Missing columns") if len(columns) < expected else ("extra", "Extra columns")
    text = f"There are {kind} columns in current dataset. {_counts(columns, expected)}"
    return [_column_violation(name, kind, text)]


def _find_renamed(current: Sequence[str], baseline: Sequence[str]) -> Iterator[Violation]:
    """Each column of the baseline that has another name now; there are as many as before."""
    if len(current) != len(baseline):
        return
    for name in (name for name in baseline if name not in current):
        text = f"There is no column {name} in current dataset. {_counts(current, len(baseline))}"
        yield _column_violation(name, "missing", text)


def _counts(columns: Sequence[str], expected: int) -> str:
    return (
        f"Number of columns in current dataset: {len(columns)}, Number of columns in baseline constraints: {expected}"
    )


def _column_violation(name: str, kind: str, description: str) -> Violation:
    return {"feature_name": name, "constraint_check_type": f"{kind}_column_check", "description": description}


def domains_of(constraints: Report) -> dict[str, frozenset[str]]:
    """The values that each String feature of the constraints may have: what a profile has to count."""
    return {
        feature["name"]: frozenset((feature.get("string_constraints") or {}).get("domains") or ())
        for feature in constraints["features"]
    }
