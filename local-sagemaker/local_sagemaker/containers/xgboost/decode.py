"""From a request's body to features, in the container's order and with its errors (contracts: containers 4.2)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import xgboost as xgb
from scipy import sparse

from local_sagemaker.containers.failure import UserError
from local_sagemaker.containers.xgboost import csv_table, recordio
from local_sagemaker.containers.xgboost.channels import CSV, LIBSVM, PARQUET, content_format

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray  # NumPy of older images has none

    Features: TypeAlias = NDArray[np.float32] | sparse.csr_matrix

LARGE = 512  # bytes from which columnar parsing is faster than Python
LONGEST_SAMPLE = 512
"""Characters of the first line by which the delimiter is guessed."""


class Undecodable(Exception):
    """The body is not what its Content-Type says; the text is the response's body."""


def decode(body: bytes, content_type: str | None, *, shifts_libsvm: bool = True) -> tuple[Features, str]:
    """Features and their format. No Content-Type means libsvm; `shifts_libsvm` is what a tag does (`Behaviour`)."""
    try:
        format_name = content_format(content_type)
    except UserError as error:
        raise Undecodable(str(error)) from error
    if format_name == PARQUET:
        raise Undecodable(f"Content-type {content_type} is not supported.")
    try:
        if format_name == CSV:
            features: Features = _csv(body)
        elif format_name == LIBSVM:
            features = libsvm(body.strip().decode("utf-8"), shifts=shifts_libsvm)
        else:
            features, _ = recordio.table(recordio.read(body))
        _check_finite(features)
    except (ValueError, TypeError, IndexError, csv.Error, xgb.core.XGBoostError) as error:
        name, gap = (format_name, "\n ") if format_name in (CSV, LIBSVM) else ("recordio-protobuf", " ")
        text = str(error).split("\nStack trace", 1)[0]
        raise Undecodable(
            f"Loading {name} data failed with Exception, please ensure data is in {name} format:{gap}"
            f"{type(error)}{gap}{text}"
        ) from error
    return features, format_name


def _check_finite(features: Features) -> None:
    if np.isinf(features.data if sparse.issparse(features) else features).any():
        xgb.DMatrix(features)  # raises XGBoost's own words about infinite values


def _csv(body: bytes) -> NDArray[np.float32]:
    body = body.strip()
    if len(body) > LARGE:
        table = csv_table.plain_request(body)
        if table is None:
            table = csv_table.plain(body)
        if table is not None:
            return table
    with np.errstate(over="ignore"):
        return csv_rows(body.decode("utf-8")).astype(np.float32)


def csv_rows(text: str) -> NDArray[np.float64]:
    """The numbers of CSV text; empty fields are NaN. Line ends around it count as rows, quotes as text."""
    lines = text.split("\n")
    delimiter = _delimiter(lines[0][:LONGEST_SAMPLE])
    rows = [[field or "nan" for field in line.split(delimiter)] for line in lines]
    if len({len(row) for row in rows}) > 1:
        np.array(rows)  # raises numpy's own words about the inhomogeneous shape
    return np.array([[float(field) for field in row] for row in rows], dtype=np.float64)


def _delimiter(line: str) -> str:
    """A letter or a digit cannot be meant (a lone ``5.0`` sniffs as ``5``), so it counts as a comma."""
    delimiter = csv_table.sniff(line)
    return "," if delimiter.isalnum() else delimiter


def libsvm(text: str, *, shifts: bool) -> sparse.csr_matrix:
    """``[label] index:value ...`` lines, of which all that has no colon is ignored.

    The shape follows from the largest row and index that occur, so text without any is refused (ValueError).
    """
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    for number, line in enumerate(text.split("\n")):
        for item in line.split(" "):
            if ":" in item:
                index, value = item.split(":")[:2]
                rows.append(number)
                columns.append(int(index))
                values.append(float(value))
    offset = 1 if shifts and columns and min(columns) >= 1 else 0
    data = np.asarray(values, dtype=np.float32)
    return sparse.csr_matrix((data, (np.asarray(rows, dtype=np.int64), np.asarray(columns, dtype=np.int64) - offset)))
