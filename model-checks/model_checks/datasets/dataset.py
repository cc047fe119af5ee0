"""A dataset in any of Model Monitor's formats, as blocks of columns that can be read more than once.

CSV is read by several threads (`csv_blocks`), Parquet in batches; JSON and captured records are turned into rows first
(`records`), by the user's preprocessor where there is one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as parquet

from model_checks.analysis.profile import Table
from model_checks.datasets import csv_blocks, records
from model_checks.datasets.csv_numbers import Numbers
from model_checks.datasets.files import files, same_columns
from model_checks.datasets.inference_record import InferenceRecord
from model_checks.datasets.records import Part
from model_checks.datasets.times import utc
from model_checks.errors import AnalysisError

T = TypeVar("T")
Work = Callable[[Table, int, int], T]
Rows = Callable[[Any], list[dict[str, Any]]]

_ROWS_PER_BLOCK = 20_000
_BATCH_ROWS = 1 << 16


class _NotJson(AnalysisError):
    """A file that holds no JSON."""


@dataclass(frozen=True)
class Window:
    """The time that records have to be from: its start included, its end not."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, event: Mapping[str, Any]) -> bool:
        text = (event.get("eventMetadata") or {}).get("inferenceTime")
        if not text or not (self.start or self.end):
            return True
        at = utc(text)
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end)


@dataclass(frozen=True)
class Dataset:
    """Where the records are, how they are written, and what the user's preprocessor does to them.

    `names` are a baseline's column names, for records whose fields have only positions; `exact` those of its columns
    where it matters which values are whole numbers. `place` is what errors call the folder.
    """

    source: Path
    format: Mapping[str, Any]
    preprocess: Rows | None = None
    window: Window = field(default_factory=Window)
    names: Sequence[str] = ()
    exact: frozenset[str] = frozenset()
    place: str = ""

    @property
    def kind(self) -> str:
        """``csv``, ``json``, ``parquet``, ``sagemakerCaptureJson`` or ``sagemakerMergeJson``."""
        known = ("csv", "json", "parquet", "sagemakerCaptureJson", "sagemakerMergeJson")
        for name in known if isinstance(self.format, Mapping) else ():
            if name in self.format:
                return name
        raise AnalysisError(f"Error: Unknown dataset_format {json.dumps(self.format)}. Known: {', '.join(known)}.")

    @property
    def settings(self) -> Mapping[str, Any]:
        return self.format[self.kind] or {}

    @property
    def merged(self) -> bool:
        return self.kind == "sagemakerMergeJson"

    def paths(self) -> list[Path]:
        """The files; a dataset without any is an error, worded as the container words it."""
        paths = files(self.source) if self.source.exists() else []
        if not paths:
            raise self._none_found()
        return paths

    def _none_found(self) -> AnalysisError:
        word = self.kind if self.kind in ("csv", "parquet") else "json"
        return AnalysisError(
            f"Error: Could not find any {word} file under directory {self.place or self.source}. "
            "Please verify if the provided dataset path is correct "
            "or if data capturing in your Endpoint is turned on."
        )

    def _misread(self, error: AnalysisError) -> AnalysisError:
        """The error of a file that is not of the format: no such file exists, where no name promises one."""
        endings = (".parquet",) if self.kind == "parquet" else (".json", ".jsonl", ".jsonlines")
        return error if any(path.name.lower().endswith(endings) for path in self.paths()) else self._none_found()

    def blocks(self, work: Work[T], text: Collection[str] | None = None) -> Iterator[T]:
        """Calls ``work(table, rows, rows before)`` for each block and returns the results in order.

        CSV columns of plain numbers come as numbers, unless texts are requested: then the columns named in `text`
        are texts (of other formats in their own type), and others may be left out.
        """
        if self.kind == "csv" and self.preprocess is None:
            return self._csv(work, text)
        if self.kind == "parquet" and self.preprocess is None:
            return self._parquet(work)
        return self._rows(work)

    def _csv_names(self, paths: Sequence[Path]) -> tuple[list[str], bool]:
        header = bool(self.settings.get("header", False))
        first = next((fields for fields in map(csv_blocks.first_record, paths) if fields), None)
        if first is None:
            raise AnalysisError(f"Error: The dataset under {self.place or self.source} is empty.")
        return csv_blocks.header_names(first) if header else self._positional(len(first)), header

    @staticmethod
    def _check_headers(paths: Sequence[Path]) -> None:
        headers = [(path, fields) for path in paths if (fields := csv_blocks.first_record(path))]
        for path, fields in headers[1:]:
            same_columns(path, fields, *headers[0], "Error")

    def _positional(self, count: int) -> list[str]:
        return list(self.names) if len(self.names) == count else csv_blocks.headerless_names(count)

    def _csv(self, work: Work[T], text: Collection[str] | None) -> Iterator[T]:
        paths = self.paths()
        names, header = self._csv_names(paths)
        if header:
            self._check_headers(paths)
        columns = None if text is None else [name for name in names if name in text]
        numbers = Numbers(self.exact) if text is None else None
        return csv_blocks.work_on(paths, names, header, work, columns, numbers)

    def column_names(self) -> list[str]:
        """The names of a CSV dataset's columns; empty for other formats, which are read to know them."""
        return self._csv_names(self.paths())[0] if self.kind == "csv" and self.preprocess is None else []

    def _parquet(self, work: Work[T]) -> Iterator[T]:
        before = 0
        for path in self.paths():
            try:
                file = parquet.ParquetFile(path)
                csv_blocks.check_names(file.schema_arrow.names)
                for batch in file.iter_batches(_BATCH_ROWS):
                    yield work(dict(zip(batch.schema.names, batch.columns, strict=True)), batch.num_rows, before)
                    before += batch.num_rows
            except pa.ArrowInvalid as error:
                message = AnalysisError(f"Error: {path.name} is not a Parquet file: {error}")
                raise self._misread(message) from None

    def _rows(self, work: Work[T]) -> Iterator[T]:
        rows = iter(self.rows())
        before, names = 0, None
        while block := list(islice(rows, _ROWS_PER_BLOCK)):
            names = names or next((self._positional(len(row)) for row in block if isinstance(row, list)), None)
            yield work(self._table(block, names or []), len(block), before)
            before += len(block)

    @staticmethod
    def _table(rows: Sequence[Part], names: Sequence[str]) -> Table:
        """A table of the rows; those without names have as many columns as the first of them, as in a CSV file."""
        named = [row if isinstance(row, dict) else dict(zip(names, row, strict=False)) for row in rows]
        order = dict.fromkeys(name for row in named for name in row)
        return {name: column([row.get(name) for row in named]) for name in order}

    def rows(self) -> Iterable[Part]:
        """The rows one by one, for the formats that are read so."""
        if self.preprocess is not None:
            for record in self._preprocessable():
                yield from self.preprocess(record)
        elif self.kind == "json":
            for value in self.values():
                yield from records.flat_rows(value)
        else:
            sides = self.settings.get("captureIndexNames") or (records.INPUT, records.OUTPUT)
            rows_of = records.read_merged if self.merged else records.read_captured
            for event in self.events():
                yield from rows_of(event, sides)

    def events(self) -> Iterator[dict[str, Any]]:
        """The captured (or merged) records inside the window."""
        for event in self.values():
            if self.window.holds(event):
                yield event

    def values(self) -> Iterator[Any]:
        """The JSON values of the files: one per line, or each file one (a list is one value per item)."""
        lines = self.kind != "json" or bool(self.settings.get("lines", self.settings.get("line", False)))
        for path in self.paths():
            try:
                if lines:
                    yield from _json_lines(path)
                else:
                    value = _loads(path.read_text("utf-8", "replace"), path, 1)
                    yield from value if isinstance(value, list) else [value]
            except _NotJson as error:
                raise self._misread(error) from None

    def _preprocessable(self) -> Iterator[Any]:
        """What the preprocessor is called with: a captured record as an object, another one as its line of text."""
        if self.kind == "csv":
            for path in self.paths():
                with path.open("r", encoding="utf-8", errors="replace", newline="") as lines:
                    yield from islice(_csv_lines(lines), 1 if self.settings.get("header") else 0, None)
        elif self.kind == "json":
            yield from (json.dumps(value) for value in self.values())
        elif self.kind == "parquet":
            yield from (
                json.dumps(row, default=str) for path in self.paths() for row in parquet.read_table(path).to_pylist()
            )
        else:
            yield from map(InferenceRecord, self.events())


def column(values: Sequence[Any]) -> pa.Array:
    """An array of the values' own type; text where they have several."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _csv_lines(lines: Iterable[str]) -> Iterator[str]:
    for record in csv.reader(lines):
        if record:
            yield ",".join(record)


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open("r", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _loads(line, path, number)


def _loads(text: str, path: Path, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _NotJson(f"Error: {path.name}, line {line + error.lineno - 1}: not JSON: {error.msg}") from None
