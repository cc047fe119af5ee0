"""Data quality: statistics.json and the constraints.json that a baseline suggests.

The field order and the kinds of numbers (``version`` and counts of buckets are doubles) are those of AWS's files.
"""

from __future__ import annotations

from model_checks.analysis import scala_map_order
from model_checks.analysis.profile import CATEGORIES, Column, DatasetProfile
from model_checks.analysis.sketches import SHRINK, K, buckets
from model_checks.analysis.type_inference import FRACTIONAL, INTEGRAL, STRING
from model_checks.report import Report

DOMAIN_SHARE, DOMAIN_ALWAYS = 0.1, 10  # distinct values per present value, and how few values always make a domain


def default_config(overrides: dict[str, str] | None = None) -> Report:
    """The defaults of AWS's files; `overrides` replaces members of distribution_constraints."""
    distribution: Report = {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    }
    return {
        "evaluate_constraints": "Enabled",
        "emit_metrics": "Enabled",
        "datatype_check_threshold": 1.0,
        "domain_content_threshold": 1.0,
        "distribution_constraints": {**distribution, **(overrides or {})},
    }


def statistics(profile: DatasetProfile) -> Report:
    """statistics.json of a profiled dataset."""
    return {
        "version": 0.0,
        "dataset": {"item_count": profile.item_count},
        "features": [_feature(name, column) for name, column in profile.columns.items()],
    }


def _feature(name: str, column: Column) -> Report:
    inferred = column.types.infer()
    feature: Report = {"name": name, "inferred_type": inferred}
    common = {"num_present": column.types.present, "num_missing": column.types.missing}
    if inferred in (INTEGRAL, FRACTIONAL):
        feature["numerical_statistics"] = _numerical(column, common)
    elif inferred == STRING:
        feature["string_statistics"] = _textual(column, common)
    return feature


def _numerical(column: Column, common: dict[str, int]) -> Report:
    moments, levels = column.moments, column.quantiles.levels()
    return {
        "common": common,
        "mean": moments.mean,
        "sum": moments.total,
        "std_dev": moments.std_dev,
        "min": moments.low,
        "max": moments.high,
        "approximate_num_distinct_values": int(column.distinct.estimate()),
        "completeness": column.completeness,
        "distribution": {
            "kll": {
                "buckets": buckets(levels, moments.low, moments.high),
                "sketch": {
                    "parameters": {"c": SHRINK, "k": float(K)},
                    "data": [level.tolist() for level in levels],
                },
            }
        },
    }


def _textual(column: Column, common: dict[str, int]) -> Report:
    report: Report = {
        "common": common,
        "distinct_count": column.texts.estimate(),
        "completeness": column.completeness,
    }
    if column.categories is not None and len(column.categories) <= CATEGORIES:
        counts = column.categories
        values = scala_map_order.in_map_order(sorted(counts, key=lambda value: (-counts[value], value)))
        categories = [{"value": value, "count": counts[value]} for value in values]
        report["distribution"] = {"categorical": {"buckets": categories}}
    return report


def suggest_constraints(report: Report, overrides: dict[str, str] | None = None) -> Report:
    """constraints.json from statistics.json."""
    return {
        "version": 0.0,
        "features": [_constraint(feature, report["dataset"]["item_count"]) for feature in report["features"]],
        "monitoring_config": default_config(overrides),
    }


def _constraint(feature: Report, item_count: int) -> Report:
    numeric, text = feature.get("numerical_statistics"), feature.get("string_statistics")
    present = (numeric or text or {"common": {"num_present": 0}})["common"]["num_present"]
    constraint: Report = {
        "name": feature["name"],
        "inferred_type": feature["inferred_type"],
        "completeness": present / item_count if item_count else 0.0,
    }
    if numeric:
        constraint["num_constraints"] = {"is_non_negative": numeric["min"] >= 0}
    elif text and "distribution" in text:
        domain = [bucket["value"] for bucket in text["distribution"]["categorical"]["buckets"]]
        if len(domain) <= DOMAIN_ALWAYS or len(domain) <= DOMAIN_SHARE * present:
            constraint["string_constraints"] = {"domains": domain}
    return constraint
