"""Labels, predictions and scores of a model-quality job: only the columns that are asked for are kept, as arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from local_sagemaker.images.analyzers.contract import AnalysisError
from local_sagemaker.images.analyzers.datasets import Dataset
from local_sagemaker.images.analyzers.records import GROUND_TRUTH
from local_sagemaker.monitors import jackson
from local_sagemaker.monitors.inference import typed
from local_sagemaker.monitors.model_quality import Labels
from local_sagemaker.monitors.profile import Table

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_INTEGRAL_TEXT = re.compile(r"(-?\d+)\.0+\Z")
_STEPS = re.compile(r"[^$.\[\]'\"]+")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_FRACTION = re.compile(r"[-+]?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)")


@dataclass(frozen=True)
class Attributes:
    """Where label, predicted label and score are: a column's name, its position, or a JSONPath."""

    label: str
    prediction: str | None
    probability: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], merged: bool) -> Attributes:
        label = environment.get("ground_truth_attribute") or (GROUND_TRUTH if merged else "")
        prediction, probability = environment.get("inference_attribute"), environment.get("probability_attribute")
        if not label:
            raise AnalysisError("Error: ground_truth_attribute is not set: the label's column is not known.")
        if not prediction and not probability:
            raise AnalysisError("Error: Neither inference_attribute nor probability_attribute is set.")
        return cls(label, prediction or None, probability or None)


def find(attribute: str, table: Table) -> pa.Array:
    """The column that an attribute names; the error names the attribute and what there is.

    Records are flat by now, so the last name of a JSONPath is the column's, and its last index the position.
    """
    steps = _STEPS.findall(attribute)
    names = [step for step in steps if not step.isdigit()]
    for name in (attribute, *names[-1:]):
        if name in table:
            return table[name]
    if steps and steps[-1].isdigit() and int(steps[-1]) < len(table):
        return table[list(table)[int(steps[-1])]]
    raise AnalysisError(f"Error: The dataset has no column {attribute}. Its columns: {', '.join(table)}.")


def numbers(dataset: Dataset, names: list[str]) -> list[Floats]:
    """The named columns as doubles; rows where one is missing are left out. An error names the bad value."""

    def work(table: Table, _: int, before: int) -> list[Floats]:
        found = [_doubles(find(name, table), name, before) for name in names]
        known = ~np.any([np.isnan(values) for values in found], axis=0)
        return [values[known] for values in found]

    parts = list(dataset.blocks(work))
    if not sum(len(part[0]) for part in parts):
        raise AnalysisError(f"Error: No row has all of {', '.join(names)}.")
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _doubles(array: pa.Array, name: str, before: int) -> Floats:
    array = typed(array)
    try:
        return np.asarray(pc.cast(array, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:
        for position, text in enumerate(array.to_pylist()):
            try:
                float(text) if text is not None else 0.0
            except ValueError:
                raise AnalysisError(
                    f"Error: Column {name} is not numeric: row {before + position + 1} has '{text}'."
                ) from None
        raise


class LabelCodes:
    """Texts in order of appearance, and the codes of blocks of them."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def encode(self, texts: pa.StringArray) -> Codes:
        encoded = texts.dictionary_encode()
        found = [self.texts.setdefault(text, len(self.texts)) for text in encoded.dictionary.to_pylist()]
        return np.array([*found, 0], dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]

    def classes(self, doubles: bool) -> tuple[list[str], Codes]:
        """The names of the classes, and the class of each code.

        Where all labels are numbers and one of them is a fraction, they are doubles if wanted (``3`` and ``3.0`` are
        ``3.0``, as in AWS's confusion matrix); else whole numbers are written without ``.0``.
        """
        if doubles and not (any(map(_FRACTION.fullmatch, self.texts)) and all(map(_NUMBER.fullmatch, self.texts))):
            doubles = False
        named = [jackson.double(float(text)) if doubles else _INTEGRAL_TEXT.sub(r"\1", text) for text in self.texts]
        names = {name: code for code, name in enumerate(dict.fromkeys(named))}
        return list(names), np.array([names[name] for name in named], dtype=np.int64)


def labels(
    dataset: Dataset, attributes: Attributes, threshold: float, doubles: bool = False
) -> tuple[Labels, Floats | None]:
    """Actual and predicted classes and, when there is a score, the positive class's probability.

    Without predicted labels, a probability above `threshold` is the class ``1``. For `doubles` see `LabelCodes`.
    """

    def work(table: Table, _: int, before: int) -> tuple[pa.Array, pa.Array, Floats | None]:
        score = attributes.probability and _doubles(find(attributes.probability, table), attributes.probability, before)
        actual = _texts(find(attributes.label, table))
        if attributes.prediction:
            predicted = _texts(find(attributes.prediction, table))
        else:
            predicted = pa.array(np.where(np.asarray(score) > threshold, "1", "0"), pa.string())
        known = pc.and_(actual.is_valid(), predicted.is_valid())
        kept = known.to_numpy(zero_copy_only=False)
        return actual.filter(known), predicted.filter(known), None if score is None else np.asarray(score)[kept]

    codes = LabelCodes()
    actual, predicted, scores = [], [], []
    for block_actual, block_predicted, score in dataset.blocks(work, text=dataset.column_names()):
        actual.append(codes.encode(block_actual))
        predicted.append(block_predicted)
        scores.append(score)
    if not sum(map(len, actual)):
        raise AnalysisError(f"Error: No row has both {attributes.label} and a prediction.")
    guesses = [codes.encode(block) for block in predicted]
    names, classes = codes.classes(doubles)
    if not attributes.prediction and not {"0", "1"}.issuperset(names):
        raise AnalysisError(
            f"Error: The labels in {attributes.label} are {_some(names)}. Predicted labels that are made of a "
            "probability are 1 and 0: the labels have to be those, or inference_attribute has to be set."
        )
    found = Labels(names, classes[np.concatenate(actual)], classes[np.concatenate(guesses)])
    known_scores = [score for score in scores if score is not None]
    return found, np.concatenate(known_scores) if known_scores else None


def _some(names: list[str]) -> str:
    shown = [name for name in names if name not in ("0", "1")][:3]
    return ", ".join([*shown, "..."] if len(names) > len(shown) + 2 else shown)


def _texts(array: pa.Array) -> pa.StringArray:
    array = typed(array)
    if pa.types.is_string(array.type):
        return array
    texts = pc.cast(array, pa.string())
    if not pa.types.is_floating(array.type):
        return texts
    return pc.if_else(pc.match_substring_regex(texts, r"^-?\d+$"), pc.binary_join_element_wise(texts, ".0", ""), texts)
