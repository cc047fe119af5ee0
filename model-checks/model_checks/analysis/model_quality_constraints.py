"""Model quality: the constraints that a baseline suggests, and which of them current metrics violate."""

from __future__ import annotations

import math
from typing import Any

from model_checks.analysis import scala_map_order
from model_checks.report import Report

GREATER, LESS = "GreaterThanThreshold", "LessThanThreshold"

_WORSE_WHEN_GREATER = {"mae", "mse", "rmse", "false_positive_rate", "false_negative_rate"}
_UNCONSTRAINED = {"au_prc"}
_NEVER_CHECKED = {"f0_5", "weighted_f0_5"}  # have a constraint, but recorded runs far below it report no violation


def _section(report: Report, ending: str) -> tuple[str, Report]:
    for name, value in report.items():
        if name.endswith(ending):
            return name.removesuffix(ending), value
    raise ValueError(f"There is no section that ends with {ending} in the file: {', '.join(report)}.")


def suggest_constraints(statistics: Report) -> Report:
    """constraints.json: the baseline's own values as thresholds, a null metric with a null threshold."""
    section, metrics = _section(statistics, "_metrics")
    constraints = {
        name: {
            "threshold": metric["value"],
            "comparison_operator": GREATER if name in _WORSE_WHEN_GREATER else LESS,
        }
        for name, metric in metrics.items()
        if "standard_deviation" in metric and name not in _UNCONSTRAINED and not name.endswith("_constant_classifier")
    }
    return {"version": 0.0, f"{section}_constraints": constraints}


def violations(statistics: Report, constraints: Report) -> list[dict[str, str]]:
    """The metrics that are strictly worse than their threshold. Null thresholds and absent metrics are passed over.

    Here metrics have other names than in the constraints (``weightedF1``), and their order is that of those names.
    """
    _, metrics = _section(statistics, "_metrics")
    _, limits = _section(constraints, "_constraints")
    problems = []
    names = {_camel_case(name): name for name in limits}
    for shown in scala_map_order.in_map_order(names):
        name, limit = names[shown], limits[names[shown]]
        threshold, operator = _number(limit["threshold"]), limit["comparison_operator"]
        metric = metrics.get(name)
        value = _number(metric["value"]) if metric else None
        if name in _NEVER_CHECKED or metric is None or threshold is None or value is None:
            continue
        if value > threshold if operator == GREATER else value < threshold:
            deviation = _number(metric.get("standard_deviation"))
            spread = "" if deviation is None else f" +/- {deviation}"
            problems.append(
                {
                    "constraint_check_type": operator,
                    "description": f"Metric {shown} with {value}{spread} was {operator} '{threshold}'",
                    "metric_name": shown,
                }
            )
    return problems


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _number(value: Any) -> float | None:
    """A number of the files; older containers wrote the text ``NaN`` for an undefined one."""
    if value is None:
        return None
    number = float(value)
    return None if math.isnan(number) else number
