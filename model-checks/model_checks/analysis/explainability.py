"""Kernel SHAP for a whole dataset at once, its aggregation, and the drift of attributions.

The coalitions are the same for many rows in which the same features differ from the baseline: one weighted
least-squares problem then has a right-hand side per row. Few rows have the coalitions that shap's KernelExplainer draws
with the same seed; many rows are divided among several draws, so that none is decisive, and each is the best of some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_checks.analysis.coalitions import Masks, best_coalitions, default_samples, product
from model_checks.arrays import Floats

Rows = npt.NDArray[Any]  # one row per record, one column per feature: doubles, or objects where some are text
Link = Callable[[Floats], Floats]
Predict = Callable[[Rows], Floats]  # the scores of rows, one column per label

AGGREGATIONS: dict[str, Callable[[Floats], Floats]] = {
    "mean_abs": lambda values: np.abs(values).mean(axis=0),
    "median": lambda values: np.median(values, axis=0),
    "mean_sq": lambda values: (values**2).mean(axis=0),
}
DRIFT_THRESHOLD = 0.9
_NOTHING = 1e-10  # smaller attributions are written as 0, as shap does
_SINGULAR = 1e-9  # of the largest eigenvalue
_SYNTHETIC = 1 << 22  # values in the rows that are queried at once
_SHARING = 512  # rows that share their coalitions, at least
_DRAWS, _BEST_OF = 8, 4  # how many times coalitions are drawn for many rows, and of how many draws each is the best


@dataclass(frozen=True)
class SamplingSettings:
    """How to sample: `samples` None is chosen by the number of features, `seed` None is another result each time.

    `explained` are the positions of the features to vary; the others keep their values.
    """

    samples: int | None = None
    seed: int | None = None
    logit: bool = False
    explained: Sequence[int] | None = None


@dataclass(frozen=True)
class Explanation:
    """Local values (row x feature x label) and the expected value of each label; in log-odds with a logit link."""

    values: Floats
    expected: Floats

    def aggregate(self, method: str) -> Floats:
        """Feature x label."""
        return AGGREGATIONS[method](self.values)


def kernel_shap(rows: Rows, baseline: Rows, predict: Predict, settings: SamplingSettings) -> Explanation:
    """Attributions of every row against the mean prediction of the baseline's rows. They add up for each row."""
    explained = np.array(settings.explained if settings.explained is not None else range(rows.shape[1]), dtype=int)
    link: Link = _logit if settings.logit else _identity
    own = link(predict(rows))
    expected = link(predict(baseline).mean(axis=0, keepdims=True))[0]
    start = (
        _baseline_predictions(rows, baseline, predict, explained, link) if settings.explained is not None else expected
    )
    values = np.zeros((len(rows), rows.shape[1], own.shape[1]))
    gain = own - start
    varying = np.any(rows[:, None, explained] != baseline[None, :, explained], axis=1)
    for pattern in np.unique(varying, axis=0):
        members = np.flatnonzero((varying == pattern).all(axis=1))
        features = explained[pattern]
        if not len(features):
            continue
        random = np.random.RandomState(settings.seed)
        draws = min(_DRAWS, max(1, len(members) // _SHARING))
        best_of = _BEST_OF if draws > 1 else 1
        for some in np.array_split(members, draws):
            offset = start if start.ndim == 1 else start[some]
            drawn = _draw(len(features), settings, random, best_of)
            solved = _solve(rows[some], baseline, features, predict, (gain[some], offset), drawn, link)
            values[np.ix_(some, features)] = solved
    values[np.abs(values) < _NOTHING] = 0.0
    return Explanation(values, expected)


def _baseline_predictions(rows: Rows, baseline: Rows, predict: Predict, explained: Any, link: Link) -> Floats:
    """The prediction of each row with the explained features taken from the baseline."""
    none = np.zeros((1, len(explained)), dtype=bool)
    return np.asarray(link(_coalition_values(rows, baseline, explained, none, predict)[0]))


def _identity(values: Floats) -> Floats:
    return values


def _logit(values: Floats) -> Floats:
    tiny = np.finfo(np.float32).eps
    clipped = np.clip(values, tiny, 1 - tiny)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _draw(
    features: int, settings: SamplingSettings, random: np.random.RandomState, best_of: int
) -> tuple[Masks, Floats]:
    return best_coalitions(features, settings.samples or default_samples(features), random, best_of)


def _solve(
    rows: Rows,
    baseline: Rows,
    features: npt.NDArray[np.int64],
    predict: Predict,
    gain_and_start: tuple[Floats, Floats],
    drawn: tuple[Masks, Floats],
    link: Link,
) -> Floats:
    """The values of `features`, all of which differ from the baseline, that add up to each row's gain."""
    gain, start = gain_and_start
    if len(features) == 1:
        return gain[:, None, :]
    masks, weights = drawn
    known = link(_coalition_values(rows, baseline, features, masks, predict)) - start
    last = masks[:, -1:].astype(np.float64)
    design = masks[:, :-1] - last
    targets = (known - last[:, :, None] * gain).reshape(len(masks), -1)
    solution = _least_squares(design, weights, targets).reshape(len(features) - 1, len(rows), -1)
    return np.asarray(np.concatenate([solution, (gain - solution.sum(axis=0))[None]]).transpose(1, 0, 2))


def _least_squares(design: Floats, weights: Floats, targets: Floats) -> Floats:
    """The weighted solution; the smallest one where there are too few coalitions to tell."""
    weighted = design.T * weights
    normal = weighted @ design
    scale = np.linalg.eigvalsh(normal)
    if scale[0] > _SINGULAR * scale[-1]:
        return np.asarray(np.linalg.solve(normal, product(weighted, targets)))
    root = np.sqrt(weights)[:, None]
    inverse = np.linalg.pinv(root * design, rcond=max(design.shape) * np.finfo(np.float64).eps)
    return np.asarray(inverse @ (root * targets))


def _coalition_values(rows: Rows, baseline: Rows, features: Any, masks: Masks, predict: Predict) -> Floats:
    """Mean predictions over the baseline's rows: coalition x row x label."""
    per_row = len(masks) * len(baseline) * rows.shape[1]
    step = max(1, _SYNTHETIC // per_row)
    parts = []
    for at in range(0, len(rows), step):
        some = rows[at : at + step]
        mixed = np.empty((len(masks), len(some), len(baseline), rows.shape[1]), dtype=rows.dtype)
        mixed[:] = some[None, :, None, :]
        for column, feature in enumerate(features):
            absent = ~masks[:, column]
            mixed[absent, :, :, feature] = baseline[None, None, :, feature]
        scores = predict(mixed.reshape(-1, rows.shape[1]))
        parts.append(scores.reshape(len(masks), len(some), len(baseline), -1).mean(axis=2))
    return np.concatenate(parts, axis=1)


def ndcg(baseline: Mapping[str, float], current: Mapping[str, float]) -> float:
    """How well the current ranking of features keeps the baseline's: 1.0 is the same order.

    A missing feature ranks last, a new one has no relevance; a baseline without any attribution is kept.
    """
    relevance = {**dict.fromkeys(current, 0.0), **baseline}
    low = min([0.0, *relevance.values()])
    relevance = {name: value - low if name in baseline else 0.0 for name, value in relevance.items()}
    now = sorted(relevance, key=lambda name: (-current.get(name, float("-inf")), -relevance[name]))
    ideal = sorted(relevance.values(), reverse=True)
    best = _dcg(ideal)
    return _dcg([relevance[name] for name in now]) / best if best else 1.0


def _dcg(relevances: Sequence[float]) -> float:
    return float(sum(value / np.log2(rank + 1) for rank, value in enumerate(relevances, 1)))


def violations(current: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[dict[str, str]]:
    """The labels whose attributions are ranked differently from the baseline's analysis.json."""
    now = ((current.get("explanations") or {}).get("kernel_shap")) or {}
    problems = []
    for label, entry in (((baseline.get("explanations") or {}).get("kernel_shap")) or {}).items():
        if label not in now:
            continue
        score = ndcg(entry["global_shap_values"], now[label]["global_shap_values"])
        if score < DRIFT_THRESHOLD:
            problems.append(
                {
                    "label": label,
                    "metric_name": "shap",
                    "constraint_check_type": "feature_attribution_drift_check",
                    "description": f"Feature attribution drift {score} exceeds threshold {DRIFT_THRESHOLD}",
                }
            )
    return problems
