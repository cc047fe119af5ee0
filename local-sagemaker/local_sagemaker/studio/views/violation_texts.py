"""Violations in words: which feature or metric, what was expected, what was found, and by how much. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.views.numbers import number

_NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_DRIFT = re.compile(rf"distance: {_NUMBER} exceeds threshold: {_NUMBER}")
_VALUE = re.compile(rf"Value: {_NUMBER} ")
_METRIC = re.compile(rf"Metric (\S+) with {_NUMBER}.*?was (\w+) '?{_NUMBER}'?")
_BIAS = re.compile(rf"Metric value {_NUMBER} doesn't meet the baseline constraint.*?{_NUMBER}")
_RANKS = re.compile(rf"drift {_NUMBER} exceeds threshold {_NUMBER}")
_CHECKS = {
    "baseline_drift_check": "Distribution moved", "completeness_check": "Values are missing",
    "data_type_check": "Another type of data", "missing_column_check": "Column is missing",
    "extra_column_check": "Column is new", "categorical_values_check": "Unknown category",
    "numerical_sign_check": "Values changed their sign", "feature_attribution_drift_check": "Attributions changed",
    "bias_drift_check": "Bias grew", "less_than_threshold": "Below its bound",
    "greater_than_threshold": "Above its bound",
}  # fmt: skip


@dataclass(frozen=True)
class ViolationInWords:
    """One violation. `expected` and `actual` are texts, empty where the file does not say; `text` is the monitor's."""

    name: str
    check: str
    sentence: str
    expected: str
    actual: str
    text: str


def violations_in_words(document: Any) -> list[ViolationInWords]:
    """The violations of a constraint_violations.json, in its order."""
    listed = (document or {}).get("violations") if isinstance(document, Mapping) else None
    return [_violation(item) for item in listed or [] if isinstance(item, Mapping)]


def _violation(item: Mapping[str, Any]) -> ViolationInWords:
    kind, text = str(item.get("constraint_check_type", "")), str(item.get("description", ""))
    name = str(item.get("feature_name") or item.get("metric_name") or item.get("facet") or "")
    if item.get("facet") and item.get("metric_name"):
        name = f"{item['metric_name']} of {item['facet']}"
    check = _CHECKS.get(kind.lower(), _CHECKS.get(_snake(kind), kind or "Violation"))
    sentence, expected, actual = _numbers(name, text)
    return ViolationInWords(name, check, sentence or text.strip(), expected, actual, text)


def _snake(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text).lower()


def _numbers(name: str, text: str) -> tuple[str, str, str]:
    """The sentence, what was expected, and what was found."""
    if match := _DRIFT.search(text):
        actual, bound = float(match[1]), float(match[2])
        sentence = f"{name} is distributed differently than in the baseline: {_short(actual)} apart"
        return f"{sentence}{_by(actual, bound)}.", f"at most {_short(bound)}", _short(actual)
    if match := _METRIC.search(text):
        actual, bound = float(match[2]), float(match[4])
        is_above = match[3].lower().startswith("greater")
        word, side = ("above", "at most") if is_above else ("below", "at least")
        sentence = f"{name} is {_short(actual)}, {_short(abs(actual - bound))} {word} its bound."
        return sentence, f"{side} {_short(bound)}", _short(actual)
    if match := _RANKS.search(text):
        score, bound = float(match[1]), float(match[2])
        sentence = f"The features drive the predictions of {name} in another order than in the baseline."
        return sentence, f"a score of at least {_short(bound)}", _short(score)
    if match := _BIAS.search(text):
        actual, bound = float(match[1]), float(match[2])
        return f"{name} is {_short(actual)}; the baseline allows {_short(bound)}.", _short(bound), _short(actual)
    if match := _VALUE.search(text):
        share = float(match[1])
        return f"Only {_percent(share)} of the rows have a value for {name}.", "", _percent(share)
    return "", "", ""


def _by(actual: float, bound: float) -> str:
    return f", {_short(actual / bound)} times what is allowed" if bound else ""


def _short(value: float) -> str:
    return number(value)


def _percent(share: float) -> str:
    return f"{_short(100 * share)} %"
