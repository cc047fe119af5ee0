"""Bodies of requests as a DMatrix."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import xgboost as xgb
from _local_programs import load

from sagemaker_xgboost_container.constants import xgb_content_types


def csv_to_dmatrix(input: str | bytes, dtype: Any = None) -> xgb.DMatrix:
    """CSV text or bytes without a newline at its end; empty fields are missing values."""
    text = input.decode() if isinstance(input, bytes) else input
    rows = load("xgboost.decode").csv_rows(text)
    return xgb.DMatrix(rows if dtype is None else rows.astype(dtype))


def libsvm_to_dmatrix(string_like: str | bytes) -> xgb.DMatrix:
    """libsvm text or bytes; indices count as they stand."""
    text = string_like.decode() if isinstance(string_like, bytes) else string_like
    return xgb.DMatrix(load("xgboost.decode").libsvm(text.strip(), shifts=False))


def recordio_protobuf_to_dmatrix(string_like: bytes) -> xgb.DMatrix:
    """RecordIO of protobuf records; labels are left out."""
    recordio = load("xgboost.recordio")
    features, _ = recordio.table(recordio.read(bytes(string_like)))
    return xgb.DMatrix(features)


_DECODERS: dict[str, Callable[[Any], xgb.DMatrix]] = {
    xgb_content_types.CSV: csv_to_dmatrix,
    xgb_content_types.LIBSVM: libsvm_to_dmatrix,
    xgb_content_types.X_LIBSVM: libsvm_to_dmatrix,
    xgb_content_types.X_RECORDIO_PROTOBUF: recordio_protobuf_to_dmatrix,
}


def decode(obj: str | bytes, content_type: str) -> xgb.DMatrix:
    """A body as a DMatrix by its content type. UnsupportedFormatError for one that has no decoder."""
    name = content_type.partition(";")[0].strip()
    if name not in _DECODERS:
        from sagemaker_containers import _errors

        raise _errors.UnsupportedFormatError(name)
    return _DECODERS[name](obj)


def json_to_jsonlines(json_data: str | bytes | dict[str, Any]) -> bytes:
    """The entries of a document with one list, one a line."""
    document = json_data if isinstance(json_data, dict) else json.loads(json_data)
    if len(document) != 1:
        raise ValueError("JSON response is not compatible for conversion to jsonlines.")
    out = io.BytesIO()
    for entry in next(iter(document.values())):
        out.write(f"{json.dumps(entry)}\n".encode())
    return out.getvalue()
