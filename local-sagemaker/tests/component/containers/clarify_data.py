"""A small dataset and configurations of Clarify, for the tests of its analyses and its report."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

RANDOM = np.random.default_rng(41)
FRAME = pd.DataFrame(
    {
        "y": RANDOM.integers(0, 2, 60),
        "a": RANDOM.normal(size=60).round(3),
        "b": RANDOM.integers(0, 50, 60),
        "f": RANDOM.integers(0, 2, 60),
    }
)
BIAS: dict[str, Any] = {"label_values_or_threshold": [1], "facet": [{"name_or_index": "f", "value_or_threshold": [0]}]}
BEFORE: dict[str, Any] = {"pre_training_bias": {"methods": "all"}}
REPORT = {"report": {"name": "report", "title": "Fair <enough>?"}}
