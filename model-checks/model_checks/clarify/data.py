"""The dataset of a Clarify analysis: its table, and which of its columns is what.

CSV, JSON, JSON Lines, Parquet, or the merged capture of a monitoring job.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jmespath
import pandas as pd

from model_checks.clarify.config import Config, Fetch
from model_checks.datasets.files import files
from model_checks.datasets.records import GROUND_TRUTH, INPUT, OUTPUT
from model_checks.datasets.tables import CsvTable, Held, ParquetTable, Table
from model_checks.errors import AnalysisError

LABEL, PREDICTED_LABEL = "label", "predicted_label"


@dataclass(frozen=True)
class ClarifyData:
    """The dataset. `features` are the columns that the model sees, in order; the other names may be absent."""

    table: Table
    label: str | None
    predicted_label: str | None
    joinsource: str | None
    features: list[str]
    group: str | None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All rows, in memory."""
        frame = self.table.frame()
        if not len(frame):
            raise AnalysisError("ClientError: The dataset has no rows.")
        return frame

    def column(self, name_or_index: str | int) -> str:
        """The name of a column given by name or position."""
        return _column(self.table.names, name_or_index)


def load(config: Config, paths: Sequence[Path], fetch: Fetch) -> ClarifyData:
    """Reads the files of the dataset, and the facets and predictions where the configuration has them elsewhere."""
    kind = config["dataset_type"].lower()
    table, names = _table(paths, config, kind)
    if not table.names:
        raise AnalysisError("ClientError: The dataset has no rows.")
    facets: list[str] = []
    if config.get("facet_dataset_uri"):
        table, facets = _with_facets(table.frame(), config, fetch)
    if config.get("predicted_label_dataset_uri"):
        table, names = _with_predictions(table.frame(), config, names, fetch)
    return _to_data(table, names, facets)


def _table(paths: Sequence[Path], config: Config, kind: str) -> tuple[Table, Config]:
    if kind == "text/csv":
        return CsvTable.of(paths, config.get("headers")), config
    if kind == "application/x-parquet":
        return ParquetTable(paths), config
    frame, names = _records(paths, config, kind)
    frame.columns = [str(name) for name in frame.columns]
    return Held(frame), names


def _to_data(table: Table, config: Config, facets: Sequence[str]) -> ClarifyData:
    def column_of(member: str) -> str | None:
        return _column(table.names, config[member]) if config.get(member) is not None else None

    label, predicted, joinsource = (
        column_of("label"),
        column_of("predicted_label"),
        column_of("joinsource_name_or_index"),
    )
    excluded = {_column(table.names, column) for column in config.get("excluded_columns") or ()}
    other = {label, predicted, joinsource, *excluded, *facets}
    features = [name for name in table.names if name not in other]
    return ClarifyData(table, label, predicted, joinsource, features, column_of("group_variable"))


def _column(names: Sequence[str], name_or_index: str | int) -> str:
    if isinstance(name_or_index, str) and name_or_index in names:
        return name_or_index
    text = str(name_or_index)
    if text.isdigit() and int(text) < len(names):
        return str(names[int(text)])
    raise AnalysisError(f"ClientError: The dataset has no column {name_or_index!r}. Its columns: {', '.join(names)}.")


def _records(paths: Sequence[Path], config: Config, kind: str) -> tuple[pd.DataFrame, Config]:
    """A frame from JSON: features, then label, then predicted label; and the configuration with their names."""
    members = [config.get("features"), config.get("label"), config.get("predicted_label")]
    if kind == "application/sagemakercapturejson":
        rows = [row for path in paths for event in _json_lines(path) for row in _read_captured(event, members)]
        present = [True, any(row[1] is not None for row in rows), any(row[2] is not None for row in rows)]
    else:
        if not config.get("features"):
            raise AnalysisError(
                f"ClientError: dataset_type {config['dataset_type']} needs features in analysis_config.json."
            )
        documents = [path.read_text("utf-8", "replace") for path in paths]
        read = _line_rows if kind == "application/jsonlines" else _document_rows
        rows = [row for text in documents for row in read(text, members)]
        present = [True, bool(members[1] is not None), bool(members[2] is not None)]
    width = max((len(row[0]) for row in rows), default=0)
    table = [[*row[0], *[row[i] for i in (1, 2) if present[i]]] for row in rows]
    ends = [name for i, name in ((1, LABEL), (2, PREDICTED_LABEL)) if present[i]]
    names = _record_names(config, width, ends)
    frame = pd.DataFrame(table, columns=names)
    columns = {LABEL: names[width] if present[1] else None, PREDICTED_LABEL: names[-1] if present[2] else None}
    return frame, {**config, **columns}


def _record_names(config: Config, width: int, ends: list[str]) -> list[str]:
    headers = list(config.get("headers") or [])
    if not headers:
        return [*(f"column_{position}" for position in range(width)), *ends]
    total = width + len(ends)
    if len(headers) == total - 1 and PREDICTED_LABEL in ends:
        headers.append(PREDICTED_LABEL)
    if len(headers) == width:
        headers += ends
    if len(headers) < total:
        raise AnalysisError(f"ClientError: headers has {len(headers)} names, but the records have {total} values.")
    return headers[:total]


Row = tuple[list[Any], Any, Any]


def _line_rows(text: str, members: Sequence[Any]) -> Iterator[Row]:
    paths = [jmespath.compile(str(member)) if member is not None else None for member in members]
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            record = _loads(line, f"line {number}")
            values = [path.search(record) if path else None for path in paths]
            yield _to_list(values[0]), values[1], values[2]


def _document_rows(text: str, members: Sequence[Any]) -> Iterator[Row]:
    document = _loads(text, "the document")
    columns = [jmespath.search(str(member), document) if member is not None else None for member in members]
    features = columns[0] or []
    if features and not isinstance(features[0], list | Mapping):
        features = [features]
    for position, row in enumerate(features):
        label, predicted = (_at(column, position) for column in columns[1:])
        yield _to_list(row), label, predicted


def _at(column: Any, position: int) -> Any:
    if isinstance(column, list):
        return column[position] if position < len(column) else None
    return column


def _read_captured(event: Mapping[str, Any], members: Sequence[Any]) -> Iterator[Row]:
    """The rows of a captured request, merged with its ground truth; members are JMESPaths (CSV: positions)."""
    captured = event.get("captureData") or {}
    batch = captured.get("batchTransformOutput")
    sides = (captured.get(INPUT) or batch, event.get(GROUND_TRUTH), captured.get(OUTPUT) or batch)
    values = [_side_values(side, member) for side, member in zip(sides, members, strict=True)]
    rows = values[0] or []
    for position, row in enumerate(rows):
        yield _to_list(row), _scalar(_at(values[1], position)), _scalar(_at(values[2], position))


def _side_values(side: Mapping[str, Any] | None, member: Any) -> list[Any] | None:
    if not side or not side.get("data"):
        return None
    if side.get("encoding") == "JSON":
        values = jmespath.search(str(member), _loads(side["data"], "a captured payload")) if member else None
        if isinstance(values, list) and values and not isinstance(values[0], list | Mapping) and member == "features":
            return [values]
        return values if isinstance(values, list) else [values]
    lines = [[_number(value) for value in line.split(",")] for line in side["data"].splitlines() if line.strip()]
    return [line[int(member)] for line in lines] if str(member).isdigit() else lines


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _scalar(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _to_list(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list):
        return value
    raise AnalysisError(f"ClientError: features of a record are not a list: {json.dumps(value)[:200]}")


def _loads(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise AnalysisError(f"ClientError: The dataset is not JSON at {what}: {error.msg}") from None


def _json_lines(path: Path) -> Iterator[Any]:
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        if line.strip():
            yield _loads(line, f"line {number}")


def _with_facets(frame: pd.DataFrame, config: Config, fetch: Fetch) -> tuple[Table, list[str]]:
    """The frame with the columns of the facet dataset, row by row or by the join column; and their names."""
    other = CsvTable.of(files(fetch(config["facet_dataset_uri"], "facets")), config.get("facet_headers")).frame()
    key = _join_column(frame, config)
    facets = [name for name in other.columns if name != key]
    both = [name for name in facets if name in frame.columns]
    if both:
        raise AnalysisError(f"ClientError: The facet dataset has columns of the dataset: {', '.join(both)}.")
    if key in other.columns:
        return Held(frame.merge(other, on=key, how="inner")), facets
    if len(other) != len(frame):
        raise AnalysisError(f"ClientError: The facet dataset has {len(other)} rows, the dataset {len(frame)}.")
    return Held(frame.assign(**{name: other[name].to_numpy() for name in facets})), facets


def _with_predictions(frame: pd.DataFrame, config: Config, names: Config, fetch: Fetch) -> tuple[Table, Config]:
    """The frame with the predictions of another dataset, row by row or by the join column."""
    folder = fetch(config["predicted_label_dataset_uri"], "predicted-labels")
    other = CsvTable.of(files(folder), config.get("predicted_label_headers")).frame()
    name = str(config.get("predicted_label") or PREDICTED_LABEL)
    key = _join_column(frame, config)
    if key in other.columns:
        column = name if name in other.columns else next(c for c in other.columns if c != key)
        merged = frame.merge(other[[key, column]].rename(columns={column: name}), on=key, how="inner")
        return Held(merged), {**names, "predicted_label": name}
    column = name if name in other.columns else other.columns[-1]
    if len(other) != len(frame):
        raise AnalysisError(f"ClientError: There are {len(other)} predicted labels for {len(frame)} rows.")
    return Held(frame.assign(**{name: other[column].to_numpy()})), {**names, "predicted_label": name}


def _join_column(frame: pd.DataFrame, config: Config) -> str | None:
    join = config.get("joinsource_name_or_index")
    return None if join is None else _column(list(frame.columns), join)


def record_values(row: Any, config: Config) -> list[Any]:
    """The features of a baseline row given in place: a list, or a record as the dataset has them."""
    if isinstance(row, Mapping) and config.get("features"):
        values = jmespath.search(str(config["features"]).split("[*].")[-1], row)
        return _to_list(values if values is not None else row)
    return _to_list(row)


def baseline_rows(paths: Sequence[Path], config: Config) -> list[list[Any]]:
    """The rows of a SHAP baseline file, in the dataset's format."""
    kind = config["dataset_type"].lower()
    if kind == "application/jsonlines":
        return [record_values(record, config) for path in paths for record in _json_lines(path)]
    if kind == "application/json":
        documents = [_loads(path.read_text("utf-8", "replace"), "the SHAP baseline") for path in paths]
        return [_to_list(row) for doc in documents for row in jmespath.search(str(config.get("features")), doc) or []]
    if kind == "application/x-parquet":
        return [row for path in paths for row in pd.read_parquet(path).to_numpy().tolist()]
    return [row for path in paths for row in CsvTable.of([path], None).frame().astype(object).to_numpy().tolist()]
