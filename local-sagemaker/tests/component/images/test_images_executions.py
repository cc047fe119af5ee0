"""Model Monitor jobs as recorded executions ended: columns, mini batches, classes, times; refused baselines."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.analyzer_jobs import JobFolder

CSV = {"csv": {"header": False, "output_columns_position": "START"}}


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def quality(problem: str, **more: str) -> dict[str, str]:
    return {"analysis_type": "MODEL_QUALITY", "problem_type": problem, **more}


def test_an_execution_with_another_number_of_columns_leaves_only_that_violation(jobs: JobFolder) -> None:
    first = jobs.monitor({"a.csv": "1,2\n3,4\n"}, CSV)
    baseline = jobs.keep_baseline(first)
    shutil.rmtree(first.output)
    ended = jobs.monitor({"a.csv": "x\n"}, CSV, start_time="2026-02-15T14:00:00Z", **baseline)
    assert ended.message == "CompletedWithViolations: Job completed successfully with 1 violations."
    assert ended.files() == ["constraint_violations.json"]
    assert ended.json("constraint_violations.json")["violations"] == [
        {
            "feature_name": "Missing columns",
            "constraint_check_type": "missing_column_check",
            "description": "There are missing columns in current dataset. Number of columns in current dataset: 1, "
            "Number of columns in baseline constraints: 2",
        }
    ]


def test_a_captured_mini_batch_is_the_text_of_its_output_before_that_of_its_input(jobs: JobFolder) -> None:
    columns = ",".join(["1.5"] * 8)
    baseline = jobs.keep_baseline(jobs.monitor({"a.csv": f"{columns}\n"}, CSV))
    captured = capture("0.0\n4.0\n4.0\n", f"{columns}\n{columns}\n{columns}")
    ended = jobs.monitor({"a.jsonl": captured}, {"sagemakerCaptureJson": {}}, **baseline)
    (found,) = ended.json("constraint_violations.json")["violations"]
    assert found["description"].endswith("current dataset: 1, Number of columns in baseline constraints: 8")


def capture(output: str, given: str) -> str:
    side = {"encoding": "CSV", "observedContentType": "text/csv"}
    captured = {"endpointInput": {**side, "data": given}, "endpointOutput": {**side, "data": output}}
    return json.dumps({"captureData": captured, "eventMetadata": {"eventId": "1"}, "eventVersion": "0"}) + "\n"


@pytest.mark.parametrize(
    ("actual", "predicted", "classes"),
    [
        (["3", "1"], ["0.25", "1"], ["1.0", "3.0", "0.25"]),
        (["3", "1"], ["1", "1"], ["1", "3"]),
        (["3.0", "1.0"], ["1", "1"], ["1.0", "3.0"]),
        (["a", "1.0"], ["1", "a"], ["1", "a"]),
    ],
)
def test_classes_are_sorted_and_doubles_where_one_is_a_fraction(
    jobs: JobFolder, actual: list[str], predicted: list[str], classes: list[str]
) -> None:
    rows = "".join(f"{y},{p}\n" for y, p in zip(actual, predicted, strict=True))
    environment = quality("MulticlassClassification", ground_truth_attribute="_c0", inference_attribute="_c1")
    ended = jobs.monitor({"a.csv": rows}, CSV, **environment)
    assert list(ended.json("statistics.json")["multiclass_classification_metrics"]["confusion_matrix"]) == classes


def test_the_statistics_of_model_quality_tell_the_window_and_the_time(jobs: JobFolder) -> None:
    environment = quality("Regression", ground_truth_attribute="_c0", inference_attribute="_c1")
    window = {"start_time": "2026-02-15T14:00:00Z", "end_time": "2026-02-15T15:00:00Z"}
    dataset = jobs.monitor({"a.csv": "1,2\n"}, CSV, **environment, **window).json("statistics.json")["dataset"]
    assert list(dataset) == ["item_count", "start_time", "end_time", "evaluation_time"]
    assert {name: dataset[name] for name in window} == window


@pytest.mark.parametrize(
    ("output", "attribute"),
    [
        ('{"predictions": [{"label": "x", "score": 2.5}]}', "$.predictions[0].score"),
        ('{"predictions": [{"label": "x", "score": 2.5}]}', "predictions[0]['score']"),
        ('{"score": 2.5}', "$.score"),
        ('{"predictions": [2.5]}', "$.predictions[0]"),
        ("[[2.5]]", "0"),
    ],
)
def test_a_path_names_the_column_of_a_flat_record(jobs: JobFolder, output: str, attribute: str) -> None:
    captured = {"endpointOutput": {"encoding": "JSON", "data": output}}
    line = json.dumps({"captureData": captured, "groundTruthData": {"data": "1", "encoding": "CSV"}})
    merge = {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}
    ended = jobs.monitor({"a.jsonl": line}, merge, **quality("Regression", inference_attribute=attribute))
    assert ended.json("statistics.json")["regression_metrics"]["mae"]["value"] == 1.5


def test_a_baseline_of_another_check_is_refused(jobs: JobFolder) -> None:
    environment = quality("Regression", ground_truth_attribute="_c0", inference_attribute="_c1")
    model = jobs.keep_baseline(jobs.monitor({"a.csv": "1,2\n3,4\n"}, CSV, **environment))
    ended = jobs.monitor({"a.csv": "1,2\n3,4\n"}, CSV, **model)
    path = "/opt/ml/processing/baseline/constraints/constraints.json"
    message = f"Error: The baseline constraints are not those of a data quality baseline: {path}."
    assert (ended.code, ended.message) == (255, message)
    data = jobs.keep_baseline(jobs.monitor({"a.csv": "1,2\n3,4\n"}, CSV))
    ended = jobs.monitor({"a.csv": "1,2\n"}, CSV, baseline_constraints=data["baseline_constraints"], **environment)
    assert ended.message == message.replace("data quality", "model quality")


@pytest.mark.parametrize(
    ("dataset_format", "start", "message"),
    [
        ("csv", "", 'Error: Unknown dataset_format "csv". Known: '),
        (CSV, "yesterday", "Error: start_time is not a time in ISO 8601: yesterday."),
    ],
)
def test_what_the_environment_can_not_say(jobs: JobFolder, dataset_format: Any, start: str, message: str) -> None:
    ended = jobs.monitor({"a.csv": "1\n"}, dataset_format, start_time=start)
    assert ended.code == 255 and ended.message.startswith(message)


def test_times_without_a_zone_are_utc(jobs: JobFolder) -> None:
    lines = [
        capture("1", "2").replace('"1"}', f'"1", "inferenceTime": "2026-02-15T{at}"}}') for at in ("14:10", "15:10")
    ]
    window = {"start_time": "2026-02-15T14:00:00Z", "end_time": "2026-02-15T15:00:00Z"}
    ended = jobs.monitor({"a.jsonl": "".join(lines)}, {"sagemakerCaptureJson": {}}, **window)
    assert ended.json("statistics.json")["dataset"]["item_count"] == 1
