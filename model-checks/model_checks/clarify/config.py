"""The members of analysis_config.json that an analysis reads, and what it needs of its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

Config = Mapping[str, Any]
Rows = npt.NDArray[Any]  # features as the model sees them: doubles, or objects where some are text
Fetch = Callable[[str, str], Path]
"""Brings an object, or all below a prefix, into a folder: called with the S3 URI and the folder's name."""


class Model(Protocol):
    """What predictions come from."""

    def scores(self, rows: Rows) -> npt.NDArray[np.float64]:
        """One column of scores per label."""

    def labels(self, rows: Rows) -> pd.Series:
        """The predicted labels."""
