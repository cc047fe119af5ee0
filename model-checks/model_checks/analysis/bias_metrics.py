"""Clarify's bias metrics, computed from counts of rows.

The definitions are those of the developer guide ("Pre-training Data and Model Bias", "Measure Post-training Data and
Model Bias") and of the papers that it cites; names, descriptions and error texts are those in the container's
analysis.json. A test compares every metric with the container's own library on random data.

All but the flip test take a table of counts with four axes: outside or inside the facet, label negative or positive,
prediction negative or positive, and the group.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.arrays import Floats

Table = npt.NDArray[np.int64]
Rows = npt.NDArray[np.bool_]

REST, FACET = 0, 1
NEGATIVE, POSITIVE = 0, 1
_LABEL, _PREDICTION = 1, 2  # axes of the table

_NEIGHBOURS = 5  # of the flip test
_FEW_ROWS = 9  # with no more of them outside of the facet, the flip test looks at one neighbour


@dataclass(frozen=True)
class BiasCounts:
    """What a metric is computed from: the table, and the groups along its last axis where there is a group column."""

    table: Table
    groups: pd.Series | None = None

    @property
    def sizes(self) -> Table:
        """Rows outside and inside the facet."""
        return np.asarray(self.table.sum(axis=(1, 2, 3)))

    def positives(self, axis: int) -> Table:
        """Of those, the ones with a positive label, or a positive prediction."""
        return np.asarray(np.moveaxis(self.table, axis, 1)[:, POSITIVE].sum(axis=(1, 2)))

    @property
    def outcomes(self) -> Table:
        """Rows by facet, label and prediction."""
        return np.asarray(self.table.sum(axis=3))


@dataclass(frozen=True)
class BiasMetric:
    """A metric as analysis.json names and describes it. `compute` raises ValueError where it has no value."""

    name: str
    description: str
    compute: Callable[[BiasCounts], float]


def divide(a: float, b: float) -> float:
    """A ratio as the container reports it: 0/0 is 0, and everything else over 0 infinite."""
    if b == 0:
        return 0.0 if a == 0 else math.copysign(math.inf, a)
    return float(a / b)


def _difference(a: float, b: float) -> float:
    """a - b, 0 of two infinities."""
    return 0.0 if a == b else a - b


def _require_both(counts: BiasCounts, rest: str, facet: str, rest_first: bool = False) -> None:
    """Raises ValueError with the text for the side that has no rows."""
    sides = [(FACET, facet), (REST, rest)]
    for side, text in reversed(sides) if rest_first else sides:
        if not counts.sizes[side]:
            raise ValueError(text)


def _class_imbalance(counts: BiasCounts) -> float:
    _require_both(
        counts,
        "CI: negated facet set is empty. Check that x[~facet] has non-zero length.",
        "CI: facet set is empty. Check that x[facet] has non-zero length.",
        rest_first=True,
    )
    rest, facet = counts.sizes
    return float((rest - facet) / (rest + facet))


def _proportion_difference(counts: BiasCounts, axis: int) -> float:
    _require_both(counts, "Negative facet set is empty.", "Facet set is empty.", rest_first=True)
    shares = counts.positives(axis) / counts.sizes
    return float(shares[REST] - shares[FACET])


def _demographic_disparity(counts: BiasCounts, axis: int) -> float:
    """The facet's share of the rejected less its share of the accepted, per group; the mean, weighted by rows.

    A missing group has no weight: the container compares values, and nothing equals a missing one.
    """
    if counts.groups is None or counts.groups.empty:
        raise ValueError("Group variable is empty or not provided")
    _, order = np.unique(counts.groups.to_numpy(), return_index=True)  # fails for texts with gaps, as there
    by_group = np.moveaxis(counts.table, axis, 1).sum(axis=2)[..., order]
    totals = by_group.sum(axis=(0, 2))
    if not totals[POSITIVE]:
        raise ValueError("No positive labels in set")
    if not totals[NEGATIVE]:
        raise ValueError("No negative labels in set")
    shares = by_group[FACET] / np.maximum(by_group.sum(axis=0), 1)
    weights = np.where(counts.groups.iloc[order].notna(), by_group.sum(axis=(0, 1)), 0)
    return divide(float((weights * (shares[NEGATIVE] - shares[POSITIVE])).sum()), float(weights.sum()))


def _label_shares(counts: BiasCounts) -> tuple[Floats, Floats]:
    """The distribution of the label in the rest and in the facet, over outcomes that both have."""
    sizes = counts.table.sum(axis=(2, 3))
    shares = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1)
    both = (sizes > 0).all(axis=0)
    if not both.any():
        raise ValueError("No instance of common facet found, dataset may be too small")
    return shares[REST, both], shares[FACET, both]


def _divergence(p: Floats, q: Floats) -> float:
    return float(np.sum(p * np.log(p / q)))


def _jensen_shannon(counts: BiasCounts) -> float:
    rest, facet = _label_shares(counts)
    middle = (rest + facet) / 2
    return (_divergence(rest, middle) + _divergence(facet, middle)) / 2


def _distance(counts: BiasCounts, order: float) -> float:
    rest, facet = _label_shares(counts)
    return float(np.linalg.norm(rest - facet, order))


def _disparate_impact(counts: BiasCounts) -> float:
    _require_both(counts, "Negated facet set is empty", "Facet set is empty", rest_first=True)
    shares = counts.positives(_PREDICTION) / counts.sizes
    return divide(float(shares[FACET]), float(shares[REST]))


def _ratios(
    counts: BiasCounts, family: str, top: Callable[[Table], int], bottom: Callable[[Table], int]
) -> tuple[float, float]:
    """A ratio of outcomes in the rest and in the facet; `family` begins the texts of errors."""
    _require_both(counts, f"{family}Negated Facet set is empty", f"{family}Facet set is empty")
    rest, facet = (divide(int(top(side)), int(bottom(side))) for side in counts.outcomes)
    return rest, facet


def _conditional_acceptance(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DCO: ", lambda n: n[POSITIVE].sum(), lambda n: n[:, POSITIVE].sum())
    return _difference(rest, facet)


def _conditional_rejection(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DCO: ", lambda n: n[NEGATIVE].sum(), lambda n: n[:, NEGATIVE].sum())
    return _difference(facet, rest)


def _acceptance_rates(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DLR: ", lambda n: n[POSITIVE, POSITIVE], lambda n: n[:, POSITIVE].sum())
    return _difference(rest, facet)


def _rejection_rates(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DLR: ", lambda n: n[NEGATIVE, NEGATIVE], lambda n: n[:, NEGATIVE].sum())
    return _difference(facet, rest)


def _recall(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DLA: ", lambda n: n[POSITIVE, POSITIVE], lambda n: n[POSITIVE].sum())
    return _difference(rest, facet)


def _specificity(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "DLA: ", lambda n: n[NEGATIVE, NEGATIVE], lambda n: n[NEGATIVE].sum())
    return _difference(facet, rest)


def _accuracy(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "", lambda n: n.trace(), lambda n: n.sum())
    return _difference(rest, facet)


def _treatment_equality(counts: BiasCounts) -> float:
    rest, facet = _ratios(counts, "", lambda n: n[POSITIVE, NEGATIVE], lambda n: n[NEGATIVE, POSITIVE])
    return _difference(facet, rest)


def _generalized_entropy(counts: BiasCounts) -> float:
    """With alpha 2, of the benefits: prediction minus label plus 1."""
    by_outcome = counts.table.sum(axis=(0, 3))
    rows = np.array([by_outcome[1, 0], by_outcome[0, 0] + by_outcome[1, 1], by_outcome[0, 1]])
    mean = float(rows @ np.arange(3) / rows.sum())
    if mean == 0:
        raise ValueError(
            "All predicted labels are false negatives. "
            "There should be at least one prediction that is not false negative."
        )
    return float(rows @ ((np.arange(3) / mean) ** 2 - 1) / (rows.sum() * 2))


def flip_test(features: pd.DataFrame, inside: Rows, predicted: Rows) -> float:
    """How many more of the facet's rows would lose a positive prediction than gain one, as a share of its rows, were
    they predicted what their nearest neighbours outside of it are. Raises ValueError where that can't be said."""
    from sklearn.neighbors import KNeighborsClassifier

    if not inside.any():
        raise ValueError("Facet set is empty")
    if inside.all():
        raise ValueError("Negated Facet set is empty")
    if len(features.columns) != len(features.select_dtypes([np.number, bool]).columns):
        raise ValueError("FlipTest does not support non-numeric columns")
    values: Any = features.to_numpy()
    model = KNeighborsClassifier(_NEIGHBOURS if int((~inside).sum()) > _FEW_ROWS else 1)
    neighbours = model.fit(values[~inside], predicted[~inside]).predict(values[inside])
    actual = predicted[inside]
    return divide(int((actual & ~neighbours).sum()) - int((~actual & neighbours).sum()), len(actual))


def _refuse_counts(_: BiasCounts) -> float:
    raise ValueError("The flip test needs rows, not counts.")


FLIP_TEST = BiasMetric("FT", "Flip Test (FT)", _refuse_counts)

PRE_TRAINING = (  # in the report's order, which is that of the names
    BiasMetric(
        "CDDL",
        "Conditional Demographic Disparity in Labels (CDDL)",
        lambda counts: _demographic_disparity(counts, _LABEL),
    ),
    BiasMetric("CI", "Class Imbalance (CI)", _class_imbalance),
    BiasMetric(
        "DPL",
        "Difference in Positive Proportions in Labels (DPL)",
        lambda counts: _proportion_difference(counts, _LABEL),
    ),
    BiasMetric("JS", "Jensen-Shannon Divergence (JS)", _jensen_shannon),
    BiasMetric("KL", "Kullback-Liebler Divergence (KL)", lambda counts: _divergence(*_label_shares(counts))),
    BiasMetric("KS", "Kolmogorov-Smirnov Distance (KS)", lambda counts: _distance(counts, np.inf)),
    BiasMetric("LP", "L-p Norm (LP)", lambda counts: _distance(counts, 2)),
    BiasMetric("TVD", "Total Variation Distance (TVD)", lambda counts: 0.5 * _distance(counts, 1)),
)
POST_TRAINING = (
    BiasMetric("AD", "Accuracy Difference (AD)", _accuracy),
    BiasMetric(
        "CDDPL",
        "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        lambda counts: _demographic_disparity(counts, _PREDICTION),
    ),
    BiasMetric("DAR", "Difference in Acceptance Rates (DAR)", _acceptance_rates),
    BiasMetric("DCA", "Difference in Conditional Acceptance (DCA)", _conditional_acceptance),
    BiasMetric("DCR", "Difference in Conditional Rejection (DCR)", _conditional_rejection),
    BiasMetric("DI", "Disparate Impact (DI)", _disparate_impact),
    BiasMetric(
        "DPPL",
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        lambda counts: _proportion_difference(counts, _PREDICTION),
    ),
    BiasMetric("DRR", "Difference in Rejection Rates (DRR)", _rejection_rates),
    FLIP_TEST,
    BiasMetric("GE", "Generalized Entropy (GE)", _generalized_entropy),
    BiasMetric("RD", "Recall Difference (RD)", _recall),
    BiasMetric("SD", "Specificity Difference (SD)", _specificity),
    BiasMetric("TE", "Treatment Equality (TE)", _treatment_equality),
)
