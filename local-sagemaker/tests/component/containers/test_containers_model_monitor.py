"""The Model Monitor image: jobs in processes, with every dataset format, scripts, baselines and odd input."""

import bz2
import gzip
import io
import json
import lzma
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from jsonschema import validate
from pyarrow import parquet

from local_sagemaker.errors import ServiceError
from local_sagemaker.images import find
from tests import monitor_schemas as schemas
from tests.analyzer_jobs import JobFolder

URI = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CSV = {"csv": {"header": False, "output_columns_position": "START"}}
CSV_HEADER = {"csv": {"header": True, "output_columns_position": "START"}}
NO_VIOLATIONS = "Completed: Job completed successfully with no violations."
FRAME = pd.DataFrame({"y": [1, 2, 3, 4], "x": [0.5, 1.5, None, 2.5], "c": ["a", "b", "a", "a"]})


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def test_the_image_only_processes_and_takes_no_command() -> None:
    image, uri = find(URI, "process")
    program = image.process(uri, None, None)
    assert program.entry == "local_sagemaker.containers.analyzers.model_monitor_job:main"
    for refused in (
        lambda: image.process(uri, ["python3"], None),
        lambda: image.train(uri),
        lambda: image.serve(uri, {}),
    ):
        with pytest.raises(ServiceError):
            refused()


def contents(kind: str) -> tuple[dict[str, str | bytes], Any]:
    records = FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")
    captured = [
        {
            "captureData": {
                "endpointOutput": {"encoding": "CSV", "data": f"{r['y']}\n"},
                "endpointInput": {"encoding": "CSV", "data": f"{'' if r['x'] is None else r['x']},{r['c']}"},
            },
            "eventMetadata": {"eventId": "e", "inferenceTime": "2026-01-01T00:00:00Z"},
        }
        for r in records
    ]
    parquet = io.BytesIO()
    FRAME.to_parquet(parquet)
    lines = "".join(f"{json.dumps(r)}\n" for r in records)
    return {
        "csv": (
            {
                "a.csv": FRAME[:2].to_csv(index=False, header=False),
                "b.out": FRAME[2:].to_csv(index=False, header=False),
            },
            CSV,
        ),
        "csv with header": ({"sub/a.csv": FRAME.to_csv(index=False)}, CSV_HEADER),
        "json lines": ({"a.jsonl": lines}, {"json": {"lines": True}}),
        "json": ({"a.json": json.dumps(records)}, {"json": {"lines": False}}),
        "parquet": ({"a.parquet": parquet.getvalue()}, {"parquet": {}}),
        "capture": ({"a.jsonl": "".join(f"{json.dumps(e)}\n" for e in captured)}, {"sagemakerCaptureJson": {}}),
    }[kind]


@pytest.mark.parametrize("kind", ["csv", "csv with header", "json lines", "json", "parquet", "capture"])
def test_the_same_table_in_every_format_has_the_same_statistics(jobs: JobFolder, kind: str) -> None:
    data, dataset_format = contents(kind)
    ended = jobs.monitor({**data, ".hidden": "x", "_SUCCESS": ""}, dataset_format)
    assert (ended.code, ended.message) == (0, NO_VIOLATIONS)
    assert ended.files() == ["constraints.json", "statistics.json"]
    statistics, constraints = ended.json("statistics.json"), ended.json("constraints.json")
    validate(statistics, schemas.STATISTICS)
    validate(constraints, schemas.CONSTRAINTS)
    names = [feature["name"] for feature in statistics["features"]]
    assert names == (["_c0", "_c1", "_c2"] if kind in ("csv", "capture") else ["y", "x", "c"])
    y, x, c = statistics["features"]
    assert (y["inferred_type"], x["inferred_type"], c["inferred_type"]) == ("Integral", "Fractional", "String")
    assert y["numerical_statistics"]["sum"] == 10.0
    assert x["numerical_statistics"]["common"] == {"num_present": 3, "num_missing": 1}
    assert x["numerical_statistics"]["mean"] == pytest.approx(1.5)
    assert c["string_statistics"]["distribution"]["categorical"]["buckets"][0] == {"value": "a", "count": 3}
    assert constraints["features"][2]["string_constraints"] == {"domains": ["a", "b"]}


def test_a_baseline_passes_against_itself_and_drifted_data_does_not(jobs: JobFolder) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=800), "b": random.choice(["x", "y"], 800)})
    first = jobs.monitor({"a.csv": frame.to_csv(index=False)}, CSV_HEADER)
    baseline = jobs.keep_baseline(first)
    same = jobs.monitor({"a.csv": frame.sample(frac=1, random_state=1).to_csv(index=False)}, CSV_HEADER, **baseline)
    assert same.message == NO_VIOLATIONS
    assert "constraint_violations.json" not in same.files()
    frame.loc[::4, "a"] = None
    frame.loc[::3, "b"] = "new"
    drifted = jobs.monitor({"a.csv": frame.to_csv(index=False)}, CSV_HEADER, **baseline)
    found = drifted.json("constraint_violations.json")
    validate(found, schemas.DATA_VIOLATIONS)
    assert drifted.code == 0
    count = len(found["violations"])
    assert drifted.message == f"CompletedWithViolations: Job completed successfully with {count} violations."
    assert {(v["feature_name"], v["constraint_check_type"]) for v in found["violations"]} == {
        ("a", "completeness_check"),
        ("b", "baseline_drift_check"),
        ("b", "categorical_values_check"),
    }


def test_the_violations_file_is_spelled_like_sparks() -> None:
    from model_checks.analysis import spark_json

    assert spark_json.dumps({"violations": [{"feature_name": "a"}]}).startswith(
        '{\n  "violations" : [ {\n    "feature_name"'
    )


ODD: dict[str, tuple[str | bytes, Any, Any]] = {
    # what a dataset holds: its content, its format, and either a text of the failure or the types of the columns
    "nothing": ("", CSV, "is empty"),
    "only a header": ("a,b\n", CSV_HEADER, "is empty"),
    "one row": ("1,x\n", CSV, ["Integral", "String"]),
    "a constant": ("5\n5\n5\n", CSV, ["Integral"]),
    "nothing but missing values": ("1,\n2,\n", CSV, ["Integral", "Unknown"]),
    "mixed types": ("1\nx\n2.5\n", CSV, ["String"]),
    "quotes and line ends in fields": ('1,"a, ""b""\nc"\n2,d\n', CSV, ["Integral", "String"]),
    "bytes that are not UTF-8": (b"1,\xff\xfe\n2,b\n", CSV, ["Integral", "String"]),
    "records of different lengths": ("1,2\n3\n4,5,6\n", CSV, ["Integral", "Integral"]),
    "json that is none": ("{nope", {"json": {"lines": True}}, "Could not find any json file under directory"),
    "nested json": (
        '{"a": {"b": 1}, "c": 1}',
        {"json": {"lines": True}},
        "We currently only support flat json at the moment.",
    ),
    "a wrong format": ("1\n", {"xml": {}}, "Unknown dataset_format"),
    "no parquet": ("1\n", {"parquet": {}}, "Could not find any parquet file under directory"),
}


@pytest.mark.parametrize("name", list(ODD))
def test_odd_input_gives_a_sound_baseline_or_says_what_is_wrong(jobs: JobFolder, name: str) -> None:
    content, dataset_format, expected = ODD[name]
    ended = jobs.monitor({"data.csv": content}, dataset_format)
    if isinstance(expected, str):
        assert ended.code == 255
        assert expected in ended.message
        assert (ended.ml / "output" / "failure").read_text() == ended.message
        assert ended.files() == []
    else:
        statistics = ended.json("statistics.json")
        validate(statistics, schemas.STATISTICS)
        assert [feature["inferred_type"] for feature in statistics["features"]] == expected


def test_a_missing_dataset_is_worded_as_aws_words_it(jobs: JobFolder) -> None:
    ended = jobs.monitor({}, {"sagemakerCaptureJson": {}})
    assert ended.message == (
        "Error: Could not find any json file under directory /opt/ml/processing/input/baseline_dataset_input. Please "
        "verify if the provided dataset path is correct or if data capturing in your Endpoint is turned on."
    )


def test_scripts(jobs: JobFolder) -> None:
    jobs.write(
        "processing/input/record_preprocessor_script_input/prepare.py",
        "def preprocess_handler(line, logger):\n"
        "    y, x = line.split(',')\n"
        "    return [] if y == '3' else {'b': float(x), 'a': int(y)}\n",
    )
    jobs.write(
        "processing/input/post_analytics_processor_script_input/after.py",
        "from pathlib import Path\n"
        "def postprocess_handler():\n"
        "    out = Path('/opt/ml/processing/output')\n"
        "    (out / 'seen.txt').write_text(' '.join(sorted(p.name for p in out.iterdir())))\n",
    )
    folder = "/opt/ml/processing/input"
    scripts = {
        "record_preprocessor_script": f"{folder}/record_preprocessor_script_input/prepare.py",
        "post_analytics_processor_script": f"{folder}/post_analytics_processor_script_input/after.py",
    }
    ended = jobs.monitor({"a.csv": "1,0.5\n2,1.5\n3,9.5\n"}, CSV, **scripts)
    features = ended.json("statistics.json")["features"]
    assert [f["name"] for f in features] == ["a", "b"]
    assert features[1]["numerical_statistics"]["sum"] == 2.0
    assert (ended.output / "seen.txt").read_text() == "constraints.json statistics.json"


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "deep/A.JSON"])
def test_a_file_that_is_named_as_json_is_named_when_it_is_none(jobs: JobFolder, name: str) -> None:
    ended = jobs.monitor({name: "{nope"}, {"json": {"lines": True}})
    assert f"{name.rsplit('/')[-1]}, line 1: not JSON" in ended.message


def test_json_may_have_any_name(jobs: JobFolder) -> None:
    ended = jobs.monitor({"a.jsonl.out": '{"x": 1}\n'}, {"json": {"lines": True}})
    assert [feature["name"] for feature in ended.json("statistics.json")["features"]] == ["x"]


COMPRESSED = {
    "a.csv.gz": gzip.compress,
    "a.csv.bz2": bz2.compress,
    "a.csv.deflate": zlib.compress,
    "a.csv.zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_files_are_opened_as_spark_opens_them(jobs: JobFolder, name: str) -> None:
    ended = jobs.monitor({name: COMPRESSED[name](b"x,y\n1,a\n2,b\n")}, CSV_HEADER)
    statistics = ended.json("statistics.json")
    assert statistics["dataset"] == {"item_count": 2}
    assert [(f["name"], f["inferred_type"]) for f in statistics["features"]] == [("x", "Integral"), ("y", "String")]


def test_compressed_files_beside_plain_ones_and_damaged_ones(jobs: JobFolder) -> None:
    line = b'{"x": 1}\n'
    ended = jobs.monitor({"a.jsonl": line, "b.jsonl.gz": gzip.compress(line) * 2}, {"json": {"lines": True}})
    assert ended.json("statistics.json")["dataset"] == {"item_count": 3}
    for name, content in (("a.csv.gz", b"1,2\n"), ("a.csv.gz", gzip.compress(b"1,2\n" * 99)[:-9]), ("a.bz2", b"x")):
        ended = jobs.monitor({name: content}, CSV)
        assert ended.code == 255
        assert f"{name} can't be decompressed: " in ended.message
    assert "a.csv.snappy: Hadoop's snappy format is not supported" in jobs.monitor({"a.csv.snappy": b""}, CSV).message


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("a,b,a", ["a0", "b", "a2"]),
        ("a,B,A,b", ["a0", "B1", "A2", "b3"]),
        ("a,,a", ["a0", "_c1", "a2"]),
        ("a,a,a1", "Error: Found duplicate column(s) in the data schema: `a1`"),
        ("_c1,", "Error: Found duplicate column(s) in the data schema: `_c1`"),
    ],
)
def test_names_that_clash_are_made_different_as_spark_does(
    jobs: JobFolder, header: str, names: list[str] | str
) -> None:
    ended = jobs.monitor({"a.csv": f"{header}\n{','.join('1' for _ in header.split(','))}\n"}, CSV_HEADER)
    if isinstance(names, str):
        assert ended.message == names
    else:
        assert [feature["name"] for feature in ended.json("statistics.json")["features"]] == names


@pytest.mark.parametrize("names", [["a", "a"], ["a", "A"]])
def test_columns_of_parquet_that_clash_are_refused_as_spark_does(jobs: JobFolder, names: list[str]) -> None:
    sink = io.BytesIO()
    parquet.write_table(pa.table([[1, 2], [3, 4]], names=names), sink)
    ended = jobs.monitor({"a.parquet": sink.getvalue()}, {"parquet": {}})
    assert (ended.code, ended.message) == (255, "Error: Found duplicate column(s) in the data schema: `a`")


@pytest.mark.parametrize("encode", [gzip.compress, lzma.compress, lambda text: text.decode().encode("utf-16")])
def test_csv_that_is_no_text_says_so(jobs: JobFolder, encode: Any) -> None:
    """Spark goes by the end of a file's name; what it makes of such bytes is of no use."""
    ended = jobs.monitor({"a.csv": encode(b"a,b\n1,2\n" * 9)}, CSV_HEADER)
    assert (ended.code, "a.csv is not CSV in UTF-8" in ended.message) == (255, True), ended.message


@pytest.mark.parametrize(
    "code",
    [
        "1 / 0\n",
        "import nowhere\n",
        "import local_sagemaker\n",
        "import model_checks\n",
        "def preprocess_handler(r):\n    return r['x']\n",
    ],
)
def test_a_preprocessor_that_raises(jobs: JobFolder, code: str) -> None:
    jobs.write("processing/input/s/p.py", code)
    ended = jobs.monitor({"a.csv": "1\n"}, CSV, record_preprocessor_script="/opt/ml/processing/input/s/p.py")
    assert (ended.code, ended.message) == (255, "Error: Exception while invoking preprocessor script.")


@pytest.mark.parametrize("code", ["def other(): pass\n", "def preprocess_handler(r):\n    return 5\n"])
def test_a_wrong_preprocessor_is_named_as_aws_names_it(jobs: JobFolder, code: str) -> None:
    jobs.write("processing/input/s/p.py", code)
    ended = jobs.monitor({"a.csv": "1\n"}, CSV, record_preprocessor_script="/opt/ml/processing/input/s/p.py")
    assert (ended.code, ended.message) == (255, "Preprocess Handler not implemented correctly in customer script.")


@pytest.mark.parametrize(
    ("rows", "classes"),
    [("1,0\n0,0\n1,1\n", ["0", "1"]), ("1,1\n1,1\n1,0\n", ["1", "0"])],
)
def test_classes_are_those_of_the_labels_then_those_only_predicted(
    jobs: JobFolder, rows: str, classes: list[str]
) -> None:
    ended = jobs.monitor(
        {"a.csv": "y,p\n" + rows}, CSV_HEADER, analysis_type="MODEL_QUALITY", problem_type="BinaryClassification",
        inference_attribute="p", ground_truth_attribute="y",
    )  # fmt: skip
    matrix = ended.json("statistics.json")["binary_classification_metrics"]["confusion_matrix"]
    assert list(matrix) == list(matrix[classes[0]]) == classes


def test_a_preprocessor_sees_captured_records_as_objects(jobs: JobFolder) -> None:
    jobs.write(
        "processing/input/s/p.py",
        "def preprocess_handler(record):\n"
        "    inputs = record.endpoint_input.data.split(',')\n"
        "    rows = {str(i).zfill(20): float(v) for i, v in enumerate(inputs)}\n"
        "    return {'out': float(record.endpoint_output.data), 'id': record.event_metadata.event_id, **rows}\n",
    )
    data, dataset_format = contents("capture")
    data = {name: str(content).replace(",a", ",7").replace(",b", ",8") for name, content in data.items()}
    data = {name: content.replace('"data": ",', '"data": "0,') for name, content in data.items()}
    ended = jobs.monitor(data, dataset_format, record_preprocessor_script="/opt/ml/processing/input/s/p.py")
    names = [feature["name"] for feature in ended.json("statistics.json")["features"]]
    assert names == ["0".zfill(20), "1".zfill(20), "id", "out"]


def test_captures_outside_the_window_are_left_out_and_named_by_the_baseline(jobs: JobFolder) -> None:
    data, dataset_format = contents("capture")
    first = jobs.monitor({"a.csv": FRAME.to_csv(index=False)}, CSV_HEADER)
    baseline = jobs.keep_baseline(first)
    inside = {"start_time": "2025-12-31T23:00:00Z", "end_time": "2026-01-01T00:30:00Z"}
    ended = jobs.monitor(data, dataset_format, **baseline, **inside)
    assert [f["name"] for f in ended.json("statistics.json")["features"]] == ["y", "x", "c"]
    assert ended.message == NO_VIOLATIONS
    late = {"start_time": "2026-01-01T00:30:00Z", "end_time": "2026-01-01T01:30:00Z"}
    assert jobs.monitor(data, dataset_format, **late).code == 255
