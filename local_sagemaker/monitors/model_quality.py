"""Model quality: the metrics of statistics.json for regression, binary and multiclass problems.

Each scalar has a value and the standard deviation over five random 80 % samples, null below 200 rows. Undefined
metrics are null on both. Multiclass averages are weighted by support, as Spark's MulticlassMetrics computes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from local_sagemaker.monitors import key_order
from local_sagemaker.monitors.curves import Curves

Report = dict[str, Any]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Metrics = dict[str, float]

SAMPLES, SAMPLE_SHARE, SAMPLED_FROM = 5, 0.8, 200
BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
SECTIONS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


@dataclass(frozen=True)
class Labels:
    """Actual and predicted classes as codes into `names`, which are in order of appearance."""

    names: list[str]
    actual: Codes
    predicted: Codes

    def sample(self, rows: npt.NDArray[np.bool_]) -> Labels:
        return Labels(self.names, self.actual[rows], self.predicted[rows])

    def matrix(self) -> npt.NDArray[np.int64]:
        """Counts by actual (rows) and predicted class (columns)."""
        size = len(self.names)
        return np.bincount(self.actual * size + self.predicted, minlength=size * size).reshape(size, size)


def regression(actual: Floats, predicted: Floats) -> Report:
    """statistics.json of a regression."""

    def metrics(rows: npt.NDArray[np.bool_] | None) -> Metrics:
        y, p = (actual, predicted) if rows is None else (actual[rows], predicted[rows])
        errors = y - p
        squared = float(errors @ errors)
        spread = y - y.mean()
        mse = squared / len(y)
        around_mean = float(spread @ spread)
        r2 = 1 - squared / around_mean if around_mean else math.nan
        return {"mae": float(np.abs(errors).mean()), "mse": mse, "rmse": math.sqrt(mse), "r2": r2}

    return _report("regression", len(actual), _with_deviation(metrics, len(actual)))


def binary(labels: Labels, positive: str, probability: Floats | None) -> Report:
    """statistics.json of a binary problem; the curves and their areas need the positive class's probability."""
    at = labels.names.index(positive) if positive in labels.names else -1
    constant = best_constant(labels)

    def metrics(rows: npt.NDArray[np.bool_] | None) -> Metrics:
        some = labels if rows is None else labels.sample(rows)
        found = {**_binary_scores(some, at), **_binary_constant(some, at, constant)}
        if probability is not None:
            curves = Curves.of(some.actual == at, probability if rows is None else probability[rows])
            found |= {"auc": curves.auc, "au_prc": curves.au_prc}
        return found

    scalars = _with_deviation(metrics, len(labels.actual))
    ordered: Report = {"confusion_matrix": _named(labels)}
    scores = ["recall", "precision", "accuracy"]
    rates = ["true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"]
    for name in [*scores, *_constant_names(scores), *rates]:
        ordered[name] = scalars[name]
    if probability is not None:
        ordered |= Curves.of(labels.actual == at, probability).listed()
        ordered |= {"auc": scalars["auc"], "au_prc": scalars["au_prc"]}
    for name in [*BETAS, *_constant_names(list(BETAS))]:
        ordered[name] = scalars[name]
    return _report("binary_classification", len(labels.actual), ordered)


def multiclass(labels: Labels) -> Report:
    """statistics.json of a multiclass problem."""
    constant = best_constant(labels)

    def metrics(rows: npt.NDArray[np.bool_] | None) -> Metrics:
        some = labels if rows is None else labels.sample(rows)
        guess = Labels(some.names, some.actual, np.full(len(some.actual), constant))
        of_constant = {f"{name}_best_constant_classifier": value for name, value in _weighted(guess).items()}
        return {**_weighted(some), **of_constant}

    scalars = _with_deviation(metrics, len(labels.actual))
    return _report("multiclass_classification", len(labels.actual), {"confusion_matrix": _named(labels), **scalars})


def best_constant(labels: Labels) -> int:
    """The class that AWS's "best constant classifier" predicts: of two the less frequent, of more the most frequent.

    Every recorded output fits this; the documentation does not say.
    """
    counts = np.bincount(labels.actual, minlength=len(labels.names))
    present = np.flatnonzero(counts)
    if len(present) == 2:
        return int(present[np.argmin(counts[present])])
    return int(np.argmax(counts))


def positive_name(names: list[str]) -> str:
    """The positive class: ``1``; where there is none, the last of the two in sorting order."""
    return "1" if "1" in names or not names else max(names)


def _constant_names(names: list[str]) -> list[str]:
    return [f"{name}_best_constant_classifier" for name in names]


def _ratio(part: float, whole: float, otherwise: float = math.nan) -> float:
    return part / whole if whole else otherwise


def _f_measure(precision: float, recall: float, beta: float) -> float:
    return _ratio((1 + beta * beta) * precision * recall, beta * beta * precision + recall, 0.0)


def _binary_scores(labels: Labels, positive: int) -> Metrics:
    actual, predicted = labels.actual == positive, labels.predicted == positive
    hits = int((actual & predicted).sum())
    positives, guesses, rows = int(actual.sum()), int(predicted.sum()), len(actual)
    false_alarms, negatives = guesses - hits, rows - positives
    recall = _ratio(hits, positives)
    precision = _ratio(hits, guesses, 0.0)
    fpr = _ratio(false_alarms, negatives)
    found = {
        "recall": recall,
        "precision": precision,
        "accuracy": float((labels.actual == labels.predicted).mean()) if rows else math.nan,
        "true_positive_rate": recall,
        "true_negative_rate": 1 - fpr,
        "false_positive_rate": fpr,
        "false_negative_rate": 1 - recall,  # not from counts: so the last digit is AWS's too
    }
    return found | {name: _f_measure(precision, recall, beta) for name, beta in BETAS.items()}


def _binary_constant(labels: Labels, positive: int, constant: int) -> Metrics:
    guess = Labels(labels.names, labels.actual, np.full(len(labels.actual), constant))
    scores = _binary_scores(guess, positive)
    return {f"{name}_best_constant_classifier": scores[name] for name in ("recall", "precision", "accuracy", *BETAS)}


def _weighted(labels: Labels) -> Metrics:
    matrix = labels.matrix().astype(np.float64)
    support, guesses, hits = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    rows = support.sum()
    precision = np.divide(hits, guesses, out=np.zeros_like(hits), where=guesses > 0)
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=support > 0)
    found = {
        "accuracy": float(hits.sum() / rows),
        "weighted_recall": float(recall @ support / rows),
        "weighted_precision": float(precision @ support / rows),
    }
    for name, beta in BETAS.items():
        weight = beta * beta * precision + recall
        scores = np.divide((1 + beta * beta) * precision * recall, weight, out=np.zeros_like(hits), where=weight > 0)
        found[f"weighted_{name}"] = float(scores @ support / rows)
    return found


def _named(labels: Labels) -> Report:
    matrix, order = labels.matrix().tolist(), key_order.listed(labels.names)
    at = {name: code for code, name in enumerate(labels.names)}
    return {name: {other: matrix[at[name]][at[other]] for other in order} for name in order}


def _with_deviation(metrics: Callable[[npt.NDArray[np.bool_] | None], Metrics], rows: int) -> Report:
    """Each metric's value and its (population) standard deviation over samples, drawn with a fixed seed."""
    values = metrics(None)
    samples: list[Metrics] = []
    if rows >= SAMPLED_FROM:
        random = np.random.default_rng(0)
        for _ in range(SAMPLES):
            chosen = np.zeros(rows, dtype=bool)
            chosen[random.choice(rows, int(rows * SAMPLE_SHARE), replace=False, shuffle=False)] = True
            samples.append(metrics(chosen))
    return {name: _scalar(value, [sample[name] for sample in samples]) for name, value in values.items()}


def _scalar(value: float, samples: list[float]) -> Report:
    known = [sample for sample in samples if math.isfinite(sample)]
    if not math.isfinite(value):
        return {"value": None, "standard_deviation": None}
    return {"value": value, "standard_deviation": float(np.std(known)) if known else None}


def _report(section: str, rows: int, metrics: Report) -> Report:
    return {"version": 0.0, "dataset": {"item_count": rows}, f"{section}_metrics": metrics}
