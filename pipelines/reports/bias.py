"""The sections of a bias page: the metrics of every facet beside the baseline's, with what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.reports import meanings
from pipelines.reports.evidence import Evidence
from pipelines.reports.page import Section, data, join, paragraph, table
from pipelines.reports.plots import Plot, bars, figure
from pipelines.reports.text import number, real

STAGES = {"pre_training_bias_metrics": "Bias in the data", "post_training_bias_metrics": "Bias of the predictions"}
Metrics = Mapping[str, Mapping[str, Any]]


def sections(evidence: Evidence) -> Iterator[Section]:
    for stage, title in STAGES.items():
        metrics = evidence.constraints.get(stage, {})
        earlier = evidence.baseline_constraints.get(stage, {})
        for facet, groups in metrics.get("facets", {}).items():
            for group in groups:
                value = group["value_or_threshold"]
                before = _metrics(_find_matching(earlier.get("facets", {}).get(facet, []), value))
                violating = {
                    item["metric_name"]
                    for item in evidence.violations
                    if item.get("facet") == facet and item.get("facet_value") == value
                }
                heading = f"{title}: {evidence.names.of(facet)} in {value}"
                label = (
                    f"{evidence.names.of(metrics.get('label', '?'))} in {metrics.get('label_value_or_threshold', '?')}"
                )
                yield _section(heading, label, f"{stage}/{facet}/{value}", _metrics(group), before, violating)


def _find_matching(groups: list[Mapping[str, Any]], value: str) -> Mapping[str, Any]:
    """The baseline's entry of the same values: an interval's upper end is the data's maximum, and may have moved."""
    lower = value.partition(",")[0]
    exact = [group for group in groups if group["value_or_threshold"] == value]
    near = [group for group in groups if value[:1] in "([" and group["value_or_threshold"].partition(",")[0] == lower]
    return next(iter(exact or near), {})


def _metrics(group: Mapping[str, Any]) -> Metrics:
    return {metric["name"]: metric for metric in group.get("metrics", [])}


def _section(heading: str, label: str, key: str, now: Metrics, before: Metrics, violating: set[str]) -> Section:
    rows = []
    for name, metric in now.items():
        left, right = before.get(name, {}).get("value"), metric.get("value")
        meaning = metric.get("error") or meanings.BIAS.get(name, "")
        cells = [name, metric.get("description", ""), data(left, key, name, "baseline"),
                 data(right, key, name, "current"), _further(left, right), meaning]  # fmt: skip
        rows.append((name in violating, cells))
    names = [name for name, metric in now.items() if real(metric.get("value")) is not None]
    values = [real(now[name]["value"]) for name in names]
    earlier = [real(before.get(name, {}).get("value")) for name in names] if before else None
    plot = Plot(
        heading, "value (0: no bias, except for DI, where it is 1)", "", bars(names, earlier, values, violating)
    )
    words = paragraph(
        f"Positive is a label with {label}. d are the rows of this facet, a are the others. A metric violates its "
        "constraint if it is further from 0 than the baseline's. Infinite values are in the table only."
    )
    heads = ["Metric", "Name", "Before", "Now", "Further from 0 by", "Meaning"]
    drawn = figure([plot] if names else [], 1, 0.26 * len(names), 6.0)
    body = join(drawn, words, table(heads, rows, numeric=(2, 3, 4)))
    return Section(heading, body, {key: {"names": names, "baseline": earlier, "current": values}})


def _further(before: Any, now: Any) -> str:
    left, right = real(before), real(now)
    return "" if left is None or right is None else number(abs(right) - abs(left))
