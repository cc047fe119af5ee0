"""The form of Model Monitor's and Clarify's files, as far as pages read them.

Any script can write such a file, with anything in it. What has another form than it must have is left out here, so that
what reads them afterwards finds members, rows, numbers and texts where it looks for them. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rows:
    """A list of items of one form; an item without a member of the `needed` is left out."""

    item: Any
    needed: tuple[str, ...] = ()


NUMBER, TEXT = "number", "text"
_ANY = "any"
_ABSENT = object()
_EVERY = "*"
_STATISTICS = {"common": {"num_present": NUMBER, "num_missing": NUMBER}}
_FEATURE = {
    "name": TEXT,
    "inferred_type": TEXT,
    "completeness": NUMBER,
    "string_statistics": _STATISTICS,
    "numerical_statistics": {
        **_STATISTICS, "mean": NUMBER, "std_dev": NUMBER,
        "distribution": {"kll": {"buckets": Rows({"count": NUMBER}), "sketch": {"data": Rows(Rows(NUMBER))}}},
    },
}  # fmt: skip
_BIAS_METRIC = {"name": TEXT, "value": NUMBER, "description": TEXT, "error": TEXT}
_BIAS = {"facets": {_EVERY: Rows({"value_or_threshold": _ANY, "metrics": Rows(_BIAS_METRIC, ("name",))})}}
_METRIC = {"value": NUMBER, "standard_deviation": NUMBER, "threshold": NUMBER, "comparison_operator": TEXT}
_REPORT = {
    "dataset": {"item_count": NUMBER},
    "explanations": {_EVERY: {_EVERY: {"global_shap_values": {_EVERY: NUMBER}}}},
    "features": Rows(_FEATURE),
    "monitoring_config": {"distribution_constraints": {"comparison_threshold": NUMBER, "comparison_method": TEXT}},
    "post_training_bias_metrics": _BIAS,
    "pre_training_bias_metrics": _BIAS,
    "violations": Rows({_EVERY: _ANY}),
    _EVERY: {_EVERY: _METRIC},
}
"""Of statistics, constraints, analyses and violations together: their members do not clash."""


def fit_report(document: Any) -> dict[str, Any] | None:
    """The members of a file that have the form which they must have; None where the file itself has another."""
    fitted = _fit(document, _REPORT)
    return fitted if isinstance(fitted, dict) else None


def _fit(value: Any, form: Any) -> Any:
    """The value as far as it has the form, or `_ABSENT`."""
    if isinstance(form, Mapping):
        return _fit_members(value, form) if isinstance(value, Mapping) else _ABSENT
    if isinstance(form, Rows):
        return _fit_rows(value, form) if isinstance(value, list) else _ABSENT
    if form == NUMBER:
        return value if _is_number(value) else _ABSENT
    if form == TEXT:
        return value if isinstance(value, str) else _ABSENT
    return value


def _fit_members(value: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: form.get(name, form.get(_EVERY)) for name in value}
    parts = {name: _fit(value[name], part) for name, part in wanted.items() if part is not None}
    return {name: part for name, part in parts.items() if part is not _ABSENT}


def _fit_rows(value: list[Any], form: Rows) -> list[Any]:
    parts = [part for item in value if (part := _fit(item, form.item)) is not _ABSENT]
    return [part for part in parts if all(name in part for name in form.needed)]


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False
