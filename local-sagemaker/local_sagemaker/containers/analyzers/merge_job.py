"""The program of the ground-truth merger: each captured request that has a label, with its label.

Configured by ``dataset_source``, ``ground_truth_source`` and ``output_path``, and for the window by ``start_time`` and
``end_time``. The join key is a record's inferenceId, else its eventId; labels name it as eventId. Merged files are
where their captures were, below the output, so that the analysis finds them by endpoint, variant and hour.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

from local_sagemaker.containers.analyzers.contract import (
    as_job_path,
    exit_code_of,
    local,
    log,
    require_variable,
    time_of,
)
from model_checks.datasets.dataset import Window
from model_checks.datasets.files import files
from model_checks.datasets.records import BATCH, GROUND_TRUTH
from model_checks.errors import AnalysisError

CapturedEvent = dict[str, Any]

_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return exit_code_of(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Merges. There is no exit message, and where no label fits also no file: both as recorded executions ended.

    Raises AnalysisError when there are no captures or no labels at all.
    """
    source, output = (
        local(require_variable(environment, "dataset_source")),
        local(require_variable(environment, "output_path")),
    )
    window = Window(time_of(environment, "start_time"), time_of(environment, "end_time"))
    captured = merged = 0
    with closing(MergeLabels(local(require_variable(environment, "ground_truth_source")))) as labels:
        for path in _files(source, "captured data"):
            target = output / (path.relative_to(source) if source.is_dir() else path.name)
            with MergeLines(target) as lines:
                for event in events(path):
                    if window.holds(event):
                        captured += 1
                        label = labels.get(key(event))
                        if label is not None:
                            lines.write(json.dumps({**event, GROUND_TRUTH: label}, separators=(",", ":")))
            merged += lines.count
        log.info("%d captured records, %d labels, %d merged", captured, labels.count, merged)
    return ""


def _files(folder: Path, what: str) -> list[Path]:
    paths = files(folder) if folder.exists() else []
    if not paths:
        raise AnalysisError(f"Error: There is no {what} to merge: {as_job_path(folder)} holds no file.")
    return paths


class MergeLabels:
    """The ground truth by event; of several for one event the last one counts. They are in a file, not in memory."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect("")  # an anonymous file
        self._database.execute("PRAGMA cache_size = -65536")  # 64 MB
        self._database.execute("CREATE TABLE labels (event TEXT PRIMARY KEY, label TEXT) WITHOUT ROWID")
        for path in _files(folder, "ground truth"):
            self._database.executemany("INSERT OR REPLACE INTO labels VALUES (?, ?)", _labels(path))

    def get(self, event: str) -> Any:
        """The label of an event; None when there is none."""
        row = self._database.execute("SELECT label FROM labels WHERE event = ?", (_storable(event),)).fetchone()
        return json.loads(row[0]) if row else None

    @property
    def count(self) -> int:
        """How many events have a label."""
        return int(self._database.execute("SELECT count(*) FROM labels").fetchone()[0])

    def close(self) -> None:
        """Removes the file."""
        self._database.close()


def _labels(path: Path) -> Iterator[tuple[str, str]]:
    """The events of a file and the labels they are given."""
    for number, line in _lines(path):
        record = _json(line, path, number)
        event = (record.get("eventMetadata") or {}).get("eventId") if isinstance(record, dict) else None
        if event is None or not isinstance(record.get(GROUND_TRUTH), dict):
            raise AnalysisError(f"Error: {path.name}, line {number}: a label needs eventMetadata.eventId and data.")
        yield _storable(str(event)), json.dumps(record[GROUND_TRUTH])


def _storable(text: str) -> str:
    """The text without lone surrogates, which JSON can hold and a database can't."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class MergeLines:
    """A file of lines that is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self.count = 0

    def __enter__(self) -> MergeLines:
        return self

    def write(self, line: str) -> None:
        """Adds a line."""
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        self._file.write(f"{line}\n")
        self.count += 1

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def key(event: Mapping[str, Any]) -> str:
    """What labels call the event: its inferenceId, else its eventId."""
    metadata = event.get("eventMetadata") or {}
    return str(metadata.get("inferenceId") or metadata.get("eventId") or "")


def events(path: Path) -> Iterator[CapturedEvent]:
    """The captured requests of a file, or the records of a batch transform's output that carry an inference id."""
    for number, line in _lines(path):
        if line.lstrip().startswith("{"):
            record = _json(line, path, number)
            yield record if "captureData" in record else _read_transform_json(record, path, number)
        else:
            yield _read_transform_csv(line, path, number)


def _read_transform_json(record: CapturedEvent, path: Path, number: int) -> CapturedEvent:
    if _ID not in record:
        raise AnalysisError(f"Error: {path.name}, line {number}: neither a captured request nor a record with {_ID}.")
    data = {name: value for name, value in record.items() if name not in (_ID, _TIME)}
    return _batch_event(str(record[_ID]), record.get(_TIME), json.dumps(data, separators=(",", ":")), "JSON")


def _read_transform_csv(line: str, path: Path, number: int) -> CapturedEvent:
    """A line of CSV, whose last two fields are the inference id and the time."""
    fields = next(csv.reader([line]), [])
    if len(fields) < 3:
        raise AnalysisError(f"Error: {path.name}, line {number}: no inference id and time at the end of the record.")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[:-2])
    return _batch_event(fields[-2], fields[-1], text.getvalue(), "CSV")


def _batch_event(identity: str, time: Any, data: str, encoding: str) -> CapturedEvent:
    metadata = {"eventId": identity, **({"inferenceTime": time} if time else {})}
    captured = {BATCH: {"data": data, "encoding": encoding}}
    return {"eventMetadata": metadata, "eventVersion": "0", GROUND_TRUTH: None, "captureData": captured}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("r", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line.rstrip("\r\n")


def _json(line: str, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise AnalysisError(f"Error: {path.name}, line {number}: not JSON: {error.msg}") from None
