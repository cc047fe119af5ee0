"""DataProcessing of batch transform: InputFilter before the request, JoinSource and OutputFilter after it.

A batch of simple CSV rows is filtered and joined as bytes; only rows with quotes, and paths that pick columns apart,
are taken row by row (contracts: containers 6.3).
"""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local_sagemaker.batch.json_text import to_text
from local_sagemaker.json_path import Indices, JsonPath, PathError, Slice

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
IDENTITY, TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
Stamp = Callable[[], tuple[str, str]]
"""Makes what GenerateInferenceId adds to a record: an identifier and the time at which the job began."""


class DataProcessingError(Exception):
    """Input or output that does not fit the filters; the text goes to the job's log."""


class Processing(Protocol):
    """What is done with a batch around its request."""

    def request(self, batch: bytes) -> bytes:
        """The request's body."""
        ...

    def output(self, batch: bytes, response: bytes) -> bytes:
        """The output of the batch."""
        ...


class PassThrough:
    """No DataProcessing: bodies go through as they are."""

    def request(self, batch: bytes) -> bytes:
        """The batch itself."""
        return batch

    def output(self, batch: bytes, response: bytes) -> bytes:  # noqa: ARG002 - a part of the interface
        """The response itself."""
        return response


def of(request: Mapping[str, Any], started: str = "") -> Processing:
    """The processing that a CreateTransformJob request describes. PathError for a bad filter.

    `started` is the time of the job's start (ISO 8601, seconds), which DataCaptureConfig's GenerateInferenceId adds to
    each record beside an identifier (Developer Guide, "Capture data from batch transform job").
    """
    wanted = request.get("DataProcessing", {})
    paths = [JsonPath.parse(wanted.get(name, "$")) for name in ("InputFilter", "OutputFilter")]
    join = wanted.get("JoinSource", "None") == "Input"
    identified = bool(request.get("DataCaptureConfig", {}).get("GenerateInferenceId"))
    if all(path.is_identity for path in paths) and not join and not identified:
        return PassThrough()
    content = request["TransformInput"].get("ContentType", "")
    accept = request["TransformOutput"].get("Accept") or content
    content, accept = (name.split(";")[0].strip().lower() for name in (content, accept))
    if join and content != accept:
        raise PathError(f"ContentType {content} and Accept {accept} must be equal for a join")
    if identified and accept not in (CSV, JSON, JSON_LINES):
        raise PathError(f"GenerateInferenceId needs an output in CSV, JSON or JSON Lines, not {accept or 'unknown'}")
    stamp = (lambda: (str(uuid.uuid4()), started)) if identified else None
    return DataProcessing(paths[0], paths[1], join, content, accept, stamp)


class DataProcessing:
    """Filters and join between two formats, which differ only where nothing is joined."""

    def __init__(
        self, before: JsonPath, after: JsonPath, join: bool, content: str, accept: str, stamp: Stamp | None = None
    ) -> None:
        self.before, self.after, self.join, self.stamp = before, after, join, stamp
        self.content, self.accept = content, accept
        for path, format_ in ((before, content), (after, accept)):
            if format_ == CSV:
                _ = path.columns  # PathError now rather than at the first batch
            elif not path.is_identity and format_ not in (JSON, JSON_LINES):
                raise PathError(f"Filters need CSV, JSON or JSON Lines, not {format_ or 'an unknown content type'}")

    def request(self, batch: bytes) -> bytes:
        """The batch after InputFilter."""
        if self.before.is_identity:
            return batch
        try:
            if self.content == CSV:
                return filter_csv(batch, self.before)
            return _per_document(batch, self.content, self.before.of)
        except (ValueError, csv.Error) as error:
            raise DataProcessingError(f"Failed to parse input as {_name(self.content)}: {error}") from error

    def output(self, batch: bytes, response: bytes) -> bytes:
        """The response after JoinSource and OutputFilter."""
        try:
            if self.accept == CSV:
                rows = self._csv(batch, response)
                return rows if self.stamp is None else _stamp_rows(rows, self.stamp)
            if self.join:
                return self._join_documents(batch, response)
            return _per_document(response, self.accept, self._result)
        except (ValueError, csv.Error) as error:
            raise DataProcessingError(
                f"Failed to parse output from the algorithm as {_name(self.accept)}. Error: {error}"
            ) from error

    def _csv(self, batch: bytes, response: bytes) -> bytes:
        if not self.join:
            return filter_csv(response, self.after)
        records, predicted = lines_of(batch), lines_of(response)
        if len(records) != len(predicted):
            raise ValueError(f"{len(records)} records in the input, {len(predicted)} in the output")
        if b'"' not in batch and b'"' not in response:
            joined = b"\n".join([a + b"," + b for a, b in zip(records, predicted, strict=True)]) + b"\n"
            return joined if self.after.is_identity else filter_csv(joined, self.after)
        rows = zip(_rows(records), _rows(predicted), strict=True)
        return _write_rows([self.after.of_row([*a, *b]) for a, b in rows])

    def _join_documents(self, batch: bytes, response: bytes) -> bytes:
        if self.accept == JSON:
            return to_text(self._result(join(json.loads(batch), json.loads(response)))).encode()
        records, predicted = lines_of(batch), lines_of(response)
        if len(records) != len(predicted):
            raise ValueError(f"{len(records)} records in the input, {len(predicted)} in the output")
        pairs = zip(records, predicted, strict=True)
        return b"".join(_line(self._result(join(json.loads(a), json.loads(b)))) for a, b in pairs)

    def _result(self, document: Any) -> Any:
        """A document after OutputFilter, with its identifier and time if they are wanted."""
        selected = self.after.of(document)
        if self.stamp is None:
            return selected
        members = selected if isinstance(selected, dict) else {OUTPUT: selected}
        return {**members, **dict(zip((IDENTITY, TIME), self.stamp(), strict=True))}


def join(record: Any, prediction: Any) -> Any:
    """An object gets the prediction as a member; anything else becomes the member of a new one."""
    if isinstance(record, dict):
        return {**record, OUTPUT: prediction}
    return {INPUT: record, OUTPUT: prediction}


def lines_of(data: bytes) -> list[bytes]:
    """The records of a batch; the newline at the end begins no record."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    return data.removesuffix(b"\n").split(b"\n") if data else []


def _stamp_rows(rows: bytes, stamp: Stamp) -> bytes:
    """CSV rows with an identifier and a time as their last two columns."""
    return b"".join(b"%s,%s\n" % (row, ",".join(stamp()).encode()) for row in lines_of(rows))


def filter_csv(data: bytes, path: JsonPath) -> bytes:
    """The selected columns of CSV rows, each row ended by a newline except, where it had none, the last."""
    if path.is_identity or not data:
        return data
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    ending = b"\n" if data.endswith(b"\n") else b""
    if b'"' not in data:
        adjacent = _adjacent(path)
        body = data.removesuffix(b"\n")
        if adjacent is not None:
            result, count = adjacent.subn(rb"\1", body)
            if count == body.count(b"\n") + 1:
                return result + ending
        rows = [path.of_row(line.split(",")) for line in body.decode("utf-8").split("\n")]
        return "\n".join(map(",".join, rows)).encode() + ending
    return _write_rows([path.of_row(row) for row in _rows(lines_of(data))]).removesuffix(b"\n") + ending


def _adjacent(path: JsonPath) -> re.Pattern[bytes] | None:
    """A pattern for a whole row whose group is the selected columns, where these stand side by side."""
    step = path.columns
    if isinstance(step, Indices) and len(step.indices) == 1 and step.indices[0] >= 0:
        first, count = step.indices[0], 1
    elif isinstance(step, Slice) and (step.start or 0) >= 0 and step.stop is None:
        return re.compile(rb"(?m)^(?:[^,\n]*,){%d}(.*)$" % (step.start or 0))
    elif isinstance(step, Slice) and step.stop is not None and 0 <= (step.start or 0) < step.stop:
        first, count = step.start or 0, step.stop - (step.start or 0)
    else:
        return None
    return re.compile(rb"(?m)^(?:[^,\n]*,){%d}((?:[^,\n]*,){%d}[^,\n]*)(?:,.*)?$" % (first, count - 1))


def _rows(lines: Sequence[bytes]) -> list[list[str]]:
    """RFC 4180 fields of each line; a quoted field does not continue in the next line."""
    rows = []
    for line in lines:
        text = line.decode("utf-8")
        bare = re.search(r'[^",\s][^",]*"', re.sub(r'"(?:[^"]|"")*"', "", text))
        if bare or text.count('"') % 2:
            raise ValueError(f'bare " in non quoted field found near: {text[:50]}')
        rows.append(next(csv.reader([text], strict=True), []))
    return rows


def _write_rows(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _per_document(data: bytes, format_: str, select: Any) -> bytes:
    if format_ == JSON:
        return to_text(select(json.loads(data))).encode()
    return b"".join(_line(select(json.loads(line))) for line in lines_of(data) if line.strip())


def _line(document: Any) -> bytes:
    return to_text(document).encode() + b"\n"


def _name(format_: str) -> str:
    return {CSV: "CSV", JSON: "JSON", JSON_LINES: "JSON Lines"}.get(format_, format_)
