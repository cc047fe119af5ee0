"""From a request's body to features, in the container's order and with its errors (specs: containers 4.2)."""

from __future__ import annotations

import csv
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost import recordio, tables
from local_sagemaker.containers.xgboost.channels import CSV, LIBSVM, PARQUET, content_format

Features: TypeAlias = NDArray[np.float32] | sparse.csr_matrix
LARGE = 512  # bytes from which columnar parsing is faster than Python


class Undecodable(Exception):
    """The body is not what its Content-Type says; the text is the answer's body."""


def decode(body: bytes, content_type: str | None) -> tuple[Features, str]:
    """Features and their format. No Content-Type means libsvm."""
    try:
        found = content_format(content_type)
        if found == PARQUET:
            raise UserError(f"{content_type} is not an accepted ContentType: csv, libsvm, recordio-protobuf.")
    except UserError as error:
        raise Undecodable(str(error)) from error
    read = {CSV: _csv, LIBSVM: _libsvm}.get(found, _recordio)
    try:
        features = read(body)
        if np.isinf(features.data if sparse.issparse(features) else features).any():
            raise ValueError("Input data contains `inf` or a value too large, while `missing` is not set to `inf`")
    except (ValueError, TypeError, IndexError, csv.Error) as error:
        name = "recordio-protobuf" if found not in (CSV, LIBSVM) else found
        raise Undecodable(
            f"Loading {name} data failed with Exception, please ensure data is in {name} format:\n "
            f"{type(error)} {error}"
        ) from error
    return features, found


def _csv(body: bytes) -> NDArray[np.float32]:
    body = body.strip()
    if len(body) > LARGE:
        table = tables.plain_request(body)
        if table is None:
            table = tables.plain(body)
        if table is not None:
            return table
    lines = body.decode("utf-8").split("\n")
    delimiter = _delimiter(lines[0])
    rows = [[field or "nan" for field in line.split(delimiter)] for line in lines]
    if len({len(row) for row in rows}) > 1:
        np.array(rows)  # raises numpy's own words about the inhomogeneous shape
    return _numbers(rows)


def _numbers(rows: list[list[str]]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.array([[float(field) for field in row] for row in rows], dtype=np.float64).astype(np.float32)


def _delimiter(line: str) -> str:
    """A letter or a digit cannot be meant (a lone ``5.0`` sniffs as ``5``), so it counts as a comma."""
    found = tables.sniff(line)
    return "," if found.isalnum() else found


def _libsvm(body: bytes) -> sparse.csr_matrix:
    """``[label] index:value ...`` lines. Indices that begin at 1 are shifted, those that begin at 0 are not."""
    indices: list[int] = []
    values: list[float] = []
    pointers = [0]
    for line in body.decode("utf-8").strip().split("\n"):
        for token in line.split():
            if ":" in token:
                index, _, value = token.partition(":")
                indices.append(int(index))
                values.append(float(value))
        pointers.append(len(values))
    found = np.asarray(indices, dtype=np.int64)
    if len(found) and found.min() >= 1:
        found -= 1
    width = int(found.max()) + 1 if len(found) else 0
    shape = (len(pointers) - 1, width)
    return sparse.csr_matrix((np.asarray(values, dtype=np.float32), found, pointers), shape=shape)


def _recordio(body: bytes) -> Any:
    features, _ = recordio.table(list(recordio.read(body)))
    return features
