"""CSV bytes as a table of float32: the fast way for plain numeric rows, which training and serving share.

Everything that is not plain (quotes, ragged rows, text, blank lines) is left to the callers' exact rules.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

if TYPE_CHECKING:
    from numpy.typing import NDArray  # NumPy of older images has none

_FLOAT = pa.float64()
_COMMA, _LINE = b",\n"


def sniff(line: str) -> str:
    """What ``csv.Sniffer`` says of a line, by a short cut where that is a comma for sure. Raises csv.Error."""
    if "," in line and '"' not in line and "'" not in line:
        return ","
    return csv.Sniffer().sniff(line).delimiter


def plain(body: bytes) -> NDArray[np.float32] | None:
    """A rectangular, comma-separated, numeric table; empty fields are NaN. None for anything else."""
    end = body.find(b"\n")
    first = body[: end if end >= 0 else len(body)]
    if b"," not in first or b'"' in body or b"'" in first:
        return None
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
        if b"\r" in body:
            return None
    names = [str(number) for number in range(first.count(b",") + 1)]
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(body),
            read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(body) + 1),
            parse_options=arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, _FLOAT), null_values=[""]),
        )
    except pa.ArrowInvalid:
        return None
    numbers = np.empty((table.num_rows, len(names)), dtype=np.float32)
    with np.errstate(over="ignore"):
        for number, column in enumerate(table.columns):
            numbers[:, number] = column.to_numpy()
    return numbers


def plain_request(body: bytes) -> NDArray[np.float32] | None:
    """Like `plain` for a request's body without a final newline, in a tenth to two thirds of the time: a CSV reader
    starts a thread and sets up its columns each time. None also for some that `plain` can read (empty fields, blanks).
    """
    end = body.find(b"\n")
    width = body.count(b",", 0, end if end >= 0 else len(body)) + 1
    data = np.frombuffer(body, dtype=np.uint8)
    marks = np.flatnonzero((data == _COMMA) | (data == _LINE))
    count = len(marks) + 1
    lines = data[marks] == _LINE
    if width == 1 or count % width or not lines[width - 1 :: width].all() or lines.sum() != count // width - 1:
        return None
    offsets = np.zeros(count + 1, dtype=np.int32)  # of each field in the text without commas and line ends
    offsets[1:-1] = marks
    offsets[-1] = len(body)
    offsets[1:] -= np.arange(count, dtype=np.int32)
    text = pa.py_buffer(body.translate(None, b",\n"))
    try:
        numbers = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), text).cast(_FLOAT)
    except pa.ArrowInvalid:
        return None
    with np.errstate(over="ignore"):
        matrix: NDArray[np.float32] = numbers.to_numpy().astype(np.float32).reshape(-1, width)
    return matrix
