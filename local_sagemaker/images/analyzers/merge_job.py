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
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local_sagemaker.images.analyzers.contract import AnalysisError, files, guarded, local, log, shown
from local_sagemaker.images.analyzers.datasets import Window
from local_sagemaker.images.analyzers.records import BATCH, GROUND_TRUTH

Event = dict[str, Any]

_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"


def main(arguments: list[str]) -> int:
    """Runs one job; the container takes no arguments. The exit code is 0, or 255 when the job fails."""
    del arguments
    return guarded(lambda: run(os.environ))


def run(environment: Mapping[str, str]) -> str:
    """Merges. There is no exit message, and where no label fits also no file: both as recorded executions ended.

    Raises AnalysisError when there are no captures or no labels at all.
    """
    source, output = _folder(environment, "dataset_source"), _folder(environment, "output_path")
    labels = _labels(_folder(environment, "ground_truth_source"))
    window = Window(_time(environment, "start_time"), _time(environment, "end_time"))
    captured = merged = 0
    for path in _files(source, "captured data"):
        lines = []
        for event in events(path):
            if window.holds(event):
                captured += 1
                label = labels.get(key(event))
                if label is not None:
                    lines.append(json.dumps({**event, GROUND_TRUTH: label}, separators=(",", ":")))
        merged += len(lines)
        if lines:
            target = output / (path.relative_to(source) if source.is_dir() else path.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    log.info("%d captured records, %d labels, %d merged", captured, len(labels), merged)
    return ""


def _folder(environment: Mapping[str, str], name: str) -> Path:
    value = environment.get(name)
    if not value:
        raise AnalysisError(f"Error: The environment variable {name} is not set.")
    return local(value)


def _time(environment: Mapping[str, str], name: str) -> datetime | None:
    value = environment.get(name)
    return datetime.fromisoformat(value) if value else None


def _files(folder: Path, what: str) -> list[Path]:
    found = files(folder) if folder.exists() else []
    if not found:
        raise AnalysisError(f"Error: There is no {what} to merge: {shown(folder)} holds no file.")
    return found


def _labels(folder: Path) -> dict[str, Any]:
    """The ground truth by event; of several for one event the last one counts."""
    found: dict[str, Any] = {}
    for path in _files(folder, "ground truth"):
        for number, line in _lines(path):
            record = _json(line, path, number)
            event = (record.get("eventMetadata") or {}).get("eventId") if isinstance(record, dict) else None
            if event is None or not isinstance(record.get(GROUND_TRUTH), dict):
                raise AnalysisError(f"Error: {path.name}, line {number}: a label needs eventMetadata.eventId and data.")
            found[str(event)] = record[GROUND_TRUTH]
    return found


def key(event: Mapping[str, Any]) -> str:
    """What labels call the event: its inferenceId, else its eventId."""
    metadata = event.get("eventMetadata") or {}
    return str(metadata.get("inferenceId") or metadata.get("eventId") or "")


def events(path: Path) -> Iterator[Event]:
    """The captured requests of a file, or the records of a batch transform's output that carry an inference id."""
    for number, line in _lines(path):
        if line.lstrip().startswith("{"):
            record = _json(line, path, number)
            yield record if "captureData" in record else _transformed_json(record, path, number)
        else:
            yield _transformed_csv(line, path, number)


def _transformed_json(record: Event, path: Path, number: int) -> Event:
    if _ID not in record:
        raise AnalysisError(f"Error: {path.name}, line {number}: neither a captured request nor a record with {_ID}.")
    data = {name: value for name, value in record.items() if name not in (_ID, _TIME)}
    return _batch_event(str(record[_ID]), record.get(_TIME), json.dumps(data, separators=(",", ":")), "JSON")


def _transformed_csv(line: str, path: Path, number: int) -> Event:
    """A line of CSV, whose last two fields are the inference id and the time."""
    fields = next(csv.reader([line]), [])
    if len(fields) < 3:
        raise AnalysisError(f"Error: {path.name}, line {number}: no inference id and time at the end of the record.")
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields[:-2])
    return _batch_event(fields[-2], fields[-1], text.getvalue(), "CSV")


def _batch_event(identity: str, time: Any, data: str, encoding: str) -> Event:
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
