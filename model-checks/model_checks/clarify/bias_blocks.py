"""A Clarify dataset as bias analysis reads it: in blocks, with the model's predictions where the dataset has none.

The model is queried once; its responses are kept in a file, from where the second reading takes them.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model_checks.analysis.bias_counts import BiasStream, CountedBlock, Cut, Facet
from model_checks.clarify.config import Config, Model
from model_checks.clarify.data import ClarifyData
from model_checks.errors import AnalysisError


def matrix(frame: pd.DataFrame) -> npt.NDArray[Any]:
    """Features as the model sees them: doubles, or objects where some are text."""
    if all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes):
        return frame.to_numpy(dtype=np.float64)
    return frame.astype(object).to_numpy()


@dataclass
class BiasBlocks:
    """The dataset's blocks, with an empty file that lives as long as they are read."""

    data: ClarifyData
    config: Config
    predictions: IO[bytes]
    predicted: bool
    model: Callable[[], Model]
    _has_predictions: bool = field(default=False, init=False)

    def stream(self) -> BiasStream:
        """The dataset for bias analysis. Raises AnalysisError where the label is not known."""
        if self.data.label is None:
            raise AnalysisError("ClientError: Bias metrics need label in analysis_config.json.")
        threshold = self.config.get("probability_threshold")
        return BiasStream(
            self._blocks,
            self.data.label,
            list(self.config.get("label_values_or_threshold") or ()),
            [Facet(self.data.column(one["name_or_index"]), one.get("value_or_threshold")) for one in self._facets()],
            Cut(None if threshold is None else float(threshold)),
        )

    def _facets(self) -> list[Config]:
        return list(self.config.get("facet") or ())

    @property
    def _needs_model(self) -> bool:
        return self.predicted and self.data.predicted_label is None

    def _blocks(self, features: bool, text: frozenset[str]) -> Iterator[CountedBlock]:
        data = self.data
        facets = {data.column(facet["name_or_index"]) for facet in self._facets()}
        kept = facets | set(data.features) if features else facets
        needed = kept | {name for name in (data.label, data.predicted_label, data.group) if name is not None}
        if self._needs_model and not self._has_predictions:
            needed |= set(data.features)
        self.predictions.seek(0)
        for frame in data.table.blocks(needed, text):
            yield CountedBlock(
                frame[[name for name in frame.columns if name in kept]],
                frame[data.label],
                self._predictions(frame) if self.predicted else None,
                frame[data.group] if data.group else None,
            )
        self._has_predictions = True

    def _predictions(self, frame: pd.DataFrame) -> pd.Series:
        if not self._needs_model:
            return frame[self.data.predicted_label]
        if self._has_predictions:
            return pd.Series(pickle.load(self.predictions))
        labels = self.model().labels(matrix(frame[self.data.features]))
        pickle.dump(labels.to_numpy(), self.predictions)
        return labels
