"""Labels, predictions and scores of a model-quality job: only the columns that are requested are read.

They are kept as arrays or, of many rows, counted in folds (`analysis.quality_folds`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model_checks.analysis import spark_json
from model_checks.analysis.model_quality import Labels
from model_checks.analysis.profile import Table
from model_checks.analysis.quality_folds import ErrorFolds, LabelFolds
from model_checks.analysis.type_inference import to_known_type
from model_checks.arrays import Codes, Floats
from model_checks.datasets.dataset import Dataset
from model_checks.datasets.records import GROUND_TRUTH
from model_checks.errors import AnalysisError

HELD = 1 << 19  # rows whose values are kept; of more, only what counts of them is

_INTEGRAL_TEXT = re.compile(r"(-?\d+)\.0+\Z")
_STEPS = re.compile(r"[^$.\[\]'\"]+")
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
_FRACTION = re.compile(r"[-+]?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)")


@dataclass(frozen=True)
class PredictionAttributes:
    """Where label, predicted label and score are: a column's name, its position, or a JSONPath."""

    label: str
    prediction: str | None
    probability: str | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], merged: bool) -> PredictionAttributes:
        label = environment.get("ground_truth_attribute") or (GROUND_TRUTH if merged else "")
        prediction, probability = environment.get("inference_attribute"), environment.get("probability_attribute")
        if not label:
            raise AnalysisError("Error: ground_truth_attribute is not set: the label's column is not known.")
        if not prediction and not probability:
            raise AnalysisError("Error: Neither inference_attribute nor probability_attribute is set.")
        return cls(label, prediction or None, probability or None)

    def by_name(self, columns: Sequence[str]) -> PredictionAttributes:
        """The same by the names of columns that are known; an error names what does not exist."""
        if not columns:
            return self
        table = {name: name for name in columns}
        attributes = (self.label, self.prediction, self.probability)
        label, *others = (find(attribute, table) if attribute else None for attribute in attributes)
        return PredictionAttributes(str(label), *others)


def find(attribute: str, table: Mapping[str, Any]) -> Any:
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


def numbers(dataset: Dataset, label: str, prediction: str) -> tuple[Floats, Floats] | ErrorFolds:
    """Labels and predictions as doubles, or what counts of them when there are more than `HELD`.

    Rows where one is missing are left out. An error names the bad value.
    """

    def work(table: Table, _: int, before: int) -> tuple[Floats, Floats]:
        columns = [_doubles(find(name, table), name, before) for name in (label, prediction)]
        known = ~np.any([np.isnan(values) for values in columns], axis=0)
        return columns[0][known], columns[1][known]

    held: list[tuple[Floats, Floats]] = []
    folded: ErrorFolds | None = None
    rows = 0
    for block in dataset.blocks(work):
        held.append(block)
        rows += len(block[0])
        folded = folded or (ErrorFolds() if rows > HELD else None)
        while folded and held:
            folded.add(*held.pop(0))
    if not rows:
        raise AnalysisError(f"Error: No row has all of {label}, {prediction}.")
    return folded or (np.concatenate([one[0] for one in held]), np.concatenate([one[1] for one in held]))


def _doubles(array: pa.Array, name: str, before: int) -> Floats:
    array = to_known_type(array)
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
        self._actual: set[str] = set()

    def encode(self, encoded: pa.DictionaryArray, *, actual: bool = False) -> Codes:
        """The codes of a block; `actual` ones are labels, the others predictions."""
        if actual:
            self._actual.update(encoded.dictionary.to_pylist())
        codes = [self.texts.setdefault(text, len(self.texts)) for text in encoded.dictionary.to_pylist()]
        return np.array([*codes, 0], dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]

    def classes(self, doubles: bool) -> tuple[list[str], Codes]:
        """The names of the classes, those of the labels first, each sorted (recorded confusion matrices of two
        classes); and the class of each code.

        Where all labels are numbers and one of them is a fraction, they are doubles if wanted (``3`` and ``3.0`` are
        ``3.0``, as in AWS's confusion matrix); else whole numbers are written without ``.0``.
        """
        if doubles and not (any(map(_FRACTION.fullmatch, self.texts)) and all(map(_NUMBER.fullmatch, self.texts))):
            doubles = False
        named = [spark_json.double(float(text)) if doubles else _INTEGRAL_TEXT.sub(r"\1", text) for text in self.texts]
        labels = {name for name, text in zip(named, self.texts, strict=True) if text in self._actual}
        ordered = sorted(set(named), key=lambda name: (name not in labels, _sort_key(name)))
        names = {name: code for code, name in enumerate(ordered)}
        return list(names), np.array([names[name] for name in named], dtype=np.int64)


def _sort_key(name: str) -> tuple[float, str]:
    return (float(name), name) if _NUMBER.fullmatch(name) else (float("inf"), name)


LabelBlock = tuple[pa.DictionaryArray, pa.DictionaryArray, Floats | None]


def labels(
    dataset: Dataset, attributes: PredictionAttributes, threshold: float, doubles: bool = False
) -> tuple[Labels | LabelFolds, Floats | None]:
    """Actual and predicted classes and, when there is a score, the positive class's probability.

    Of more than `HELD` rows, it is what counts of them, scores included. Without predicted labels, a probability above
    `threshold` is the class ``1``. For `doubles` see `LabelCodes`.
    """
    attributes = attributes.by_name(dataset.column_names())
    codes, rows = LabelCodes(), 0
    held: list[tuple[Codes, pa.DictionaryArray, Floats | None]] = []
    folded: LabelFolds | None = None
    for actual, predicted, score in _label_blocks(dataset, attributes, threshold):
        held.append((codes.encode(actual, actual=True), predicted, score))
        rows += len(actual)
        folded = folded or (LabelFolds() if rows > HELD else None)
        while folded and held:
            known, guessed, scores = held.pop(0)
            guesses = codes.encode(guessed)
            folded.add(list(codes.texts), known, guesses, scores)
    if not rows:
        raise AnalysisError(f"Error: No row has both {attributes.label} and a prediction.")
    guesses_of = [codes.encode(predicted) for _, predicted, _ in held]
    names, classes = codes.classes(doubles)
    if not attributes.prediction and not {"0", "1"}.issuperset(names):
        raise AnalysisError(
            f"Error: The labels in {attributes.label} are {_some(names)}. Predicted labels that are made of a "
            "probability are 1 and 0: the labels have to be those, or inference_attribute has to be set."
        )
    if folded:
        return folded.rename(names, classes), None
    result = Labels(names, classes[np.concatenate([one[0] for one in held])], classes[np.concatenate(guesses_of)])
    known_scores = [score for _, _, score in held if score is not None]
    return result, np.concatenate(known_scores) if known_scores else None


def _label_blocks(dataset: Dataset, attributes: PredictionAttributes, threshold: float) -> Iterator[LabelBlock]:
    """Labels, predicted labels and scores of the rows that have a label and a prediction."""

    def work(table: Table, _: int, before: int) -> LabelBlock:
        score = attributes.probability and _doubles(find(attributes.probability, table), attributes.probability, before)
        actual = _texts(find(attributes.label, table))
        if attributes.prediction:
            predicted = _texts(find(attributes.prediction, table))
        else:
            predicted = pa.array(np.where(np.asarray(score) > threshold, "1", "0"), pa.string())
        known = pc.and_(actual.is_valid(), predicted.is_valid())
        kept = known.to_numpy(zero_copy_only=False)
        scores = None if score is None else np.asarray(score)[kept]
        return actual.filter(known).dictionary_encode(), predicted.filter(known).dictionary_encode(), scores

    text = [name for name in (attributes.label, attributes.prediction, attributes.probability) if name is not None]
    yield from dataset.blocks(work, text=text)


def _some(names: list[str]) -> str:
    shown = [name for name in names if name not in ("0", "1")][:3]
    return ", ".join([*shown, "..."] if len(names) > len(shown) + 2 else shown)


def _texts(array: pa.Array) -> pa.StringArray:
    array = to_known_type(array)
    if pa.types.is_string(array.type):
        return array
    texts = pc.cast(array, pa.string())
    if not pa.types.is_floating(array.type):
        return texts
    return pc.if_else(pc.match_substring_regex(texts, r"^-?\d+$"), pc.binary_join_element_wise(texts, ".0", ""), texts)
