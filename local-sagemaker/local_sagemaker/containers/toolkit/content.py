"""What ``input_fn``, ``predict_fn`` and ``output_fn`` do where the user's script has none (contracts: containers 7).

A container of one model has the functions of sagemaker-containers, one of many models those of the inference toolkit.
Types are compared as they come: one with a parameter (``text/csv; charset=utf-8``) has no decoder in either.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Protocol

import numpy as np
from scipy import sparse

JSON, CSV, NPY, NPZ = "application/json", "text/csv", "application/x-npy", "application/x-npz"
TEXT_TYPES = (JSON, CSV)
"""Types whose bodies are decoded before the user's function sees them."""


class UnsupportedFormat(Exception):
    """No decoder or encoder for this type."""

    def __init__(self, content_type: str | None) -> None:
        super().__init__(
            f"Content type {content_type} is not supported by this framework.\n\nPlease implement input_fn to to "
            "deserialize the request data or an output_fn to\nserialize the response. For more information, see the "
            "SageMaker Python SDK README."
        )


class Codec(Protocol):
    """The defaults of a framework."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """A request's body as the model's input."""
        ...

    def predict(self, data: Any, model: Any) -> Any:
        """The model's prediction."""
        ...

    def encode(self, prediction: Any, accept: str) -> str | bytes:
        """A prediction as a response's body."""
        ...


class NumpyCodec:
    """scikit-learn's defaults: numpy arrays in and out."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """npy, JSON or CSV; CSV is squeezed, so that one row is one-dimensional, and knows no empty fields."""
        if content_type == NPY:
            return np.load(io.BytesIO(bytes_of(data)), allow_pickle=True)
        if content_type == JSON:
            return np.array(json.loads(data)).astype(np.float32)
        if content_type == CSV:
            rows = list(csv.reader(io.StringIO(text_of(data)), strict=True))
            return np.array(rows).squeeze().astype(np.float64).astype(np.float32)
        raise UnsupportedFormat(content_type)

    def predict(self, data: Any, model: Any) -> Any:
        """``model.predict``."""
        return model.predict(data)

    def encode(self, prediction: Any, accept: str) -> str | bytes:
        """JSON, CSV lines (numbers with the digits of their type) or npy."""
        if accept == JSON:
            return json.dumps(prediction, default=_listed)
        if accept == CSV:
            values = np.array(prediction)
            out = io.StringIO()
            rows = values.reshape(-1, 1) if values.ndim == 1 else values
            csv.writer(out, lineterminator="\n").writerows([list(map(str, row)) for row in rows])
            return out.getvalue()
        if accept == NPY:
            buffer = io.BytesIO()
            np.save(buffer, prediction)
            return buffer.getvalue()
        raise UnsupportedFormat(accept)


class ManyModelsNumpyCodec(NumpyCodec):
    """scikit-learn's defaults in a container of many models."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """npy, npz, JSON or CSV, in which empty fields are NaN; one row stays a row."""
        if content_type == NPZ:
            return sparse.load_npz(io.BytesIO(bytes_of(data)))
        if content_type == CSV:
            array = np.genfromtxt(io.StringIO(text_of(data)), dtype=None, delimiter=",")
        elif content_type == JSON:
            array = np.array(json.loads(data))
        else:
            array = super().decode(data, content_type)
        array = array.reshape(1, -1) if array.ndim == 1 else array
        return array.astype(np.float32) if content_type in TEXT_TYPES else array

    def encode(self, prediction: Any, accept: str) -> str | bytes:
        """As for one model, but for CSV, which NumPy writes."""
        if accept != CSV:
            return super().encode(prediction, accept)
        out = io.StringIO()
        np.savetxt(out, prediction, delimiter=",", fmt="%s")
        return out.getvalue()


def _listed(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def text_of(data: bytes | str) -> str:
    return data if isinstance(data, str) else data.decode("utf-8")


def bytes_of(data: bytes | str) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else data
