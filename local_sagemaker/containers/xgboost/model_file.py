"""The model file: written as each image tag writes it, read whatever wrote it (specs: containers 3.1, 3.6)."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import xgboost as xgb

from local_sagemaker.containers.failure import AlgorithmError
from local_sagemaker.containers.xgboost.behaviour import Behaviour

NAME = "xgboost-model"


def save(booster: xgb.Booster, file: Path, tag: str) -> None:
    """Writes a model atomically: a pickled Booster, the old binary format, or UBJSON, by the tag of the image."""
    behaviour = Behaviour.of(tag)
    if behaviour.pickled_model:
        data = pickle.dumps(booster)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the old format is deprecated, but it is the contract
            data = bytes(booster.save_raw(raw_format="deprecated" if behaviour.binary_model else "ubj"))
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


def load(file: Path) -> tuple[xgb.Booster, bool]:
    """The booster in a file, and whether it was a pickled one. Any format that XGBoost ever wrote will do."""
    data = bytearray(file.stat().st_size)
    with file.open("rb") as opened:
        opened.readinto(data)  # into what XGBoost takes: a large model is in memory once less
    if data[:1] == b"\x80":
        try:
            loaded = pickle.loads(data)
        except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError) as error:
            raise AlgorithmError(f"Model {file} cannot be loaded:\n{error}") from error
        return (loaded.get_booster() if isinstance(loaded, xgb.XGBModel) else loaded), True
    booster = xgb.Booster()
    try:
        booster.load_model(data)
    except xgb.core.XGBoostError as error:
        text = str(error).split("\nStack trace", 1)[0]
        raise AlgorithmError(f"Model {file} cannot be loaded:\n{text}") from error
    return booster, False
