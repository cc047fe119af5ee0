"""Partial dependence: how the mean prediction moves with one feature, the others as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.analysis.explainability import Predict, Rows

_FREE_TEXT = 100  # a text column with more distinct values is not one of categories
_AT_ONCE = 1 << 17


def partial_dependence(
    features: pd.DataFrame, rows: Rows, name: str, resolution: int, predict: Predict, labels: Sequence[str]
) -> dict[str, Any]:
    """The entry of one feature in analysis.json.

    Numbers are put at the centres of `resolution` equal buckets, text at each of its values.
    """
    column = features[name].dropna()
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    if numeric:
        edges = np.linspace(float(column.min()), float(column.max()), resolution + 1)
        values: list[Any] = ((edges[:-1] + edges[1:]) / 2).tolist()
        counts = np.histogram(column.to_numpy(dtype=float), edges)[0]
    else:
        shares = column.astype(str).value_counts()
        if len(shares) > _FREE_TEXT:
            text = f"The feature has {len(shares)} different values: it is not one of categories"
            return {"feature_name": name, "data_type": "free_text", "error": text}
        values, counts = shares.index.tolist(), shares.to_numpy()
    position = features.columns.get_loc(name)
    means = _means(rows, position, values, predict)
    return {
        "feature_name": name,
        "data_type": "numerical" if numeric else "categorical",
        "feature_values": values,
        "data_distribution": (counts / max(1, counts.sum())).tolist(),
        "model_predictions": means.T.tolist(),
        "label_headers": list(labels),
    }


def _means(rows: Rows, position: Any, values: Sequence[Any], predict: Predict) -> npt.NDArray[np.float64]:
    """The mean prediction (value x label) with the feature put at each value, several values per question."""
    step = max(1, _AT_ONCE // len(rows))
    means = []
    for at in range(0, len(values), step):
        some = values[at : at + step]
        mixed = np.repeat(rows[None], len(some), axis=0)
        for place, value in enumerate(some):
            mixed[place, :, position] = value
        scores = predict(mixed.reshape(-1, rows.shape[1]))
        means.append(scores.reshape(len(some), len(rows), -1).mean(axis=1))
    return np.concatenate(means)
