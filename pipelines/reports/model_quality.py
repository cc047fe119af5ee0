"""The sections of a model-quality page: metrics beside the baseline's, curves, and confusion matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.reports import meanings
from pipelines.reports.evidence import Evidence
from pipelines.reports.page import Html, Section, data, join, paragraph, table
from pipelines.reports.plots import Plot, bars, curves, figure, room_for
from pipelines.reports.text import real, relative

CURVES = {
    "receiver_operating_characteristic_curve": ("ROC curve", "false_positive_rates", "true_positive_rates"),
    "precision_recall_curve": ("Precision-recall curve", "recalls", "precisions"),
}
CAMEL = {
    "truePositiveRate": "true_positive_rate",
    "trueNegativeRate": "true_negative_rate",
    "falsePositiveRate": "false_positive_rate",
    "falseNegativeRate": "false_negative_rate",
}


def sections(evidence: Evidence) -> Iterator[Section]:
    now, before = _part(evidence.statistics, "_metrics"), _part(evidence.baseline_statistics, "_metrics")
    limits = _part(evidence.baseline_constraints, "_constraints")
    violating = {CAMEL.get(name, name) for name in (str(item.get("metric_name")) for item in evidence.violations)}
    yield _metrics(now, before, limits, violating)
    yield from _matrices(now, before)


def _part(file: Mapping[str, Any], suffix: str) -> Mapping[str, Any]:
    """``regression_metrics`` or whichever it is."""
    return next((value for name, value in file.items() if name.endswith(suffix)), {})


def scalars(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The metrics that are one number with its standard deviation."""
    return {name: item for name, item in metrics.items() if isinstance(item, Mapping) and "value" in item}


def _metrics(
    now: Mapping[str, Any], before: Mapping[str, Any], limits: Mapping[str, Any], violating: set[str]
) -> Section:
    rows = [
        (name in violating, _row(name, item, scalars(before).get(name, {}), limits.get(name, {})))
        for name, item in scalars(now).items()
    ]
    heads = ["Metric", "Before", "±", "Now", "±", "Now against before", "Limit", "Meaning"]
    plots, plotted = _plots(now, before, violating)
    words = paragraph(
        "± is the standard deviation over five random samples of 80 % of the rows; there is none below 200 rows. "
        "The limit is the baseline's own value: any metric that is worse violates it."
    )
    return Section(
        "Metrics", join(figure(plots, **_size(now)), words, table(heads, rows, numeric=range(1, 7))), plotted
    )


def _row(name: str, now: Mapping[str, Any], before: Mapping[str, Any], limit: Mapping[str, Any]) -> list[Any]:
    left, right = real(before.get("value")), real(now.get("value"))
    sign = {"GreaterThanThreshold": "at most ", "LessThanThreshold": "at least "}.get(
        limit.get("comparison_operator", ""), ""
    )
    return [
        name,
        data(before.get("value"), name, "value", "baseline"),
        data(before.get("standard_deviation"), name, "standard_deviation", "baseline"),
        data(now.get("value"), name, "value", "current"),
        data(now.get("standard_deviation"), name, "standard_deviation", "current"),
        relative(left, right) if left is not None and right is not None else "",
        Html(f"{sign}{data(limit.get('threshold'), name, 'threshold').markup}" if limit else ""),
        meanings.of_quality(name),
    ]


def _plots(now: Mapping[str, Any], before: Mapping[str, Any], violating: set[str]) -> tuple[list[Plot], dict[str, Any]]:
    """Curves where there are some; a plot of its own for every metric where these have units, as in regression."""
    plots: list[Plot] = []
    plotted: dict[str, Any] = {}
    for key, (title, across, up) in CURVES.items():
        if key in now:
            pair = (before[key][across], before[key][up]) if key in before else None
            one = (now[key][across], now[key][up])
            plots.append(Plot(title, across.replace("_", " "), up.replace("_", " "), curves(pair, one)))
            plotted[key] = {"baseline": pair, "current": one}
    values = {name: real(item["value"]) for name, item in scalars(now).items() if meanings.CONSTANT not in name}
    earlier = {name: real(scalars(before).get(name, {}).get("value")) for name in values} if before else None
    plotted["metrics"] = {"baseline": earlier, "current": values}
    groups = [[name] for name in values] if "mse" in values else [list(values)]
    for names in groups:
        old = [earlier[name] for name in names] if earlier else None
        title = names[0] if len(names) == 1 else "All metrics"
        draw = bars(names if len(names) > 1 else [""], old, [values[name] for name in names], violating)
        plots.append(Plot(title, "value", "", draw, len(names) == 1 and names[0] in violating))
    return plots, plotted


def _size(now: Mapping[str, Any]) -> dict[str, Any]:
    """Room for the names of the metrics where they share a plot."""
    if "mse" in now:
        return {"columns": 4, "height": 0.8, "width": 2.2, "left": 0.35}
    names = [name for name in scalars(now) if meanings.CONSTANT not in name]
    return {"columns": 3, "height": max(1.6, 0.24 * len(names)), "width": 2.9, "left": room_for(names)}


def _matrices(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Section]:
    for which, metrics in (("baseline", before), ("current", now)):
        matrix = metrics.get("confusion_matrix")
        if not matrix:
            continue
        labels = list(dict.fromkeys([*matrix, *(name for row in matrix.values() for name in row)]))
        rows = [
            (False, [f"actual {actual}", *(data(matrix.get(actual, {}).get(name, 0), "confusion_matrix", actual, name,
                                                which) for name in labels)])
            for actual in labels
        ]  # fmt: skip
        heads = ["", *(f"predicted {name}" for name in labels)]
        yield Section(f"Confusion matrix, {which}", table(heads, rows, numeric=range(1, len(heads))))
