"""The next point by Bayesian optimisation: a Gaussian process of the objective, and its expected improvement.

Runs in a process of its own (see `suggestions`), the only place where the libraries are loaded. Points whose training
jobs still run count with the value that the model expects of them, so that jobs in parallel try different things.
"""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from local_sagemaker.containers.paths import ml
from local_sagemaker.tuning.ranges import Categorical, Numeric, Space, features
from local_sagemaker.tuning.sampling import Observation, SearchState, key

Array = NDArray[np.float64]
_ANYWHERE, _NEARBY, _STEP = 1500, 500, 0.1


def main(_: list[str]) -> None:
    """Reads /opt/ml/state.json and writes /opt/ml/point.json, a null where nothing is left to try."""
    document = json.loads((ml() / "state.json").read_text("utf-8"))
    (ml() / "point.json").write_text(json.dumps(best(read(document))), "utf-8")


def read(document: dict[str, Any]) -> SearchState:
    """A state from its JSON form, which `dataclasses.asdict` makes."""
    space = tuple(
        Categorical(one["name"], tuple(one["values"])) if "values" in one else Numeric(**one)
        for one in document["space"]
    )
    return SearchState(
        **{**document, "space": space, "observations": [Observation(**one) for one in document["observations"]]}
    )


def best(state: SearchState) -> dict[str, str] | None:
    """The point of the most expected improvement among many; None when all of them were tried."""
    source = np.random.default_rng([state.seed, state.number])
    usable = [(one, features(state.space, one.values)) for one in state.observations]
    known = [(row, one.objective) for one, row in usable if row and one.objective is not None]
    pending = [row for one, row in usable if row and one.running]
    x = np.array([row for row, _ in known])
    y = np.array([value for _, value in known]) * (1 if state.minimise else -1)
    model = _fit(x, y, int(source.integers(2**31)))
    if pending:
        x = np.vstack([x, pending])
        y = np.concatenate([y, model.predict(np.array(pending))])
        model.set_params(kernel=model.kernel_, optimizer=None).fit(x, y)
    taken = {key(one.values) for one in state.observations}
    around = x[int(np.argmin(y[: len(known)]))]
    candidates = [point for point in _candidates(state.space, around.tolist(), source) if key(point) not in taken]
    if not candidates:
        return None
    rows = np.array([features(state.space, point) for point in candidates])
    return candidates[int(np.argmax(_improvement(model, rows, float(y.min()))))]


def _fit(x: Array, y: Array, seed: int) -> GaussianProcessRegressor:
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern([0.5] * x.shape[1], (5e-2, 1e1), nu=2.5)
    kernel += WhiteKernel(1e-3, (1e-6, 1e-1))
    model = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a length scale at its bound is no trouble
        model.fit(x, y)
    return model


def _improvement(model: GaussianProcessRegressor, rows: Array, lowest: float) -> Array:
    mean, deviation = model.predict(rows, return_std=True)
    deviation = np.maximum(deviation, 1e-12)
    gain = lowest - mean
    score: Array = gain * norm.cdf(gain / deviation) + deviation * norm.pdf(gain / deviation)
    return score


def _candidates(space: Space, around: list[float], source: np.random.Generator) -> list[dict[str, str]]:
    """Points anywhere, and points near the best one so far (given by its features)."""
    anywhere = [{one.name: one.at(source.random()) for one in space} for _ in range(_ANYWHERE)]
    nearby = []
    for _ in range(_NEARBY):
        point, left = {}, list(around)
        for one in space:
            if isinstance(one, Categorical):
                chosen, left = left[: len(one.values)], left[len(one.values) :]
                position = (chosen.index(1.0) + 0.5) / len(one.values)
                position = source.random() if source.random() < _STEP else position
            else:
                position, left = left[0] + source.normal(0, _STEP), left[1:]
            point[one.name] = one.at(min(max(position, 0.0), math.nextafter(1.0, 0.0)))
        nearby.append(point)
    return anywhere + nearby
