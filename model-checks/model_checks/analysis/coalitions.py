"""Coalitions of Kernel SHAP: which features keep the row's own value, and the weight of each such choice.

They are drawn as shap's KernelExplainer draws them: small and large ones first, in pairs, the rest at random by the
kernel's weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from model_checks.arrays import Floats

Masks = npt.NDArray[np.bool_]

_ALL_COUNTABLE = 30  # features; with more, the number of coalitions does not matter
_TRIPLES = 120  # that draws are compared by


def default_samples(features: int) -> int:
    """shap's default, and never more than there are coalitions."""
    return min(2 * features + 2048, max(2**features - 2, 1)) if features < _ALL_COUNTABLE else 2 * features + 2048


def coalitions(features: int, samples: int, random: np.random.RandomState) -> tuple[Masks, Floats]:
    """Masks (a row per coalition, True where the row's own value is used) and their weights.

    Draws from `random` in the order of shap's KernelExplainer, so that equal seeds give equal coalitions.
    """
    if features < 2:
        return np.zeros((0, features), dtype=bool), np.empty(0)
    samples = min(samples, 2**features - 2) if features < _ALL_COUNTABLE else samples
    sizes, paired = math.ceil((features - 1) / 2), math.floor((features - 1) / 2)
    weights = np.array([(features - 1.0) / (size * (features - size)) for size in range(1, sizes + 1)])
    weights[:paired] *= 2
    weights /= weights.sum()
    masks, kernel, full = _enumerate(features, samples, sizes, paired, weights)
    fixed = len(masks)
    if full < sizes and samples > fixed:
        _draw(masks, kernel, _Draw(features, samples - fixed, full, paired, weights), random)
        drawn = np.array(kernel[fixed:])
        kernel[fixed:] = list(drawn * weights[full:].sum() / drawn.sum())
    return np.array(masks, dtype=bool), np.array(kernel)


def best_coalitions(features: int, samples: int, random: np.random.RandomState, draws: int) -> tuple[Masks, Floats]:
    """The best of several draws: the one whose solution errs least where three features matter together only.

    (What one feature adds, and two together, every draw with complements gets right.)
    """
    first = coalitions(features, samples, random)
    if draws == 1 or features < 4 or (features < _ALL_COUNTABLE and len(first[0]) >= 2**features - 2):
        return first
    candidates = [first, *(coalitions(features, samples, random) for _ in range(draws - 1))]
    return min(candidates, key=lambda draw: _error(draw[0], draw[1], _triples(features)))


def _triples(features: int) -> npt.NDArray[np.int64]:
    """All sets of three features, or as many as tell draws apart, always the same ones."""
    if math.comb(features, 3) <= _TRIPLES:
        return np.array(list(combinations(range(features), 3)))
    return np.random.default_rng(0).random((_TRIPLES, features)).argsort(axis=1)[:, :3]


def _error(masks: Masks, kernel: Floats, triples: npt.NDArray[np.int64]) -> float:
    """The squared error of the values of games that pay 1 when three features are together: a third for each."""
    last = masks[:, -1:].astype(np.float64)
    design = masks[:, :-1] - last
    paid = masks[:, triples[:, 0]] & masks[:, triples[:, 1]] & masks[:, triples[:, 2]]
    weighted = design.T * kernel
    solved = np.linalg.lstsq(weighted @ design, product(weighted, paid - last), rcond=None)[0]
    values = np.concatenate([solved, 1 - solved.sum(axis=0, keepdims=True)])
    values[triples.T, np.arange(len(triples))] -= 1 / 3
    return float((values**2).sum())


def product(left: Floats, right: Floats) -> Floats:
    """A matrix product without BLAS, whose threads would continue spinning beside the model's."""
    return np.asarray(np.einsum("ij,jk->ik", left, right))


def _enumerate(
    features: int, samples: int, sizes: int, paired: int, weights: Floats
) -> tuple[list[Masks], list[float], int]:
    """The sizes that can be had in full, smallest first, each with the complements of its coalitions."""
    masks: list[Masks] = []
    kernel: list[float] = []
    remaining, left, full = weights.copy(), samples, 0
    for size in range(1, sizes + 1):
        count = math.comb(features, size) * (2 if size <= paired else 1)
        if left * remaining[size - 1] / count < 1.0 - 1e-8:
            break
        full += 1
        left -= count
        if remaining[size - 1] < 1.0:
            remaining /= 1 - remaining[size - 1]
        weight = float(weights[size - 1]) / count
        for members in combinations(range(features), size):
            mask = np.zeros(features, dtype=bool)
            mask[list(members)] = True
            masks.append(mask)
            kernel.append(weight)
            if size <= paired:
                masks.append(~mask)
                kernel.append(weight)
    return masks, kernel, full


@dataclass(frozen=True)
class _Draw:
    features: int
    left: int
    full: int
    paired: int
    weights: Floats


def _draw(masks: list[Masks], kernel: list[float], draw: _Draw, random: np.random.RandomState) -> None:
    """Random coalitions of the remaining sizes, with their complements; one drawn again gains weight."""
    chances = draw.weights.copy()
    chances[: draw.paired] /= 2
    chances = chances[draw.full :]
    chances /= chances.sum()
    left, position = draw.left, 0
    used: dict[bytes, int] = {}
    picked = random.choice(len(chances), 4 * left, p=chances)
    while left > 0 and position < len(picked):
        size = int(picked[position]) + draw.full + 1
        position += 1
        mask = np.zeros(draw.features, dtype=bool)
        mask[random.permutation(draw.features)[:size]] = True
        members = mask.tobytes()
        first = used.get(members)
        if first is None:
            used[members] = len(masks)
            masks.append(mask)
            kernel.append(1.0)
            left -= 1
        else:
            kernel[first] += 1.0
        if left > 0 and size <= draw.paired:
            if first is None:
                masks.append(~mask)
                kernel.append(1.0)
                left -= 1
            else:
                kernel[first + 1] += 1.0  # the complement was added right after it
