"""ROC and precision-recall curves of a binary classifier, shaped as Spark's BinaryClassificationMetrics shapes them.

One point per distinct score, highest first; the ROC curve is framed by (0, 0) and (1, 1), the other starts at recall 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_checks.arrays import Floats

LISTED = 1000  # Spark's number of bins: with twice as many distinct scores or more, every n-th point is listed


@dataclass(frozen=True)
class Curves:
    """The points of both curves; rates without positives (or negatives) are 0."""

    false_positive_rates: Floats
    true_positive_rates: Floats
    precisions: Floats
    recalls: Floats

    @classmethod
    def of(cls, positive: npt.NDArray[np.bool_], scores: Floats) -> Curves:
        order = np.argsort(-scores, kind="stable")
        ranked, hits = scores[order], positive[order]
        last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.empty(0, dtype=int)
        return cls._through(np.cumsum(hits)[last].astype(np.float64), (last + 1).astype(np.float64))

    @classmethod
    def from_counts(cls, hits: Floats, rows: Floats) -> Curves:
        """Of the numbers of positives and of rows with each score, highest score first."""
        return cls._through(np.cumsum(hits), np.cumsum(rows))

    @classmethod
    def _through(cls, hits: Floats, rows: Floats) -> Curves:
        """Of the numbers of positives and of rows down to each score."""
        positives = float(hits[-1]) if len(hits) else 0.0
        negatives = float(rows[-1]) - positives if len(rows) else 0.0
        tpr = hits / positives if positives else np.zeros(len(hits))
        fpr = (rows - hits) / negatives if negatives else np.zeros(len(hits))
        precision = hits / rows
        return cls(
            np.concatenate([[0.0], fpr, [1.0]]),
            np.concatenate([[0.0], tpr, [1.0]]),
            np.concatenate([precision[:1], precision]),
            np.concatenate([[0.0], tpr]),
        )

    @property
    def auc(self) -> float:
        return _area(self.true_positive_rates, self.false_positive_rates)

    @property
    def au_prc(self) -> float:
        return _area(self.precisions, self.recalls)

    def as_lists(self) -> dict[str, dict[str, list[float]]]:
        """The two curves as statistics.json lists them."""
        return {
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": _thin(self.false_positive_rates),
                "true_positive_rates": _thin(self.true_positive_rates),
            },
            "precision_recall_curve": {
                "precisions": _thin(self.precisions),
                "recalls": _thin(self.recalls),
            },
        }


def _area(heights: Floats, widths: Floats) -> float:
    """By the trapezoidal rule, whose name in numpy differs between its major versions."""
    return float(np.sum((heights[1:] + heights[:-1]) / 2 * np.diff(widths)))


def _thin(values: Floats) -> list[float]:
    step = max(1, len(values) // LISTED)
    kept = values[::step]
    return (kept if (len(values) - 1) % step == 0 else np.append(kept, values[-1])).tolist()
