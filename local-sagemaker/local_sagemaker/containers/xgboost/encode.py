"""From predictions to a response's body: plain, batch, selectable, as old tags do (contracts: containers 4.3, 4.4)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from local_sagemaker.containers.xgboost import recordio

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray  # NumPy of older images has none

    Predictions: TypeAlias = NDArray[np.float32]

CSV, JSON, JSON_LINES, RECORDIO = (
    "text/csv",
    "application/json",
    "application/jsonlines",
    "application/x-recordio-protobuf",
)
ACCEPTED = [JSON, JSON_LINES, RECORDIO, CSV]
MANY = 32
"""Predictions from which Arrow is faster than Python."""
log = logging.getLogger(__name__)


class UnsupportedAccept(Exception):
    """No encoder for this type: an unhandled error in the container."""


def plain(predictions: Predictions, accept: str) -> bytes:
    """One prediction per line, or ``{"predictions": [{"score": ...}]}``."""
    if accept == CSV:
        return csv_lines(predictions)
    if accept == JSON:
        return json.dumps({"predictions": [{"score": score} for score in predictions.tolist()]}).encode()
    raise UnsupportedAccept(f"Content type {accept} is not supported by this framework.")


def csv_lines(predictions: Predictions) -> bytes:
    """Full digits of each float32 widened to a double; the classes of one row joined by commas."""
    if predictions.ndim > 1:
        rows = [",".join(map(repr, row)) for row in predictions.tolist()]
        return ("\n".join(rows) + "\n").encode()
    return ("\n".join(_texts(predictions)) + "\n").encode()


def _texts(predictions: Predictions) -> list[str]:
    """``repr`` of each number. Arrow writes the same shortest digits faster, but whole and very small or large numbers
    in another form."""
    if len(predictions) >= MANY:
        sizes = np.abs(predictions)
        if ((sizes >= 1e-3) & (sizes < 1e15) & (sizes != np.trunc(sizes))).all():
            texts: list[str] = pa.array(predictions.astype(np.float64)).cast(pa.string()).to_pylist()
            return texts
    return [repr(number) for number in predictions.tolist()]


def batch_lines(predictions: Predictions) -> bytes:
    """Batch transform's form: the text of each prediction, a list where there are several classes."""
    texts = _texts(predictions) if predictions.ndim == 1 else map(str, predictions.tolist())
    return ("\n".join(texts) + "\n").encode()


def comma_joined(predictions: Predictions) -> bytes:
    """The one line of tags before 1.2-2, without a newline."""
    return ",".join(map(str, predictions.tolist())).encode()


PREDICTED_LABEL, LABELS = "predicted_label", "labels"
PROBABILITY, PROBABILITIES = "probability", "probabilities"
RAW_SCORE, RAW_SCORES, PREDICTED_SCORE = "raw_score", "raw_scores", "predicted_score"

_EVERY = (PREDICTED_LABEL, LABELS, PROBABILITY, PROBABILITIES, RAW_SCORE, RAW_SCORES)
_RAW = (PREDICTED_LABEL, LABELS, RAW_SCORE, RAW_SCORES)
VALID_KEYS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("reg:squarederror", "reg:logistic", "reg:gamma", "reg:absoluteerror", "reg:tweedie"), (PREDICTED_SCORE,)
    ),
    **dict.fromkeys(("binary:logistic", "multi:softprob"), _EVERY),
    **dict.fromkeys(("binary:logitraw", "binary:hinge", "multi:softmax"), _RAW),
}


def select(predictions: Predictions, keys: Sequence[str], objective: str, classes: int) -> list[dict[str, Any]]:
    """The wanted keys of each prediction, in an order of their own; a key that the objective does not have is NaN and
    comes last.

    ValueError for an objective that selectable inference does not support.
    """
    if objective not in VALID_KEYS:
        raise ValueError(f"Objective `{objective}` unsupported for selectable inference predictions.")
    valid = VALID_KEYS[objective]
    invalid = [key for key in keys if key not in valid]
    if invalid:
        log.warning("Selected key(s) %s incompatible for objective '%s'. Please use list of compatible selectable "
                    "inference predictions: %s", invalid, objective, list(valid))  # fmt: skip
    values = _values(predictions, objective, classes)
    columns = {key: values[key]() for key in (*_EVERY, PREDICTED_SCORE) if key in keys and key in valid}
    columns.update((key, [float("nan")] * len(predictions)) for key in invalid)
    return [dict(zip(columns, row)) for row in zip(*columns.values())]  # all of one length


def _values(predictions: Predictions, objective: str, classes: int) -> dict[str, Callable[[], list[Any]]]:
    several = objective == "multi:softprob"
    scores = predictions.max(axis=1) if several else predictions
    count = max(classes, 2)

    def label() -> list[Any]:
        if several:
            return predictions.argmax(axis=1).tolist()
        if objective in ("binary:logistic", "binary:logitraw"):
            return (predictions > (0.5 if objective == "binary:logistic" else 0.0)).astype(int).tolist()
        return predictions.tolist()

    def both() -> list[Any]:
        return predictions.tolist() if several else [[1.0 - score, score] for score in predictions.tolist()]

    return {
        PREDICTED_LABEL: label,
        LABELS: lambda: [list(range(count))] * len(predictions),
        PROBABILITY: scores.tolist,
        PROBABILITIES: both,
        RAW_SCORE: scores.tolist,
        RAW_SCORES: both,
        PREDICTED_SCORE: predictions.tolist,
    }


def selection(rows: Sequence[dict[str, Any]], keys: Sequence[str], accept: str, *, batch: bool) -> bytes:
    """Selected predictions in the accepted type; CSV ends with a newline in batch transform only."""
    if accept == JSON:
        return json.dumps({"predictions": list(rows)}).encode()
    if accept == JSON_LINES:
        return "\n".join(map(json.dumps, rows)).encode() + b"\n"
    if accept == RECORDIO:
        return recordio.frames(
            recordio.label_record({key: np.atleast_1d(value).tolist() for key, value in row.items()}) for row in rows
        )
    lines = "\n".join(",".join(_csv_field(row[key]) for key in keys) for row in rows)
    return (lines + ("\n" if batch else "")).encode()


def _csv_field(value: Any) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
