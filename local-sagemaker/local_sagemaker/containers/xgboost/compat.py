"""What XGBoost's versions have under other names or not at all, from 0.90 on, the library of the oldest image.

Before 1.3 callbacks were functions and early stopping was a parameter of ``xgboost.train``: `train_before_callbacks`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb

VERSION = tuple(int(part) for part in xgb.__version__.split(".")[:2])
HAS_CALLBACKS = VERSION >= (1, 3)
HAS_COLLECTIVE = VERSION >= (1, 7)
"""Whether ``xgboost.collective`` took the place of ``xgboost.rabit``."""
HAS_TRACKER = VERSION >= (1, 0)
"""Whether the tracker is in the library; the image of 0.90 has it from elsewhere."""
PREDICTS_IN_PLACE = VERSION >= (1, 7)
"""Whether the C interface is the one that `inplace_predict` calls."""
READS_BYTES = VERSION >= (1, 2)
"""Whether models are read from memory, too."""
READS_ROWS = VERSION >= (1, 7)
"""Whether a DMatrix gives its rows back."""
MARGINS = VERSION >= (1, 2)
"""Whether metrics of one's own get margins; before, they get predictions."""

if TYPE_CHECKING or HAS_CALLBACKS:
    from xgboost.callback import CallbackContainer as CallbackContainer
    from xgboost.callback import TrainingCallback as TrainingCallback
else:

    class TrainingCallback:
        """What later versions call after each round."""


def container(callbacks: Sequence[TrainingCallback], metric: Any) -> CallbackContainer:
    """The callbacks in their order, with scores by the library's metrics and `metric`, which gets margins."""
    more = {"output_margin": True} if VERSION >= (1, 6) else {}  # the older ones know no other way
    made = CallbackContainer(list(callbacks), metric=metric, **more)
    made.callbacks = list(callbacks)  # type: ignore[assignment]  # a set would have no order
    return made


def train_before_callbacks(
    settings: Sequence[tuple[str, Any]], train: xgb.DMatrix, watchlist: Sequence[tuple[xgb.DMatrix, str]],
    callbacks: Sequence[TrainingCallback], metric: Any, *, num_round: int, patience: int | None, start: str | None,
) -> xgb.Booster:  # fmt: skip
    """``xgboost.train`` of the versions before 1.3, with callbacks of the later form. `start` is a model's file."""
    history: dict[str, dict[str, Any]] = {}

    def after(environment: Any) -> None:
        for name, value in environment.evaluation_result_list:
            data, _, score = name.partition("-")
            history.setdefault(data, {}).setdefault(score, []).append(value)
        for callback in callbacks:
            callback.after_iteration(environment.model, environment.iteration, history)

    own = [value for name, value in settings if name == "eval_metric"]
    parameters = {**dict(settings), **({"eval_metric": own} if own else {})}
    return xgb.train(
        parameters, train, num_boost_round=num_round, evals=list(watchlist), feval=metric, verbose_eval=False,
        early_stopping_rounds=patience, callbacks=[after], xgb_model=start,
    )  # fmt: skip


def raw(booster: xgb.Booster, raw_format: str = "deprecated") -> bytes:
    """The bytes of a model; before 1.6 there was one format only, which later versions call deprecated."""
    return bytes(booster.save_raw(raw_format=raw_format) if VERSION >= (1, 6) else booster.save_raw())


def columns(table: Any) -> Any:
    """Some columns of a table as the library takes them without a warning of an extra copy."""
    return table if VERSION >= (1, 5) else np.ascontiguousarray(table)


@dataclass(frozen=True)
class BoosterProperties:
    """What a model says of itself."""

    objective: str
    classes: int
    width: int
    kind: str  # gbtree, gblinear or dart
    trees_per_round: int = 1


def read_properties(booster: xgb.Booster) -> BoosterProperties:
    """By its configuration, or by the head of its bytes where the library has no other way."""
    if VERSION < (1, 0):
        return _read_head(raw(booster))
    learner = json.loads(booster.save_config())["learner"]
    shape, boosted = learner["learner_model_param"], learner["gradient_booster"]
    return BoosterProperties(
        learner["learner_train_param"]["objective"], int(shape["num_class"]), int(shape["num_feature"]),
        boosted["name"], int(boosted.get("gbtree_model_param", {}).get("num_parallel_tree", 1)),
    )  # fmt: skip


_HEAD = struct.Struct("<fIi")
"""Base score, number of features, number of classes; further fields follow up to `_SIZE_OF_HEAD`."""
_SIZE_OF_HEAD = 136


def _read_head(data: bytes) -> BoosterProperties:
    data = data[4:] if data[:4] == b"binf" else data
    _, width, classes = _HEAD.unpack_from(data)
    texts, place = [], _SIZE_OF_HEAD
    for _ in range(2):
        (size,) = struct.unpack_from("<Q", data, place)
        texts.append(data[place + 8 : place + 8 + size].decode())
        place += 8 + size
    return BoosterProperties(texts[0], classes, width, texts[1])


def predict(booster: xgb.Booster, matrix: xgb.DMatrix, trees: int) -> Any:
    """Predictions of the first trees (0: of all); later versions cut the model instead."""
    if trees and not HAS_CALLBACKS:
        return booster.predict(matrix, ntree_limit=trees, validate_features=False)
    return booster.predict(matrix, validate_features=False)


def first_rounds(booster: xgb.Booster, trees: int) -> xgb.Booster:
    """A model without the rounds after those trees."""
    rounds = max(1, trees // max(1, read_properties(booster).trees_per_round))
    made = booster.num_boosted_rounds() if VERSION >= (1, 4) else len(booster.get_dump())
    return booster[:rounds] if rounds < made else booster


Join = Callable[[], xgb.DMatrix]
"""Reads the train and validation data as one matrix."""
