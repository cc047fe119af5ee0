"""What ``input_fn``, ``predict_fn`` and ``output_fn`` do where the user's script has none (specs: containers 7)."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Protocol

import numpy as np
import xgboost as xgb

from local_sagemaker.containers.xgboost.decode import decode

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"


class UnsupportedFormat(Exception):
    """No decoder or encoder for this type."""

    def __init__(self, content_type: str) -> None:
        super().__init__(f"Content type {content_type} is not supported by this framework.")


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
        """npy, JSON or CSV; CSV is squeezed, so that one row is one-dimensional, as in the container."""
        name = content_type.split(";")[0].strip()
        if name == NPY:
            return np.load(io.BytesIO(data.encode("latin-1") if isinstance(data, str) else data), allow_pickle=False)
        text = data if isinstance(data, str) else data.decode("utf-8")
        if name == JSON:
            return np.array(json.loads(text), dtype=np.float32)
        if name == CSV:
            return np.genfromtxt(io.StringIO(text), dtype=np.float32, delimiter=",").squeeze()
        raise UnsupportedFormat(content_type)

    def predict(self, data: Any, model: Any) -> Any:
        """``model.predict``."""
        return model.predict(data)

    def encode(self, prediction: Any, accept: str) -> str | bytes:
        """JSON, CSV lines or npy."""
        name = accept.split(";")[0].strip()
        values = np.asarray(prediction)
        if name == JSON:
            return json.dumps(values.tolist())
        if name == CSV:
            out = io.StringIO()
            rows = values.tolist() if values.ndim > 1 else [[value] for value in np.atleast_1d(values).tolist()]
            csv.writer(out, lineterminator="\n").writerows(rows)
            return out.getvalue()
        if name == NPY:
            buffer = io.BytesIO()
            np.save(buffer, values)
            return buffer.getvalue()
        raise UnsupportedFormat(accept)


class XGBoostCodec(NumpyCodec):
    """XGBoost's defaults: a DMatrix in, and features that need not match the model's."""

    def decode(self, data: bytes | str, content_type: str) -> Any:
        """CSV, libsvm or RecordIO as a DMatrix."""
        features, _ = decode(data.encode() if isinstance(data, str) else data, content_type)
        return xgb.DMatrix(features)

    def predict(self, data: Any, model: Any) -> Any:
        """``Booster.predict`` without the check of names and number of features."""
        return model.predict(data, validate_features=False)
