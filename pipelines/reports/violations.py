"""The violations of a check in words: which feature or metric, which constraint, and by how much.

The containers' descriptions hold some of it. The rest (what the mean was and is, which category is new, which feature
moved up) comes from the files of the baseline and of the check, so ``constraint_violations.json`` alone is enough for
a shorter text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines.reports.attributions import explanations, ranks
from pipelines.reports.evidence import Evidence, Json
from pipelines.reports.features import by_name, categories, completeness, mean
from pipelines.reports.text import number, percent, real, relative

VALUE = re.compile(r"Value: (\S+) does not meet the constraint")
DATA_TYPE = re.compile(r"Expected data type: (\w+), Expected match: ([\d.]+)%.*Only ([\d.]+)%")
DISTANCE = re.compile(r"distance: (\S+) exceeds threshold: (\S+)")
COLUMNS = re.compile(r"current dataset: (\d+), Number of columns in baseline constraints: (\d+)")
METRIC = re.compile(r"Metric (\w+) with (\S+)(?: \+/- (\S+))? was (\w+) '([^']+)'")
BIAS = re.compile(r"Metric value (\S+) doesn't meet the baseline constraint requirement (\S+)")
ATTRIBUTION = re.compile(r"drift (\S+) exceeds threshold (\S+)")


@dataclass(frozen=True)
class Violation:
    """One violation. ``subject`` is what violates, ``constraint`` which rule (``constraint_check_type``)."""

    subject: str
    constraint: str
    amount: str
    description: str  # the container's own words

    def line(self) -> str:
        return f"{self.subject} violates {self.constraint}: {self.amount}"


def read(evidence: Evidence) -> list[Violation]:
    """All violations, in the order of the file."""
    return [_violation(item, evidence) for item in evidence.violations]


def _violation(item: Json, evidence: Evidence) -> Violation:
    constraint, description = str(item.get("constraint_check_type", "")), str(item.get("description", "")).strip()
    amount = None
    if constraint in FROM_WORDS:
        amount = FROM_WORDS[constraint](description)
    elif constraint in FROM_FILES:
        amount = FROM_FILES[constraint](item, evidence)
    return Violation(_subject(item, evidence), constraint, amount or description, description)


def _subject(item: Json, evidence: Evidence) -> str:
    if "feature_name" in item:
        return evidence.names.of(item["feature_name"])
    if "facet" in item:
        return f"{item['metric_name']} for {evidence.names.of(item['facet'])} in {item['facet_value']}"
    if "label" in item:
        return f"the attributions of {item['label']}"
    return str(item.get("metric_name", "?"))


def _data_type(description: str) -> str | None:
    match = DATA_TYPE.search(description)
    if not match:
        return None
    missing = float(match[2]) - float(match[3])
    return f"{float(match[3]):.4g} % of its values are {match[1]}, {match[2]} % must be ({missing:.2g} points too few)"


def _completeness(item: Json, evidence: Evidence) -> str | None:
    now = completeness(by_name(evidence.statistics).get(item["feature_name"], {}))
    required = by_name(evidence.baseline_constraints).get(item["feature_name"], {}).get("completeness")
    if now is None or required is None:
        return None
    return f"{percent(now)} of its values are present, {percent(required)} must be ({percent(required - now)} too few)"


def _drift(item: Json, evidence: Evidence) -> str | None:
    match = DISTANCE.search(item["description"])
    distance, threshold = (real(match[1]), real(match[2])) if match else (None, None)
    if distance is None or threshold is None:
        return None
    text = f"distance {number(distance)}, {number(distance - threshold)} over the threshold {number(threshold)}"
    name = item["feature_name"]
    before, now = (mean(by_name(side).get(name, {})) for side in (evidence.baseline_statistics, evidence.statistics))
    moved = f"; mean {number(before)} -> {number(now)}" if before is not None and now is not None else ""
    return text + moved


def _columns(item: Json, evidence: Evidence) -> str | None:
    match = COLUMNS.search(item["description"])
    if not match:
        return None
    now, before = by_name(evidence.statistics), by_name(evidence.baseline_constraints)
    sides = {"new": [name for name in now if name not in before], "gone": [name for name in before if name not in now]}
    text = f"{match[1]} columns where the baseline has {match[2]}"
    if not now or not before:
        return text
    return text + "".join(
        f"; {what}: {', '.join(map(evidence.names.of, names))}" for what, names in sides.items() if names
    )


def _categorical(item: Json, evidence: Evidence) -> str | None:
    match = VALUE.search(item["description"])
    inside = real(match[1]) if match else None
    if inside is None:
        return None
    name = item["feature_name"]
    known = by_name(evidence.baseline_constraints).get(name, {}).get("string_constraints", {}).get("domains", [])
    new = [value for value in categories(by_name(evidence.statistics).get(name, {})) if value not in known]
    unknown = f": {', '.join(map(repr, new[:5]))}{' ...' if len(new) > 5 else ''}" if new and known else ""
    return f"{percent(1 - inside)} of its values are not known to the baseline{unknown}"


def _metric(description: str) -> str | None:
    match = METRIC.search(description)
    now, threshold = (real(match[2]), real(match[5])) if match else (None, None)
    if match is None or now is None or threshold is None:
        return None
    limit = "must not exceed" if match[4].startswith("Greater") else "must not fall below"
    spread = f" (± {number(float(match[3]))})" if match[3] and real(match[3]) is not None else ""
    return f"{number(now)}{spread} {limit} {number(threshold)}, {relative(threshold, now)}"


def _bias(description: str) -> str | None:
    match = BIAS.search(description)
    if not match:
        return None
    now, before = real(match[1]), real(match[2])
    if now is None or before is None:
        return f"{match[1]}, further from 0 than the baseline's {match[2]}"
    further = abs(now) - abs(before)
    share = f", {percent(further / abs(before))}" if before else ""
    return f"{number(now)}, further from 0 than the baseline's {number(before)} (by {number(further)}{share})"


def _attribution(item: Json, evidence: Evidence) -> str | None:
    match = ATTRIBUTION.search(item["description"])
    score, threshold = (real(match[1]), real(match[2])) if match else (None, None)
    if score is None or threshold is None:
        return None
    text = f"nDCG {number(score)}, {number(threshold - score)} below {number(threshold)}"
    before, now = (
        ranks(explanations(side).get(item["label"], {}))
        for side in (evidence.baseline_constraints, evidence.constraints)
    )
    moves = sorted((name for name in before if name in now), key=lambda name: -abs(now[name] - before[name]))
    moved = [f"{evidence.names.of(name)} from rank {before[name]} to {now[name]}" for name in moves[:2]
             if now[name] != before[name]]  # fmt: skip
    return text + (f"; moved most: {', '.join(moved)}" if moved else "")


FROM_WORDS: Mapping[str, Callable[[str], str | None]] = {
    "data_type_check": _data_type,
    "GreaterThanThreshold": _metric,
    "LessThanThreshold": _metric,
    "bias_drift_check": _bias,
}
FROM_FILES: Mapping[str, Callable[[Json, Evidence], str | None]] = {
    "completeness_check": _completeness,
    "baseline_drift_check": _drift,
    "missing_column_check": _columns,
    "extra_column_check": _columns,
    "categorical_values_check": _categorical,
    "feature_attribution_drift_check": _attribution,
}
