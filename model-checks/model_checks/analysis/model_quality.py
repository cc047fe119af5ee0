"""Model quality: the metrics of statistics.json for regression, binary and multiclass problems.

Each scalar has a value and the standard deviation over five random 80 % samples, null below 200 rows. Undefined
metrics are null on both. Multiclass averages are weighted by support, as Spark's MulticlassMetrics computes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_checks.analysis import scala_map_order
from model_checks.analysis.curves import Curves
from model_checks.analysis.quality_folds import FOLDS, ErrorFolds, LabelFolds
from model_checks.arrays import Codes, Floats
from model_checks.report import Report

Matrix = npt.NDArray[np.int64]
Metrics = dict[str, float]

SAMPLE_SHARE, SAMPLED_FROM = 0.8, 200
BETAS = {"f0_5": 0.5, "f1": 1.0, "f2": 2.0}
SECTIONS = {
    "Regression": "regression",
    "BinaryClassification": "binary_classification",
    "MulticlassClassification": "multiclass_classification",
}


@dataclass(frozen=True)
class Labels:
    """Actual and predicted classes as codes into `names`, which are in order of appearance."""

    names: Sequence[str]
    actual: Codes
    predicted: Codes

    def matrix(self, rows: npt.NDArray[np.bool_] | None = None) -> Matrix:
        """Counts by actual (rows) and predicted class (columns)."""
        actual, predicted = (self.actual, self.predicted) if rows is None else (self.actual[rows], self.predicted[rows])
        size = len(self.names)
        return np.bincount(actual * size + predicted, minlength=size * size).reshape(size, size)


@dataclass(frozen=True)
class _Outcome:
    """The rows, or a sample of them: counts by actual and predicted class, and the curves of the scores."""

    matrix: Matrix
    curves: Curves | None = None


def regression(actual: Floats, predicted: Floats) -> Report:
    """statistics.json of a regression."""

    def metrics(rows: npt.NDArray[np.bool_] | None) -> Metrics:
        y, p = (actual, predicted) if rows is None else (actual[rows], predicted[rows])
        errors = y - p
        if rows is None:
            squared = math.sqrt(_sum(errors * errors)) ** 2
            return _error_scores(len(y), _sum(np.abs(errors)) / len(y), squared, _deviations(y))
        spread = y - y.mean()
        return _error_scores(len(y), float(np.abs(errors).mean()), float(errors @ errors), float(spread @ spread))

    return _report("regression", len(actual), _scalars(map(metrics, _samples(len(actual)))))


def _sum(values: Floats) -> float:
    """Added up one after the other, as Spark does: a baseline's thresholds are compared to the last digit."""
    return float(np.cumsum(values)[-1])


def _deviations(values: Floats) -> float:
    """The sum of squared deviations from the mean, kept up to date value by value, as Spark's summarizer does."""
    mean = total = 0.0
    for number, value in enumerate(values.tolist(), 1):
        before = value - mean
        mean += before / number
        total += (value - mean) * before
    return total


def regression_of_folds(folds: ErrorFolds) -> Report:
    """The same of rows that were not held."""

    def metrics(without: int | None) -> Metrics:
        errors = folds.errors(without)
        return _error_scores(errors.rows, errors.absolute / errors.rows, errors.squared, errors.actual.deviations)

    return _report("regression", folds.rows, _scalars(map(metrics, (None, *range(FOLDS)))))


def _error_scores(rows: int, absolute: float, squared: float, around_mean: float) -> Metrics:
    mse = squared / rows
    r2 = 1 - squared / around_mean if around_mean else math.nan
    return {"mae": absolute, "mse": mse, "rmse": math.sqrt(mse), "r2": r2}


def binary(labels: Labels | LabelFolds, positive: str, probability: Floats | None = None) -> Report:
    """statistics.json of a binary problem; the curves and their areas need the positive class's probability."""
    at = labels.names.index(positive) if positive in labels.names else -1
    matrix = labels.matrix()
    constant = best_constant(matrix)
    curves: Report = {}

    def metrics(some: _Outcome) -> Metrics:
        scores = {**_binary_scores(some.matrix, at), **_binary_constant(some.matrix, at, constant)}
        if some.curves is None:
            return scores
        if not curves:  # of all rows, which come first
            curves.update(some.curves.as_lists())
        return scores | {"auc": some.curves.auc, "au_prc": some.curves.au_prc}

    scalars = _scalars(map(metrics, _outcomes(labels, at, probability)))
    ordered: Report = {"confusion_matrix": _name_classes(labels.names, matrix)}
    scores = ["recall", "precision", "accuracy"]
    rates = ["true_positive_rate", "true_negative_rate", "false_positive_rate", "false_negative_rate"]
    for name in [*scores, *_constant_names(scores), *rates]:
        ordered[name] = scalars[name]
    if curves:
        ordered |= {**curves, "auc": scalars["auc"], "au_prc": scalars["au_prc"]}
    for name in [*BETAS, *_constant_names(list(BETAS))]:
        ordered[name] = scalars[name]
    return _report("binary_classification", int(matrix.sum()), ordered)


def multiclass(labels: Labels | LabelFolds) -> Report:
    """statistics.json of a multiclass problem."""
    matrix = labels.matrix()
    constant = best_constant(matrix)

    def metrics(some: _Outcome) -> Metrics:
        of_constant = _weigh(_constant_matrix(some.matrix, constant)).items()
        return {
            **_weigh(some.matrix),
            **{f"{name}_best_constant_classifier": value for name, value in of_constant},
        }

    scalars = _scalars(map(metrics, _outcomes(labels)))
    named = {"confusion_matrix": _name_classes(labels.names, matrix)}
    return _report("multiclass_classification", int(matrix.sum()), {**named, **scalars})


def _outcomes(labels: Labels | LabelFolds, positive: int = -1, probability: Floats | None = None) -> Iterator[_Outcome]:
    """All rows, then the samples of them."""
    if isinstance(labels, LabelFolds):
        for without in (None, *range(FOLDS)):
            scores = labels.scores
            yield _Outcome(labels.matrix(without), scores.curves(positive, without) if scores else None)
        return
    for rows in _samples(len(labels.actual)):
        curves = None
        if probability is not None:
            hits = labels.actual == positive
            curves = Curves.of(hits, probability) if rows is None else Curves.of(hits[rows], probability[rows])
        yield _Outcome(labels.matrix(rows), curves)


def best_constant(matrix: Matrix) -> int:
    """The class that AWS's "best constant classifier" predicts: of two the less frequent, of more the most frequent.

    Every recorded output fits this; the documentation does not say.
    """
    counts = matrix.sum(axis=1)
    present = np.flatnonzero(counts)
    if len(present) == 2:
        return int(present[np.argmin(counts[present])])
    return int(np.argmax(counts))


def positive_name(names: Sequence[str]) -> str:
    """The positive class: ``1``; where there is none, the last of the two in sorting order."""
    return "1" if "1" in names or not names else max(names)


def _constant_names(names: list[str]) -> list[str]:
    return [f"{name}_best_constant_classifier" for name in names]


def _ratio(part: float, whole: float, otherwise: float = math.nan) -> float:
    return part / whole if whole else otherwise


def _f_measure(precision: float, recall: float, beta: float) -> float:
    return _ratio((1 + beta * beta) * precision * recall, beta * beta * precision + recall, 0.0)


def _binary_scores(matrix: Matrix, positive: int) -> Metrics:
    known = positive >= 0
    hits = int(matrix[positive, positive]) if known else 0
    positives, guesses = (int(matrix[positive].sum()), int(matrix[:, positive].sum())) if known else (0, 0)
    rows = int(matrix.sum())
    false_alarms, negatives = guesses - hits, rows - positives
    recall = _ratio(hits, positives)
    precision = _ratio(hits, guesses, 0.0)
    fpr = _ratio(false_alarms, negatives)
    scores = {
        "recall": recall,
        "precision": precision,
        "accuracy": _ratio(int(matrix.trace()), rows),
        "true_positive_rate": recall,
        "true_negative_rate": 1 - fpr,
        "false_positive_rate": fpr,
        "false_negative_rate": 1 - recall,  # not from counts: so the last digit is AWS's too
    }
    return scores | {name: _f_measure(precision, recall, beta) for name, beta in BETAS.items()}


def _constant_matrix(matrix: Matrix, constant: int) -> Matrix:
    """The matrix of always predicting one class."""
    result = np.zeros_like(matrix)
    result[:, constant] = matrix.sum(axis=1)
    return result


def _binary_constant(matrix: Matrix, positive: int, constant: int) -> Metrics:
    scores = _binary_scores(_constant_matrix(matrix, constant), positive)
    return {f"{name}_best_constant_classifier": scores[name] for name in ("recall", "precision", "accuracy", *BETAS)}


def _weigh(counts: Matrix) -> Metrics:
    matrix = counts.astype(np.float64)
    support, guesses, hits = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    rows = support.sum()
    precision = np.divide(hits, guesses, out=np.zeros_like(hits), where=guesses > 0)
    recall = np.divide(hits, support, out=np.zeros_like(hits), where=support > 0)
    metrics = {
        "accuracy": float(hits.sum() / rows),
        "weighted_recall": float(recall @ support / rows),
        "weighted_precision": float(precision @ support / rows),
    }
    for name, beta in BETAS.items():
        weight = beta * beta * precision + recall
        scores = np.divide((1 + beta * beta) * precision * recall, weight, out=np.zeros_like(hits), where=weight > 0)
        metrics[f"weighted_{name}"] = float(scores @ support / rows)
    return metrics


def _name_classes(names: Sequence[str], matrix: Matrix) -> Report:
    listed, order = matrix.tolist(), scala_map_order.in_map_order(names)
    at = {name: code for code, name in enumerate(names)}
    return {name: {other: listed[at[name]][at[other]] for other in order} for name in order}


def _samples(rows: int) -> Iterator[npt.NDArray[np.bool_] | None]:
    """All rows (None), then random samples of them, drawn with a fixed seed."""
    yield None
    if rows >= SAMPLED_FROM:
        random = np.random.default_rng(0)
        for _ in range(FOLDS):
            chosen = np.zeros(rows, dtype=bool)
            chosen[random.choice(rows, int(rows * SAMPLE_SHARE), replace=False, shuffle=False)] = True
            yield chosen


def _scalars(metrics: Iterable[Metrics]) -> Report:
    """Each metric's value and its (population) standard deviation over samples: the first are the values."""
    values, *samples = metrics
    return {name: _scalar(value, [sample[name] for sample in samples]) for name, value in values.items()}


def _scalar(value: float, samples: list[float]) -> Report:
    known = [sample for sample in samples if math.isfinite(sample)]
    if not math.isfinite(value):
        return {"value": None, "standard_deviation": None}
    return {"value": value, "standard_deviation": float(np.std(known)) if known else None}


def _report(section: str, rows: int, metrics: Report) -> Report:
    return {"version": 0.0, "dataset": {"item_count": rows}, f"{section}_metrics": metrics}
