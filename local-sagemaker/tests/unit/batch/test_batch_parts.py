"""Batch transform's parts: JSONPath, splitting and packing, filters and joins."""

from __future__ import annotations

import re
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_sagemaker.batch.agent import TransformParameters
from local_sagemaker.batch.data_processing import DataProcessingError, PassThrough, filter_csv, of
from local_sagemaker.batch.splitting import Batching, RecordError
from local_sagemaker.json_path import JsonPath, PathError


@pytest.mark.parametrize(
    ("path", "document", "found"),
    [
        ("$", {"a": 1}, {"a": 1}),
        ("$.a", {"a": 1}, 1),
        ("$['a']", {"a": 1}, 1),
        ("$.a.b[1]", {"a": {"b": [1, 2]}}, 2),
        ("$['a','b']", {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2}),
        ("$[0]", ["x", "y"], "x"),
        ("$[-1]", ["x", "y"], "y"),
        ("$[0,-1]", ["x", "y", "z"], ["x", "z"]),
        ("$[1:]", [1, 2, 3], [2, 3]),
        ("$[1:2]", [1, 2, 3], [2]),
        ("$[:-1]", [1, 2, 3], [1, 2]),
        ("$[*]", [1, 2], [1, 2]),
        ("$.*", {"a": 1, "b": 2}, [1, 2]),
        ("$.features[0:2]", {"features": [1, 2, 3]}, [1, 2]),
    ],
)
def test_paths(path: str, document: Any, found: Any) -> None:
    assert JsonPath.parse(path).of(document) == found


@pytest.mark.parametrize("path", ["a", "", "$..a", "$[?(@.a)]", "$.a.length()", "$[1:2:3]", "$["])
def test_malformed_paths(path: str) -> None:
    with pytest.raises(PathError):
        JsonPath.parse(path)


@pytest.mark.parametrize(("path", "document"), [("$[3]", [1]), ("$[-2]", [1]), ("$.a", {}), ("$.a", [1]), ("$[0]", {})])
def test_paths_to_nowhere(path: str, document: Any) -> None:
    with pytest.raises(PathError):
        JsonPath.parse(path).of(document)


@pytest.mark.parametrize(
    ("batching", "data", "bodies"),
    [
        (Batching("None", False, None), b"a\nb\n", [b"a\nb\n"]),
        (Batching("Line", False, None), b"a\nb\n", [b"a\nb\n"]),
        (Batching("Line", False, 3), b"a\nb\nc\n", [b"a\nb", b"c\n"]),
        (Batching("Line", False, 3), b"abc\nd", [b"abc", b"d"]),
        (Batching("Line", False, 5), b"a\nb", [b"a\nb"]),
        (Batching("Line", True, None), b"a\nb\n", [b"a", b"b"]),
        (Batching("Line", True, None), b"", []),
        (Batching("Line", False, None), b"", []),
    ],
)
def test_batches(batching: Batching, data: bytes, bodies: list[bytes]) -> None:
    assert list(batching.batches(data)) == bodies


@pytest.mark.parametrize(
    "batching", [Batching("None", False, 3), Batching("Line", False, 3), Batching("Line", True, 3)]
)
def test_too_large(batching: Batching) -> None:
    with pytest.raises(RecordError, match="exceeds MaxPayloadInMB"):
        list(batching.batches(b"a\nabcd\nb\n"))


@given(st.lists(st.binary(max_size=8).filter(lambda line: b"\n" not in line), max_size=30), st.integers(8, 40))
def test_packing_keeps_all_lines_within_the_limit(lines: list[bytes], limit: int) -> None:
    data = b"".join(line + b"\n" for line in lines)
    bodies = list(Batching("Line", False, limit).batches(data))
    assert all(len(body) <= limit for body in bodies)
    assert b"\n".join(bodies) in (data, data.removesuffix(b"\n"))


def _recordio(record: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(record)) + record + b"\0" * (-len(record) % 4)


def _tfrecord(record: bytes) -> bytes:
    return struct.pack("<Q", len(record)) + b"crc1" + record + b"crc2"


@pytest.mark.parametrize(("split", "frame"), [("RecordIO", _recordio), ("TFRecord", _tfrecord)])
def test_framed_records(split: str, frame: Any) -> None:
    data = frame(b"abc") + frame(b"defgh") + frame(b"i")
    assert list(Batching(split, True, None).batches(data)) == [b"abc", b"defgh", b"i"]
    assert list(Batching(split, False, None).batches(data)) == [data]
    limit = len(frame(b"abc") + frame(b"defgh"))
    assert list(Batching(split, False, limit).batches(data)) == [frame(b"abc") + frame(b"defgh"), frame(b"i")]
    with pytest.raises(RecordError):
        list(Batching(split, True, None).batches(data + b"xx"))


def processing(content: str = "text/csv", accept: str | None = None, **wanted: str) -> Any:
    return of({
        "TransformInput": {"ContentType": content}, "TransformOutput": {"Accept": accept or content},
        "DataProcessing": wanted,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("path", "rows", "found"),
    [
        ("$[1:]", b"id7,5,6\nid8,1,2\n", b"5,6\n1,2\n"),
        ("$[1:]", b"id7,5,6", b"5,6"),
        ("$[:2]", b"1,2,3\n4,5,6\n", b"1,2\n4,5\n"),
        ("$[1:2]", b"1,2,3\n4,5,6\n", b"2\n5\n"),
        ("$[0]", b"1,2\n3,4\n", b"1\n3\n"),
        ("$[-1]", b"1,2\n3,4\n", b"2\n4\n"),
        ("$[0,-1]", b"1,2,3\n4,5,6\n", b"1,3\n4,6\n"),
        ("$[2,0]", b"1,2,3\n", b"3,1\n"),
        ("$[:-1]", b"1,2,3\n", b"1,2\n"),
        ("$[*]", b"1,2\n", b"1,2\n"),
        ("$[1:]", b"1,2\n3\n", b"2\n\n"),
        ("$[1:]", b'"a,b",2,3\n', b"2,3\n"),
        ("$[0:1]", b'"a,b",2\n', b'"a,b"\n'),
        ("$[0]", b'"plain",2\n', b"plain\n"),
        ("$[1:]", b"1,2\r\n3,4\r\n", b"2\n4\n"),
    ],
)
def test_csv_filters(path: str, rows: bytes, found: bytes) -> None:
    assert filter_csv(rows, JsonPath.parse(path)) == found


@given(
    st.lists(st.lists(st.sampled_from(["", "1", "-2.5", "x"]), min_size=4, max_size=4), min_size=1, max_size=6),
    st.sampled_from(["$[0]", "$[3]", "$[1:]", "$[2:]", "$[:3]", "$[1:3]", "$[0,-1]", "$[-2]", "$[-2:]"]),
)
def test_csv_filters_agree_with_the_path_on_each_row(rows: list[list[str]], path: str) -> None:
    parsed = JsonPath.parse(path)
    expected = "".join(",".join(parsed.of_row(row)) + "\n" for row in rows)
    assert filter_csv("".join(",".join(row) + "\n" for row in rows).encode(), parsed).decode() == expected


def test_the_documented_example() -> None:
    work = processing(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]")
    assert work.request(b"id7,5,6\n") == b"5,6\n"
    assert work.output(b"id7,5,6\n", b"0.9\n") == b"id7,0.9\n"


@pytest.mark.parametrize(
    ("wanted", "batch", "response", "found"),
    [
        ({"JoinSource": "Input"}, b"1,2,3", b"0.9\n", b"1,2,3,0.9\n"),
        ({"JoinSource": "Input"}, b"1,2\n3,4\n", b"0.9\n0.8", b"1,2,0.9\n3,4,0.8\n"),
        ({"JoinSource": "Input"}, b'"a,b",2', b"0.9,0.1\n", b'"a,b",2,0.9,0.1\n'),
        ({"JoinSource": "Input", "OutputFilter": "$[-1]"}, b"1,2\n3,4\n", b"0.9\n0.8\n", b"0.9\n0.8\n"),
        ({"JoinSource": "Input", "InputFilter": "$[0]", "OutputFilter": "$[1:]"}, b"1,2\n", b"9\n", b"2,9\n"),
        ({"OutputFilter": "$[0]"}, b"1,2\n", b"0.9,0.1\n", b"0.9\n"),
        ({"JoinSource": "Input"}, b"1\n", b'"[0.1, 0.9]"\n', b'1,"[0.1, 0.9]"\n'),
    ],
)
def test_csv_joins(wanted: dict[str, str], batch: bytes, response: bytes, found: bytes) -> None:
    assert processing(**wanted).output(batch, response) == found


@pytest.mark.parametrize(
    ("content", "wanted", "batch", "request_", "response", "found"),
    [
        ("application/jsonlines", {"InputFilter": "$.x", "JoinSource": "Input"},
         b'{"x": [1], "id": 1}\n{"x": [2], "id": 2}\n',
         b"[1]\n[2]\n", b"0.5\n0.7\n",
         b'{"SageMakerOutput":0.5,"id":1,"x":[1]}\n{"SageMakerOutput":0.7,"id":2,"x":[2]}\n'),
        ("application/jsonlines", {"JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
         b'{"x": [1], "id": 1}\n', b'{"x": [1], "id": 1}\n', b'{"p": 1}\n',
         b'{"SageMakerOutput":{"p":1},"id":1}\n'),
        ("application/json", {"JoinSource": "Input"}, b"[1, 2]", b"[1, 2]", b'{"predictions": [3]}',
         b'{"SageMakerInput":[1,2],"SageMakerOutput":{"predictions":[3]}}'),
        ("application/json", {"InputFilter": "$.x", "JoinSource": "Input"}, b'{"x": 1, "SageMakerOutput": 0}', b"1",
         b"2",
         b'{"SageMakerOutput":2,"x":1}'),
        ("application/json", {"OutputFilter": "$.predictions"}, b"{}", b"{}", b'{"predictions": [3]}', b"[3]"),
    ],
)  # fmt: skip
def test_json(
    content: str, wanted: dict[str, str], batch: bytes, request_: bytes, response: bytes, found: bytes
) -> None:
    work = processing(content, **wanted)
    assert work.request(batch) == request_
    assert work.output(batch, response) == found


@pytest.mark.parametrize(
    ("wanted", "batch", "response", "text"),
    [
        ({"InputFilter": "$[5]"}, b"1,2\n", None, "Failed to parse input as CSV: Index out of bound: [5]"),
        ({"InputFilter": "$[1:]"}, b'1,a"b\n', None,
         'Failed to parse input as CSV: bare " in non quoted field found near: 1,a"b'),
        ({"JoinSource": "Input"}, b"1\n2\n", b"0.9\n", "Failed to parse output from the algorithm as CSV"),
        ({"JoinSource": "Input", "OutputFilter": "$[7]"}, b"1\n", b"2\n", "Failed to parse output from the "),
    ],
)  # fmt: skip
def test_what_does_not_fit(wanted: dict[str, str], batch: bytes, response: bytes | None, text: str) -> None:
    work = processing(**wanted)
    with pytest.raises(DataProcessingError) as error:
        work.request(batch) if response is None else work.output(batch, response)
    assert str(error.value).startswith(text)


def test_documents_are_written_as_recorded() -> None:
    """Lines that a transform job wrote in 2023 (see `batch_json`), from what the model answered."""
    work = processing("application/jsonlines", JoinSource="Input")
    scores = [0.04764571785926819, 0.3331327736377716, 0.05063043162226677, 0.9899773597717285, 1.0, 1e-07]
    texts = ["0.047645717859268", "0.333132773637771", "0.050630431622266", "0.989977359771728", "1.0", "1e-07"]
    given = "".join('{"features": [29, 2], "name": "é"}\n' for _ in scores).encode()
    response = "".join(f'{{"score": {score!r}, "predicted_label": 0}}\n' for score in scores).encode()
    expected = [
        f'{{"SageMakerOutput":{{"predicted_label":0,"score":{text}}},"features":[29,2],"name":"é"}}' for text in texts
    ]
    assert work.output(given, response).decode().splitlines() == expected


@pytest.mark.parametrize(
    ("content", "wanted", "batch", "response", "found"),
    [
        ("text/csv", {}, b"1\n2\n", b"0.1\n0.2", "0.1,ID,TIME\n0.2,ID,TIME\n"),
        ("text/csv", {"JoinSource": "Input", "OutputFilter": "$[0,-1]"}, b"7,8\n", b"9\n", "7,9,ID,TIME\n"),
        ("application/jsonlines", {}, b"1\n", b'{"p": 1}\n',
         '{"SageMakerInferenceId":"ID","SageMakerInferenceTime":"TIME","p":1}\n'),
        ("application/jsonlines", {}, b"1\n", b"0.5\n",
         '{"SageMakerInferenceId":"ID","SageMakerInferenceTime":"TIME","SageMakerOutput":0.5}\n'),
        ("application/json", {"JoinSource": "Input"}, b'{"x": 1}', b"2",
         '{"SageMakerInferenceId":"ID","SageMakerInferenceTime":"TIME","SageMakerOutput":2,"x":1}'),
    ],
)  # fmt: skip
def test_inference_ids(content: str, wanted: dict[str, str], batch: bytes, response: bytes, found: str) -> None:
    time = "2023-01-21T01:29:04Z"
    work = of({
        "TransformInput": {"ContentType": content}, "TransformOutput": {"Accept": content}, "DataProcessing": wanted,
        "DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": True},
    }, time)  # fmt: skip
    assert work.request(batch) == batch
    text = work.output(batch, response).decode()
    identities = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
    assert len(set(identities)) == len(identities) == found.count("ID")
    assert re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text).replace(time, "TIME") == found


def test_a_union_of_ranges_is_refused_in_the_words_of_aws() -> None:
    with pytest.raises(PathError) as error:
        processing(OutputFilter="$[0:2,246:]")
    assert str(error.value) == (
        "Invalid JsonPath: $[0:2,246:]: only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,246:] is not supported"
    )


def test_no_processing_leaves_bodies_alone() -> None:
    assert isinstance(processing(), PassThrough)
    assert isinstance(processing(InputFilter="$", OutputFilter="$", JoinSource="None"), PassThrough)


@pytest.mark.parametrize(
    ("content", "accept", "wanted"),
    [
        ("text/csv", "application/json", {"JoinSource": "Input"}),
        ("text/csv", None, {"InputFilter": "$.a"}),
        ("image/png", None, {"InputFilter": "$[0]"}),
    ],
)
def test_refused_processing(content: str, accept: str | None, wanted: dict[str, str]) -> None:
    with pytest.raises(PathError):
        processing(content, accept, **wanted)


@pytest.mark.parametrize(
    ("request_", "container", "found"),
    [
        ({}, {}, TransformParameters(1, 6, "MULTI_RECORD")),
        ({}, {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2},
         TransformParameters(4, 2, "SINGLE_RECORD")),
        ({"MaxConcurrentTransforms": 3, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 0},
         {"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD"}, TransformParameters(3, 0, "MULTI_RECORD")),
        ({"BatchStrategy": "SingleRecord"}, {"MaxPayloadInMB": 20}, TransformParameters(1, 20, "SINGLE_RECORD")),
    ],
)  # fmt: skip
def test_parameters(request_: dict[str, Any], container: dict[str, Any], found: TransformParameters) -> None:
    assert TransformParameters.of(request_, container) == found
