"""The first job: the captured requests of a window, those that have labels with them, and both as rows of CSV.

Runs alone in a job, with the standard library and boto3. Captures are below ENDPOINT/VARIANT/yyyy/mm/dd/hh, labels
below yyyy/mm/dd/hh of the hour in which they were collected (Developer Guide, "Ingest ground truth labels"). The key of
a record is its inferenceId, else its eventId; labels name it as eventId.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

CAPTURE, LABELLED, ROWS, LABELLED_ROWS, WINDOW = "capture", "labelled", "rows", "truth-rows", "window"
OUTPUTS = (CAPTURE, LABELLED, ROWS, LABELLED_ROWS, WINDOW)
HOUR = timedelta(hours=1)


def main(argv: list[str] | None = None) -> int:
    """The exit code: 0, also for a window without data: the pipeline decides by ``window.json``."""
    parser = argparse.ArgumentParser("merge.py")
    add = parser.add_argument
    add("--endpoint", required=True)
    add("--capture", required=True, help="S3 prefix of the captured data")
    add("--ground-truth", default="", help="S3 prefix of the labels")
    add("--window-end", default="", help="as 2026-11-29T14:00:00Z; by default now")
    add("--hours", type=float, default=1)
    add("--root", type=Path, default=Path("/opt/ml"))
    arguments = parser.parse_args(argv)
    end = read_time(arguments.window_end) if arguments.window_end.strip() else datetime.now(timezone.utc)
    start = end - timedelta(hours=arguments.hours)
    labels = dict(read_labels(arguments.ground_truth, start, end)) if arguments.ground_truth else {}
    events = read_captures(arguments.capture, arguments.endpoint, start, end)
    counts = write(arguments.root / "processing" / "output", events, labels)
    window = {"start": start.isoformat(), "end": end.isoformat(), **counts}
    (arguments.root / "processing" / "output" / WINDOW / "window.json").write_text(json.dumps(window), "utf-8")
    print(json.dumps(window))
    return 0


def read_time(text: str) -> datetime:
    """A time with its zone; one without is UTC."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def list_hours(start: datetime, end: datetime) -> Iterator[str]:
    """The folders of the hours that a window touches."""
    hour = start.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)
    while hour < end:
        yield f"{hour:%Y/%m/%d/%H}"
        hour += HOUR


def read_captures(prefix: str, endpoint: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The records of all variants whose time is in the window."""
    for variant in _list_folders(f"{prefix.rstrip('/')}/{endpoint}/"):
        for hour in list_hours(start, end):
            for record in _read_lines(f"{variant}{hour}/"):
                time = record.get("eventMetadata", {}).get("inferenceTime")
                if time and start <= read_time(time) < end:
                    yield record


def read_labels(prefix: str, start: datetime, end: datetime) -> Iterator[tuple[str, Any]]:
    """Labels by the key of their event; of several for one the last counts."""
    for hour in list_hours(start, end):
        for record in _read_lines(f"{prefix.rstrip('/')}/{hour}/"):
            yield str(record["eventMetadata"]["eventId"]), record["groundTruthData"]


def write(folder: Path, events: Iterator[dict[str, Any]], labels: dict[str, Any]) -> dict[str, int]:
    """Writes the outputs; how many records, labelled ones and rows there are."""
    counts = {"records": 0, "labelled": 0, "rows": 0, "labelled_rows": 0}
    for name in OUTPUTS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    files = {name: (folder / name / file).open("w", encoding="utf-8") for name, file in (
        (CAPTURE, "data.jsonl"), (LABELLED, "data.jsonl"), (ROWS, "data.csv"), (LABELLED_ROWS, "data.csv"),
    )}  # fmt: skip
    for event in events:
        counts["records"] += 1
        files[CAPTURE].write(json.dumps(event) + "\n")
        label = labels.get(make_key(event))
        if label is not None:
            counts["labelled"] += 1
            files[LABELLED].write(json.dumps({**event, "groundTruthData": label}) + "\n")
        rows = list(make_rows(event))
        counts["rows"] += len(rows)
        files[ROWS].writelines(f"{prediction},{features}\n" for prediction, features in rows)
        labelled = label_rows(rows, label)
        counts["labelled_rows"] += len(labelled)
        files[LABELLED_ROWS].writelines(f"{row}\n" for row in labelled)
    for file in files.values():
        file.close()
    return counts


def label_rows(rows: list[tuple[str, str]], label: dict[str, Any] | None) -> list[str]:
    """The rows with their labels in front; none where a request has not as many labels in CSV, a line each, as rows."""
    if label is None or label.get("encoding", "CSV") != "CSV":
        return []
    values = [line.strip() for line in str(label["data"]).strip().splitlines()]
    return [f"{value},{features}" for value, (_, features) in zip(values, rows)] if len(values) == len(rows) else []


def make_key(event: dict[str, Any]) -> str:
    """What labels call the event."""
    metadata = event.get("eventMetadata", {})
    return str(metadata.get("inferenceId") or metadata.get("eventId"))


def make_rows(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Prediction and features of each row of a request in CSV."""
    captured = event.get("captureData", {})
    features, predictions = (_text(captured.get(side)) for side in ("endpointInput", "endpointOutput"))
    lines = features.splitlines()
    values = predictions.replace(",", "\n").split() if len(lines) != 1 else [predictions.split(",")[0].strip()]
    if len(lines) == len(values):
        yield from zip(values, lines)


def _text(side: Any) -> str:
    if not side or "csv" not in str(side.get("observedContentType", "text/csv")):
        return ""
    data = str(side.get("data", ""))
    return base64.b64decode(data).decode("utf-8") if side.get("encoding") == "BASE64" else data


def _client() -> Any:
    import boto3

    make: Any = boto3.client
    # jobs of SageMaker have AWS_REGION, which boto3 does not read
    return make("s3", region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"))


def _list_folders(uri: str) -> Iterator[str]:
    bucket, _, prefix = uri.partition("s3://")[2].partition("/")
    pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    for page in pages:
        for folder in page.get("CommonPrefixes", []):
            yield f"s3://{bucket}/{folder['Prefix']}"


def _read_lines(uri: str) -> Iterator[dict[str, Any]]:
    bucket, _, prefix = uri.partition("s3://")[2].partition("/")
    s3 = _client()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            text = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read().decode("utf-8")
            yield from (json.loads(line) for line in text.splitlines() if line.strip())


if __name__ == "__main__":
    sys.exit(main())
