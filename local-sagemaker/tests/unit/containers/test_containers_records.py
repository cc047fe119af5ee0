"""Captured payloads and JSON values become flat rows, or are refused as AWS refuses them."""

from typing import Any

import pytest

from model_checks.datasets import records
from model_checks.errors import AnalysisError


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        ({"a": 1, "b": None}, [{"a": 1, "b": None}]),
        ([1, 2], [[1, 2]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}]),
        ({"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}, [[1, 2], [3, 4]]),
        (
            {"predictions": [1, 0], "scores": [0.9, 0.2]},
            [{"predictions": 1, "scores": 0.9}, {"predictions": 0, "scores": 0.2}],
        ),
        ("text", [["text"]]),
    ],
)
def test_rows_of_a_json_value(value: Any, rows: Any) -> None:
    assert records.flat_rows(value) == rows


@pytest.mark.parametrize("value", [{"a": {"b": 1}, "c": 2}, {"a": [1], "b": [1, 2]}, [1, {"a": 2}], {"a": [1], "b": 2}])
def test_what_is_not_flat_is_refused_with_awss_words(value: Any) -> None:
    with pytest.raises(AnalysisError, match="We currently only support flat json at the moment"):
        records.flat_rows(value)


def event(output: str, given: str, encoding: str = "CSV", **more: Any) -> dict[str, Any]:
    side = {"encoding": encoding, "observedContentType": "text/csv", "mode": "X"}
    captured = {"endpointInput": {**side, "data": given}, "endpointOutput": {**side, "data": output}}
    return {"captureData": captured, "eventMetadata": {"eventId": "1"}, "eventVersion": "0", **more}


BOTH = (records.INPUT, records.OUTPUT)


def test_outputs_come_before_inputs() -> None:
    assert records.read_captured(event("0.9\n", "1,2,"), BOTH) == [["0.9", "1", "2", None]]
    assert records.read_captured(event("0.9\n", "1,2"), [records.OUTPUT]) == [["0.9"]]


def test_the_text_of_a_mini_batchs_output_stands_before_that_of_its_input() -> None:
    assert records.read_captured(event("0.1\n0.2\n", "1,2\n3,4"), BOTH) == [["0.1"], ["0.2", "1", "2"], ["3", "4"]]
    assert records.read_captured(event("0.1\n0.2\n", ""), [records.OUTPUT]) == [["0.1"], ["0.2"]]


@pytest.mark.parametrize("output", ["0.1\n0.2", "0.1,0.2"])
def test_a_merged_mini_batch_has_a_row_per_line(output: str) -> None:
    merged = event(output, "1,2\n3,4", groundTruthData={"data": "1\n0", "encoding": "CSV"})
    found = records.read_merged(merged, BOTH)
    assert [list(row.values()) for row in found] == [  # type: ignore[union-attr]
        ["0.1", "1", "2", "1"],
        ["0.2", "3", "4", "0"],
    ]


def test_json_sides_are_joined_by_name() -> None:
    found = records.read_captured(event('{"score": [1, 2], "x": [8, 9]}', '[{"x": 1}, {"x": 2}]', "JSON"), BOTH)
    assert found == [{"score": 1, "x": 8, "endpointInput_x": 1}, {"score": 2, "x": 9, "endpointInput_x": 2}]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (event('[{"a": 1}, {"a": 2}]', '[{"x": 1}, {"x": 2}, {"x": 3}]', "JSON"), "numbers of records"),
        (event("AAAA", "AAAA", "BASE64"), "not tabular"),
        ({"captureData": {}}, "none of"),
        (event("{", "{", "JSON"), "not JSON"),
    ],
)
def test_broken_captures(broken: dict[str, Any], message: str) -> None:
    with pytest.raises(AnalysisError, match=message):
        records.read_captured(broken, BOTH)


def test_different_encodings_are_an_error() -> None:
    mixed = event("1", "1")
    mixed["captureData"]["endpointInput"]["encoding"] = "JSON"
    with pytest.raises(AnalysisError) as raised:
        records.read_captured(mixed, BOTH)
    assert str(raised.value) == (
        "Error: Encoding mismatch: Encoding is JSON for endpointInput, but Encoding is CSV for endpointOutput. "
        "We currently only support the same type of input and output encoding at the moment."
    )


@pytest.mark.parametrize(
    ("truth", "encoding", "labels"),
    [("1\n0", "CSV", ["1", "0"]), ("1,0", "CSV", ["1", "0"]), ('{"instances": [{"y": 1}, {"y": 0}]}', "JSON", [1, 0])],
)
def test_merged_records_carry_their_labels(truth: str, encoding: str, labels: list[Any]) -> None:
    merged = event("0.9\n0.1", "5\n6", groundTruthData={"data": truth, "encoding": encoding})
    found = records.read_merged(merged, [records.OUTPUT])
    assert [row["groundTruthData"] for row in found] == labels  # type: ignore[call-overload]
    assert [row["_c0"] for row in found] == ["0.9", "0.1"]  # type: ignore[call-overload]
