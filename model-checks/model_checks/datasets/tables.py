"""The columns of a Clarify dataset: read in blocks as often as needed, or all at once where an analysis needs them so.

Values are typed as pandas types a file, block by block; who reads blocks settles what a whole column is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow.parquet as parquet

from model_checks.datasets.csv_blocks import first_record
from model_checks.datasets.files import same_columns
from model_checks.errors import AnalysisError

BLOCK_ROWS = 1 << 17
_HEAD_ROWS = 10_000  # rows that tell whether a first record is one of names


class Table(Protocol):
    """Named columns."""

    @property
    def names(self) -> list[str]: ...

    def blocks(self, columns: Collection[str] | None = None, text: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """The rows in blocks: all columns or some, those in `text` as text."""

    def frame(self) -> pd.DataFrame:
        """All rows."""


@dataclass(frozen=True)
class Held:
    """A table in memory: one block."""

    whole: pd.DataFrame

    @property
    def names(self) -> list[str]:
        return list(self.whole.columns)

    def blocks(self, columns: Collection[str] | None = None, text: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        del text
        if len(self.whole):
            yield self.whole if columns is None else self.whole[[name for name in self.names if name in columns]]

    def frame(self) -> pd.DataFrame:
        return self.whole


@dataclass(frozen=True)
class CsvTable:
    """CSV files; of each it is known whether its first record has names."""

    files: Sequence[tuple[Path, bool]]
    names: list[str]

    @classmethod
    def of(cls, paths: Sequence[Path], headers: Sequence[str] | None) -> CsvTable:
        """Finds the columns' names. Raises AnalysisError when files differ in them, or headers do not fit."""
        files_read: list[tuple[Path, bool]] = []
        names: list[str] = []
        for path in paths:
            first = first_record(path)
            if not first:
                continue
            head = _head(path)
            is_header = first == list(headers) if headers else _is_header(first, head)
            if is_header and head is None:
                continue
            width = len(first) if not is_header or head is None else len(head.columns)
            if headers and len(headers) != width:
                raise AnalysisError(
                    f"ClientError: headers has {len(headers)} names, but {path.name} has {width} columns."
                )
            fallback = first if is_header else [f"column_{position}" for position in range(width)]
            own = [str(name) for name in headers or fallback]
            if files_read:
                same_columns(path, own, files_read[0][0], names, "ClientError")
            names = names or own
            files_read.append((path, is_header))
        return cls(files_read, names)

    def blocks(self, columns: Collection[str] | None = None, text: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        for path, header in self.files:
            for block in pd.read_csv(path, chunksize=BLOCK_ROWS, **self._options(header, columns, text)):
                yield self._name_columns(block)

    def frame(self) -> pd.DataFrame:
        frames = [self._name_columns(pd.read_csv(path, **self._options(header))) for path, header in self.files]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=self.names)

    def _options(
        self, header: bool, columns: Collection[str] | None = None, text: Collection[str] = ()
    ) -> Mapping[str, Any]:
        return {
            "header": None,
            "skiprows": 1 if header else 0,
            "encoding_errors": "replace",
            "low_memory": False,  # else the parts of a block may be of different types
            "usecols": None if columns is None else [i for i, name in enumerate(self.names) if name in columns],
            "dtype": {i: str for i, name in enumerate(self.names) if name in text},
        }

    def _name_columns(self, block: pd.DataFrame) -> pd.DataFrame:
        block.columns = pd.Index([self.names[int(position)] for position in block.columns])
        return block


@dataclass(frozen=True)
class ParquetTable:
    """Parquet files."""

    paths: Sequence[Path]

    @property
    def names(self) -> list[str]:
        return list(parquet.read_schema(self.paths[0]).names)

    def blocks(self, columns: Collection[str] | None = None, text: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        chosen = None if columns is None else [name for name in self.names if name in columns]
        for path in self.paths:
            for batch in parquet.ParquetFile(path).iter_batches(BLOCK_ROWS, columns=chosen):
                block = batch.to_pandas()
                yield block.astype({name: object for name in text if name in block.columns})

    def frame(self) -> pd.DataFrame:
        return pd.concat([pd.read_parquet(path) for path in self.paths], ignore_index=True)


def _head(path: Path) -> pd.DataFrame | None:
    """The first rows after the first line; None when there are none."""
    with path.open("rb") as lines:
        next(lines, b"")
        if not any(line.strip() for line in lines):
            return None
    return pd.read_csv(path, header=None, skiprows=1, encoding_errors="replace", nrows=_HEAD_ROWS)


def _is_header(first: Sequence[str], head: pd.DataFrame | None) -> bool:
    """Whether a first record is one of names: a text above a column of numbers, or nothing but text above nothing."""
    if head is None:
        return not any(map(_is_number, first))
    if len(head.columns) != len(first):
        return False
    numeric = [pd.api.types.is_numeric_dtype(dtype) for dtype in head.dtypes]
    return any(is_number and not _is_number(text) for is_number, text in zip(numeric, first, strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True
