"""Feature attributions of Clarify's ``analysis.json``: who ranks where, and how much of the ranking has stayed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

THRESHOLD = 0.9  # of the nDCG, fixed by AWS


def explanations(analysis: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """The global SHAP values by label."""
    by_label = analysis.get("explanations", {}).get("kernel_shap", {})
    return {label: dict(item.get("global_shap_values", {})) for label, item in by_label.items()}


def read_expected(analysis: Mapping[str, Any], label: str) -> Any:
    return analysis.get("explanations", {}).get("kernel_shap", {}).get(label, {}).get("expected_value")


def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """1 for the largest attribution; features of equal attribution share a rank."""
    return {name: 1 + sum(other > value for other in values.values()) for name, value in values.items()}


def ndcg(baseline: Mapping[str, float], current: Mapping[str, float]) -> float:
    """Clarify's published measure of attribution drift: how much of the baseline's ranking has stayed; 1 is all of it.

    Relevance is the baseline's attribution, the order is the current one. A feature that no longer exists ranks last.
    """
    lowest = min([0.0, *baseline.values()])  # medians can be negative, relevances cannot
    relevance = {name: baseline[name] - lowest if name in baseline else 0.0 for name in {**current, **baseline}}
    order = sorted(relevance, key=lambda name: (-current.get(name, -math.inf), -relevance[name]))
    best = _gain(sorted(relevance.values(), reverse=True))
    return _gain([relevance[name] for name in order]) / best if best else 1.0


def _gain(relevances: Sequence[float]) -> float:
    return sum(value / math.log2(place + 1) for place, value in enumerate(relevances, 1))
