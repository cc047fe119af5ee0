"""The model as Clarify queries it: over HTTP, in its content type, with as many rows per request as fit.

The address is LOCAL_SAGEMAKER_MODEL_SERVER, a server made from the configured model for this job; with
``endpoint_name`` in the configuration it is that endpoint, by InvokeEndpoint.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import jmespath
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv

from local_sagemaker.model_client import ModelClient, NoModelResponse
from model_checks.arrays import Floats
from model_checks.clarify.config import Config
from model_checks.errors import AnalysisError

ADDRESS = "LOCAL_SAGEMAKER_MODEL_SERVER"
BATCH = 5 << 20  # bytes of a request, under InvokeEndpoint's 6 MB

Invoke = Callable[[bytes], bytes]


class ClarifyModel:
    """Requests predictions. `columns` are the features' names and which of them hold whole numbers."""

    def __init__(
        self, predictor: Config, dataset_type: str, columns: Sequence[tuple[str, bool]], invoke: Invoke
    ) -> None:
        self._predictor = predictor
        self._content = content_type(predictor, dataset_type)
        self._accept = str(predictor.get("accept_type") or self._content).lower()
        self._columns = columns
        self._invoke = invoke
        self.requests = 0
        if self._content not in ("text/csv", "application/jsonlines", "application/json"):
            raise AnalysisError(
                f"ClientError: predictor.content_type {self._content} is not supported for tabular data."
            )

    def scores(self, rows: npt.NDArray[Any]) -> Floats:
        """One column of scores per label: ``probability``, else all that the model returns (JSON: ``label``)."""
        where = self._predictor.get("probability")
        if where is None and self._accept != "text/csv":
            where = self._predictor.get("label")
        scores = self._numbers(rows) if self._accept == "text/csv" else None
        if scores is None:
            picked = self._pick(rows, where)
            try:
                scores = np.array([value if isinstance(value, list) else [value] for value in picked], dtype=np.float64)
            except (TypeError, ValueError):
                raise AnalysisError(
                    f"ClientError: The model's response is not numeric: {str(picked[0])[:200]}"
                ) from None
        elif where is not None:
            scores = scores[:, [int(where)]]
        return scores

    def labels(self, rows: npt.NDArray[Any]) -> pd.Series:
        """Predicted labels: ``label``, else the most probable of ``label_headers``, else the one score."""
        where = self._predictor.get("label")
        if where is not None:
            return pd.Series([_scalar(value) for value in self._pick(rows, where)])
        scores = self.scores(rows)
        if scores.shape[1] == 1:
            return pd.Series(scores[:, 0])
        headers = self._predictor.get("label_headers") or list(range(scores.shape[1]))
        if len(headers) != scores.shape[1]:
            raise AnalysisError(f"ClientError: label_headers has {len(headers)} names for {scores.shape[1]} scores.")
        return pd.Series([headers[position] for position in scores.argmax(axis=1)])

    def _pick(self, rows: npt.NDArray[Any], where: str | int | None) -> list[Any]:
        return [value for body, count in self._responses(rows) for value in self._parse(body, count, where)]

    def _numbers(self, rows: npt.NDArray[Any]) -> Floats | None:
        """The CSV responses as numbers at once; None when they hold text."""
        parts = []
        for body, count in self._responses(rows):
            text = body.decode("utf-8").strip()
            try:
                flat = np.array(text.replace("\n", ",").split(","), dtype=np.float64)
            except ValueError:
                return None
            if not count or len(flat) % count:
                raise _mismatch(len(text.splitlines()), count)
            parts.append(flat.reshape(count, -1))
        return np.concatenate(parts)

    def _responses(self, rows: npt.NDArray[Any]) -> list[tuple[bytes, int]]:
        template = str(self._predictor.get("content_template") or "$records")
        single = self._content == "application/json" and "$records" not in template
        responses, at, step = [], 0, 1 if single else len(rows)
        while at < len(rows):
            body = self._encode(rows[at : at + step])
            if len(body) > BATCH and step > 1:
                step = max(1, int(step * BATCH / len(body) * 0.95))
                continue
            count = len(rows[at : at + step])
            responses.append((self._invoke(body), count))
            self.requests += 1
            at += count
        return responses

    def _encode(self, rows: npt.NDArray[Any]) -> bytes:
        if self._content == "text/csv":
            return _csv(rows, self._columns)
        listed = _list_rows(rows, self._columns)
        records = [_record(self._predictor, row, [name for name, _ in self._columns]) for row in listed]
        template = self._predictor.get("content_template")
        if self._content == "application/jsonlines":
            lines = [str(template or '{"features":$features}').replace("$features", record) for record in records]
            return "".join(f"{line}\n" for line in lines).encode()
        if template is None:
            return f'{{"instances":[{",".join(records)}]}}'.encode()
        text = template if isinstance(template, str) else json.dumps(template)
        if "$records" in text:
            return text.replace("$records", f"[{','.join(records)}]").encode()
        return text.replace("$record", records[0]).replace("$features", records[0]).encode()

    def _parse(self, body: bytes, count: int, where: str | int | None) -> list[Any]:
        text = body.decode("utf-8")
        if self._accept == "text/csv":
            lines = [row for row in csv.reader(io.StringIO(text)) if row]
            if len(lines) == 1 and len(lines[0]) == count > 1:
                lines = [[value] for value in lines[0]]
            values: list[Any] = [row if where is None else row[int(where)] for row in lines]
            values = [[_value(v) for v in row] if isinstance(row, list) else _value(row) for row in values]
        elif self._accept == "application/jsonlines":
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
            values = [document if where is None else jmespath.search(str(where), document) for document in documents]
        else:
            document = json.loads(text)
            values = document if where is None else jmespath.search(str(where), document)
            values = values if isinstance(values, list) else [values]
        if len(values) != count:
            raise _mismatch(len(values), count)
        return values


def _mismatch(records: int, rows: int) -> AnalysisError:
    return AnalysisError(f"ClientError: The model returned {records} records for {rows} rows.")


def content_type(predictor: Config, dataset_type: str) -> str:
    """What requests are written in: the configured type, else the dataset's (tables in CSV, captures in JSON)."""
    media_type = str(predictor.get("content_type") or dataset_type).lower()
    return {"application/x-parquet": "text/csv", "application/sagemakercapturejson": "text/csv"}.get(
        media_type, media_type
    )


def _csv(rows: npt.NDArray[Any], columns: Sequence[tuple[str, bool]]) -> bytes:
    if rows.dtype == object:
        text = io.StringIO()
        listed = _list_rows(rows, columns)
        csv.writer(text, lineterminator="\n").writerows([["" if v is None else v for v in row] for row in listed])
        return text.getvalue().encode()
    arrays = [_whole(pa.array(rows[:, i], from_pandas=True), whole) for i, (_, whole) in enumerate(columns)]
    sink = io.BytesIO()
    table = pa.table(arrays, names=[str(position) for position in range(len(arrays))])
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False))
    return sink.getvalue()


def _whole(array: pa.Array, whole: bool) -> pa.Array:
    """Whole numbers without a point, in columns that hold nothing else."""
    if not whole:
        return array
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:  # a mean among them
        return array


def _list_rows(rows: npt.NDArray[Any], columns: Sequence[tuple[str, bool]]) -> list[list[Any]]:
    whole = [position for position, (_, is_whole) in enumerate(columns) if is_whole]
    listed: list[list[Any]] = rows.tolist()
    for row in listed:
        for position in whole:
            if isinstance(row[position], float) and row[position].is_integer():
                row[position] = int(row[position])
        for position, value in enumerate(row):
            if isinstance(value, float) and np.isnan(value):
                row[position] = None
    return listed


def _record(predictor: Config, row: list[Any], names: Sequence[str]) -> str:
    """One record: the list of features, or the record template with ``$features`` or ``${name}`` filled in."""
    features = json.dumps(row)
    template = predictor.get("record_template")
    if template is None:
        dense = predictor.get("content_template") is None and predictor.get("content_type") == "application/json"
        return f'{{"features":{features}}}' if dense else features
    text = str(template).replace(
        "$features_kvp", ",".join(f"{json.dumps(n)}:{json.dumps(v)}" for n, v in zip(names, row, strict=True))
    )
    for name, value in zip(names, row, strict=True):
        text = text.replace(f"${{{name}}}", json.dumps(value))
    return text.replace("$features", features)


def _value(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _scalar(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def connect(predictor: Config, dataset_type: str) -> Invoke:
    """How to invoke the model: the job's model server, or the endpoint that the configuration names."""
    content = content_type(predictor, dataset_type)
    accept = str(predictor.get("accept_type") or content)
    if predictor.get("endpoint_name"):
        return _endpoint(predictor, content, accept)
    address = os.environ.get(ADDRESS)
    if not address:
        raise AnalysisError(
            "ClientError: The analysis needs a model: predictor.model_name (or endpoint_name) is not set."
        )
    headers = {"Content-Type": content, "Accept": accept}
    if predictor.get("custom_attributes"):
        headers["X-Amzn-SageMaker-Custom-Attributes"] = str(predictor["custom_attributes"])

    client = ModelClient(address, seconds=600)

    def invoke(body: bytes) -> bytes:
        try:
            response = client.exchange("POST", "/invocations", body, headers)
        except NoModelResponse as error:
            raise AnalysisError(f"ClientError: The model can't be queried: {error.__cause__}") from None
        if response.status != 200:
            text = response.body[:400].decode("utf-8", "replace")
            raise AnalysisError(f"ClientError: The model responded with status {response.status}: {text}")
        return response.body

    return invoke


def _endpoint(predictor: Config, content: str, accept: str) -> Invoke:
    import boto3  # heavy, and few jobs need it

    client = boto3.client("sagemaker-runtime")
    request = {"EndpointName": predictor["endpoint_name"], "ContentType": content, "Accept": accept}
    for member, name in (("target_model", "TargetModel"), ("custom_attributes", "CustomAttributes")):
        if predictor.get(member):
            request[name] = predictor[member]

    def invoke(body: bytes) -> bytes:
        return bytes(client.invoke_endpoint(Body=body, **request)["Body"].read())

    return invoke
