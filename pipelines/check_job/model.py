"""The trained model, for the checks that need predictions: read from its archive, as evaluate.py reads it.

It runs in the image of its own framework. A dataset with the predictions in a column (``predicted_label`` in the
configuration) needs no model.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.clarify.analysis import Column
from model_checks.errors import AnalysisError

Rows = npt.NDArray[Any]
FILE = "xgboost-model"


class BoosterModel:
    """A booster of XGBoost: one score per row, or one per class."""

    def __init__(self, folder: Path, headers: Sequence[Any] | None = None) -> None:
        self._booster = load(folder)
        self._headers = headers

    def scores(self, rows: Rows) -> npt.NDArray[np.float64]:
        """One column of scores per label."""
        import xgboost

        matrix = xgboost.DMatrix(np.asarray(rows, dtype=np.float32))
        return np.asarray(self._booster.predict(matrix), dtype=np.float64).reshape(len(rows), -1)

    def labels(self, rows: Rows) -> pd.Series:
        """The one score of each row, or the label of the highest."""
        scores = self.scores(rows)
        if scores.shape[1] == 1:
            return pd.Series(scores[:, 0])
        headers = list(self._headers or range(scores.shape[1]))
        return pd.Series([headers[position] for position in scores.argmax(axis=1)])


def connect(folder: Path, headers: Sequence[Any] | None, columns: Sequence[Column]) -> BoosterModel:
    """The model for features of these columns."""
    del columns
    return BoosterModel(folder, headers)


def load(folder: Path) -> Any:
    """The booster in the archive of the folder. Only that member is read, into memory: it cannot write anywhere."""
    try:
        import xgboost
    except ImportError:
        raise AnalysisError(
            "ClientError: This check needs predictions of the model, and this image has no XGBoost: run it in the "
            "model's own image, or give it a dataset with predictions and predicted_label in the configuration."
        ) from None
    archive = folder / "model.tar.gz"
    try:
        with tarfile.open(archive) as tar:
            members = [item for item in tar.getmembers() if item.isfile() and Path(item.name).name == FILE]
            if not members:
                raise AnalysisError(f"ClientError: {archive.name} holds no file {FILE}.")
            content = tar.extractfile(members[0]).read()  # type: ignore[union-attr]
    except (OSError, tarfile.TarError) as error:
        raise AnalysisError(f"ClientError: The model {archive.name} cannot be read: {error}") from error
    booster = xgboost.Booster()
    try:
        booster.load_model(bytearray(content))
    except xgboost.core.XGBoostError as error:
        raise AnalysisError(f"ClientError: {FILE} in {archive.name} is not an XGBoost model: {error}") from error
    return booster
