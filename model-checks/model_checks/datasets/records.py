"""Rows of a dataset from JSON values and captured requests: a payload becomes flat rows, named or by position."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from model_checks.errors import AnalysisError

SAME_ENCODING = "We currently only support the same type of input and output encoding at the moment."
NOT_FLAT = "Error: We currently only support flat json at the moment."

Part = dict[str, Any] | list[Any]  # a row's fields by name, or by position

INPUT, OUTPUT, BATCH = "endpointInput", "endpointOutput", "batchTransformOutput"
GROUND_TRUTH = "groundTruthData"


def flat_rows(value: Any) -> list[Part]:
    """The rows of a JSON value.

    One flat object is a row, so is a list of plain values. Several records may come as a list, as the only member of
    an object (``{"instances": [...]}``), or as an object of equally long lists. Anything deeper is refused as AWS
    refuses it.
    """
    if isinstance(value, list):
        if all(isinstance(item, Mapping | list) for item in value):
            return [row for item in value for row in flat_rows(item)]
        return [_plain(value)]
    if not isinstance(value, Mapping):
        return [[value]]
    members = list(value.values())
    if len(members) == 1 and isinstance(members[0], list):
        return flat_rows(members[0])
    if members and all(isinstance(member, list) for member in members):
        if len({len(member) for member in members}) != 1:
            raise AnalysisError(NOT_FLAT)
        return [dict(zip(value, _plain(items), strict=True)) for items in zip(*members, strict=True)]
    _plain(members)
    return [dict(value)]


def _plain(values: Sequence[Any]) -> list[Any]:
    if any(isinstance(value, Mapping | list) for value in values):
        raise AnalysisError(NOT_FLAT)
    return list(values)


def payload_rows(data: str, encoding: str) -> list[Part]:
    """The rows of a captured payload; in CSV one per line."""
    if encoding == "JSON":
        try:
            return flat_rows(json.loads(data))
        except json.JSONDecodeError:
            lines = [line for line in data.splitlines() if line.strip()]
            try:
                return [row for line in lines for row in flat_rows(json.loads(line))]
            except json.JSONDecodeError as error:
                raise AnalysisError(f"Error: A captured payload is not JSON: {error}") from None
    if encoding != "CSV":
        raise AnalysisError(
            f"Error: The encoding {encoding} of a captured payload is not tabular: CSV or JSON is needed."
        )
    return [[value or None for value in row] for row in csv.reader(io.StringIO(data)) if row]


def read_captured(event: Mapping[str, Any], sides: Sequence[str]) -> list[Part]:
    """The rows of one captured request: its output's fields, then its input's, the order that baselines have.

    In CSV the text of the output stands before that of the input: of a request with several records, the lines are
    the outputs, one of both, and the inputs. (Recorded executions count as many columns as the first output has.)
    """
    present, encoding, payloads = _payloads(event, sides)
    if encoding == "CSV":
        return payload_rows(",".join(payload.rstrip("\r\n") for payload in payloads), encoding)
    return _side_by_side([payload_rows(payload, encoding) for payload in payloads], present)


def _payloads(event: Mapping[str, Any], sides: Sequence[str]) -> tuple[list[str], str, list[str]]:
    """The sides that were captured, output first, their encoding, and their payloads."""
    captured = event.get("captureData") or {}
    present = [side for side in (OUTPUT, BATCH, INPUT) if captured.get(side) and (side in sides or side == BATCH)]
    if not present:
        raise AnalysisError(f"Error: A captured record has none of {', '.join(sides)}.")
    encodings = [captured[side].get("encoding") or "" for side in present]
    if len(set(encodings)) > 1:
        clashes = ", but ".join(
            f"Encoding is {encoding} for {side}" for side, encoding in zip(present[::-1], encodings[::-1], strict=True)
        )
        raise AnalysisError(f"Error: Encoding mismatch: {clashes}. {SAME_ENCODING}")
    return present, encodings[0], [captured[side].get("data") or "" for side in present]


def _side_by_side(parts: list[list[Part]], sides: list[str]) -> list[Part]:
    if len(parts) == 1:
        return parts[0]
    rows = max(len(part) for part in parts)
    parts = [_per_row(part, rows) for part in parts]
    if len({len(part) for part in parts}) != 1:
        counts = ", ".join(f"{len(part)} in {side}" for part, side in zip(parts, sides, strict=True))
        raise AnalysisError(f"Error: The numbers of records of a captured request differ: {counts}.")
    return [_join(row, sides) for row in zip(*parts, strict=True)]


def _per_row(part: list[Part], rows: int) -> list[Part]:
    """One list of values for several records is one value for each of them."""
    if len(part) == 1 and rows > 1 and isinstance(part[0], list) and len(part[0]) == rows:
        return [[value] for value in part[0]]
    return part


def _join(row: tuple[Part, ...], sides: list[str]) -> Part:
    if all(isinstance(part, list) for part in row):
        return [value for part in row for value in part]
    joined: dict[str, Any] = {}
    for part, side in zip(row, sides, strict=True):
        named = part if isinstance(part, dict) else {f"{side}_{i}": value for i, value in enumerate(part)}
        for name, value in named.items():
            joined[f"{side}_{name}" if name in joined else name] = value
    return joined


def read_merged(event: Mapping[str, Any], sides: Sequence[str]) -> list[Part]:
    """The rows of a merged record, each with its label under `GROUND_TRUTH`."""
    fields = event.get(GROUND_TRUTH)
    if not fields:
        raise AnalysisError("Error: A merged record has no groundTruthData.")
    present, encoding, payloads = _payloads(event, sides)
    captured = _side_by_side([payload_rows(payload, encoding) for payload in payloads], present)
    labels = _per_row(payload_rows(str(fields.get("data") or ""), fields.get("encoding") or "CSV"), len(captured))
    if len(labels) != len(captured):
        raise AnalysisError(
            f"Error: The numbers of records of a merged record differ: {len(captured)} captured, {len(labels)} labels."
        )
    return [_add_label(row, label) for row, label in zip(captured, labels, strict=True)]


def _add_label(row: Part, label: Part) -> Part:
    named = row if isinstance(row, dict) else {f"_c{position}": value for position, value in enumerate(row)}
    values = list(label.values()) if isinstance(label, dict) else label
    if len(values) == 1:
        return {**named, GROUND_TRUTH: values[0]}
    extra = label if isinstance(label, dict) else dict(enumerate(label))
    return {**named, **{f"{GROUND_TRUTH}_{name}": value for name, value in extra.items()}}
