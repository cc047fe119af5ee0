"""The model file: written as each image tag writes it, read whatever wrote it (contracts: containers 3.1, 3.6)."""

from __future__ import annotations

import io
import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xgboost as xgb

from local_sagemaker.containers.failure import AlgorithmError
from local_sagemaker.containers.xgboost import compat
from local_sagemaker.containers.xgboost.image_tags import Behaviour

NAME = "xgboost-model"


def save(booster: xgb.Booster, file: Path, tag: str) -> None:
    """Writes a model atomically: a pickled Booster, the old binary format, or UBJSON, by the tag of the image."""
    behaviour = Behaviour.of(tag)
    if behaviour.pickled_model:
        data = pickle.dumps(booster)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the old format is deprecated, but it is the contract
            data = compat.raw(booster, "deprecated" if behaviour.binary_model else "ubj")
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


@dataclass(frozen=True)
class Loaded:
    """A booster from a file. `trees` is the number of rounds to predict with, 0 for all, which only a pickle holds."""

    booster: xgb.Booster
    pickled: bool
    trees: int = 0


def load(file: Path) -> Loaded:
    """The model in a file: a pickle if it is one, else what XGBoost itself reads, as in the container.

    AlgorithmError for what is neither, AttributeError for a pickle of something else than a Booster.
    """
    data = bytearray(file.stat().st_size)
    with file.open("rb") as opened:
        opened.readinto(data)  # into what XGBoost takes: a large model is in memory once less
    try:
        loaded = _unpickle(data)
    except Exception as no_pickle:
        booster = xgb.Booster()
        try:
            booster.load_model(data if compat.READS_BYTES else str(file))
        except xgb.core.XGBoostError as error:
            text = str(error).split("\nStack trace", 1)[0]
            raise AlgorithmError(
                f"Model {file} cannot be loaded:\nPickle load error={no_pickle}\nXGB load model error={text}"
            ) from error
        loaded = Loaded(booster, pickled=False)
    loaded.booster.set_param({"nthread": 1})
    return loaded


def _unpickle(data: bytearray) -> Loaded:
    """A pickled booster; of one that this library cannot read, the raw model that it holds (XGBoost before 1.0)."""
    try:
        model = pickle.loads(data)
        state = vars(model) if isinstance(model, xgb.Booster) else {}
    except xgb.core.XGBoostError:
        state = _Old(io.BytesIO(data)).load().state
        model = xgb.Booster()
        model.load_model(bytearray(state["handle"]))
        model.feature_names = state.get("feature_names")
    return Loaded(model, pickled=True, trees=int(state.get("best_ntree_limit") or 0))


class _State:
    """Stands in for a Booster whose state is to be seen, not loaded."""

    state: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state


class _Old(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The class of an object in the pickle."""
        return _State if (module, name) == ("xgboost.core", "Booster") else super().find_class(module, name)
