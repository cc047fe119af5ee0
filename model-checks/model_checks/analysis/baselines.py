"""The baseline of an explanation, rows that stand for "nothing known": given ones, or made of the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


def baseline_from(rows: Sequence[Sequence[Any]], features: pd.DataFrame) -> pd.DataFrame:
    """The rows as a frame with the features' names and kinds: in a column of numbers, an empty text is a missing one.

    Raises ValueError for rows of another width, and for text that is no number where the feature has numbers.
    """
    if not rows:
        raise ValueError("The SHAP baseline has no rows.")
    names = list(features.columns)
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"A SHAP baseline row has {len(row)} values for {len(names)} features.")
    frame = pd.DataFrame([list(row) for row in rows], columns=names, dtype=object)
    for name in names:
        if pd.api.types.is_numeric_dtype(features[name].dtype):
            frame[name] = _numbers(frame[name])
    return frame.infer_objects()


def _numbers(values: pd.Series) -> pd.Series:
    blank = values.map(lambda value: isinstance(value, str) and not value.strip())
    numbers = pd.to_numeric(values.mask(blank, np.nan), errors="coerce")
    wrong = numbers.isna() & ~blank & values.notna()
    if wrong.any():
        raise ValueError(f"The SHAP baseline has {values[wrong].iloc[0]!r} for the numeric feature {values.name}.")
    return numbers


def make_baseline(features: pd.DataFrame, clusters: int | None, seed: int | None) -> pd.DataFrame:
    """The mean (text: most frequent value) of the features, or of each of `clusters` k-means clusters of them.

    Text takes part in the clustering by its categories. Columns keep their kinds: a mean is a double.
    """
    if not clusters or clusters < 2 or len(features) <= clusters:
        return _centres(features, np.zeros(len(features), dtype=int))
    from sklearn.cluster import KMeans  # heavy, and needed here only

    shown = pd.get_dummies(features, dtype=float).fillna(0.0)
    spread = shown.std(ddof=0).replace(0.0, 1.0)
    sample = shown / spread
    model = KMeans(clusters, n_init=4, random_state=seed if seed is not None else 0).fit(sample.to_numpy())
    return _centres(features, model.labels_)


def _centres(features: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    columns = {}
    for name in features.columns:
        values = features[name].groupby(groups)
        numeric = pd.api.types.is_numeric_dtype(features[name].dtype)
        columns[name] = values.mean() if numeric else values.agg(_most_frequent)
    return pd.DataFrame(columns).reset_index(drop=True)


def _most_frequent(values: pd.Series) -> Any:
    modes = values.mode()
    return modes.iloc[0] if len(modes) else None
