"""The baseline of an explanation when none is given: the rows that stand for "nothing known"."""

from __future__ import annotations

import numpy as np
import pandas as pd


def made_baseline(features: pd.DataFrame, clusters: int | None, seed: int | None) -> pd.DataFrame:
    """The mean (text: most frequent value) of the features, or of each of `clusters` k-means clusters of them.

    Text takes part in the clustering by its categories. Columns keep their kinds: a mean is a double.
    """
    if not clusters or clusters < 2 or len(features) <= clusters:
        return _centres(features, np.zeros(len(features), dtype=int))
    from sklearn.cluster import KMeans  # heavy, and needed here only

    shown = pd.get_dummies(features, dtype=float).fillna(0.0)
    spread = shown.std(ddof=0).replace(0.0, 1.0)
    sample = shown / spread
    found = KMeans(clusters, n_init=4, random_state=seed if seed is not None else 0).fit(sample.to_numpy())
    return _centres(features, found.labels_)


def _centres(features: pd.DataFrame, groups: np.ndarray) -> pd.DataFrame:
    columns = {}
    for name in features.columns:
        values = features[name].groupby(groups)
        numeric = pd.api.types.is_numeric_dtype(features[name].dtype)
        columns[name] = values.mean() if numeric else values.agg(lambda part: part.mode().iloc[0])
    return pd.DataFrame(columns).reset_index(drop=True)
