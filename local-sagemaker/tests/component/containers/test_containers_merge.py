"""The ground-truth merger: joined by inference id or event id, in the files' places, and then read by the analyzer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.images import find
from tests.analyzer_jobs import MERGER, Ended, JobFolder
from tests.support import shared_file

URI = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-groundtruth-merger"
HOUR = "shop/AllTraffic/2024/10/22/23"


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def label(event: str, data: str) -> str:
    truth = {"data": data, "encoding": "CSV"}
    return json.dumps({"groundTruthData": truth, "eventMetadata": {"eventId": event}, "eventVersion": "0"}) + "\n"


def merge(jobs: JobFolder, captured: dict[str, str], labels: str | None, **environment: str) -> Ended:
    for name, content in captured.items():
        jobs.write(f"processing/input_data/{name}", content)
    if labels is not None:
        jobs.write("processing/groundtruth/2024/10/22/23/labels.jsonl", labels)
    base = {
        "dataset_source": "/opt/ml/processing/input_data",
        "ground_truth_source": "/opt/ml/processing/groundtruth",
        "output_path": "/opt/ml/processing/output",
    }
    return jobs.run(MERGER, {**base, **environment})


def lines(ended: Ended, name: str) -> list[Any]:
    return [json.loads(line) for line in (ended.output / name).read_text().splitlines()]


def event(identity: str, inference: str | None = None, time: str = "2024-10-22T23:10:00Z", score: float = 0.5) -> str:
    metadata = {"eventId": identity, "inferenceTime": time} | ({"inferenceId": inference} if inference else {})
    output = {"observedContentType": "text/csv", "mode": "OUTPUT", "data": f"{score}\n", "encoding": "CSV"}
    captured = {"endpointInput": {**output, "mode": "INPUT", "data": "1,2"}, "endpointOutput": output}
    return json.dumps({"captureData": captured, "eventMetadata": metadata, "eventVersion": "0"}) + "\n"


def test_the_image_only_processes_and_takes_no_command() -> None:
    image, uri = find(URI, "process")
    assert image.process(uri, None, None).entry == "local_sagemaker.containers.analyzers.merge_job:main"
    with pytest.raises(ServiceError):
        image.process(uri, ["python3"], None)
    for refused in (lambda: image.train(uri), lambda: image.serve(uri, {})):
        with pytest.raises(ServiceError, match="processing jobs"):
            refused()


def test_labels_are_joined_by_inference_id_else_by_event_id(jobs: JobFolder) -> None:
    captured = {
        f"{HOUR}/a.jsonl": event("e1", "7") + event("e2") + event("e3", "9"),
        f"{HOUR}/b.jsonl": event("e4"),
        f"{HOUR}/c.jsonl": event("e5"),
    }
    # e1 has an inference id, so its event id is nobody's; of two labels the later one counts
    truth = (
        label("7", "0") + label("7", "1") + label("e2", "0") + label("e1", "5") + label("e4", "1") + label("no", "2")
    )
    ended = merge(jobs, captured, truth)
    assert (ended.code, (ended.ml / "output" / "message").exists()) == (0, False)
    assert ended.files() == [f"{HOUR}/a.jsonl", f"{HOUR}/b.jsonl"]
    found = {line["eventMetadata"]["eventId"]: line for line in lines(ended, f"{HOUR}/a.jsonl")}
    assert {name: line["groundTruthData"]["data"] for name, line in found.items()} == {"e1": "1", "e2": "0"}
    assert found["e1"] == json.loads(event("e1", "7")) | {"groundTruthData": {"data": "1", "encoding": "CSV"}}


def test_only_events_of_the_window_are_merged(jobs: JobFolder) -> None:
    captured = event("early", time="2024-10-22T22:59:59Z") + event("in") + event("late", time="2024-10-23T00:00:00Z")
    window = {"start_time": "2024-10-22T23:00:00Z", "end_time": "2024-10-23T00:00:00Z"}
    ended = merge(
        jobs, {f"{HOUR}/a.jsonl": captured}, "".join(label(e, "1") for e in ("early", "in", "late")), **window
    )
    assert [line["eventMetadata"]["eventId"] for line in lines(ended, f"{HOUR}/a.jsonl")] == ["in"]


def test_the_records_of_a_batch_transform_are_merged_by_their_inference_id(jobs: JobFolder) -> None:
    record = {"SageMakerInferenceId": "i1", "SageMakerInferenceTime": "2023-01-21T01:29:04Z"}
    record |= {"SageMakerOutput": {"score": 0.5}, "features": [1, 2]}
    captured = {"out/a.jsonl.out": json.dumps(record) + "\n", "out/b.csv.out": '1,"x, y",0.7,i2,2023-01-21T01:29:04Z\n'}
    ended = merge(jobs, captured, label("i1", "1") + label("i2", "0"))
    (first,), (second,) = lines(ended, "out/a.jsonl.out"), lines(ended, "out/b.csv.out")
    batch = {"data": '{"SageMakerOutput":{"score":0.5},"features":[1,2]}', "encoding": "JSON"}
    assert first["captureData"] == {"batchTransformOutput": batch}
    assert first["groundTruthData"]["data"] == "1"
    assert second["captureData"]["batchTransformOutput"] == {"data": '1,"x, y",0.7', "encoding": "CSV"}


@pytest.mark.truth
def test_the_merged_records_have_the_members_of_recorded_ones(jobs: JobFolder) -> None:
    endpoint = json.loads(shared_file("truth/clarify-adult-ll-bias/merged_record_endpoint.json").read_text())
    captured = {name: value for name, value in endpoint.items() if name != "groundTruthData"}
    truth = {"groundTruthData": endpoint["groundTruthData"], "eventVersion": "0"}
    truth["eventMetadata"] = {"eventId": endpoint["eventMetadata"]["inferenceId"]}
    ended = merge(jobs, {f"{HOUR}/a.jsonl": json.dumps(captured) + "\n"}, json.dumps(truth) + "\n")
    assert lines(ended, f"{HOUR}/a.jsonl") == [endpoint]


@pytest.mark.truth
def test_the_merged_records_of_a_transform_have_the_members_of_recorded_ones(jobs: JobFolder) -> None:
    recorded = json.loads(shared_file("truth/clarify-adult-ll-bias/merged_record_transform.json").read_text())
    identity = recorded["eventMetadata"]["eventId"]
    line = {"SageMakerInferenceId": identity, **json.loads(recorded["captureData"]["batchTransformOutput"]["data"])}
    truth = {name: recorded[name] for name in ("groundTruthData", "eventMetadata", "eventVersion")}
    ended = merge(jobs, {"a.out": json.dumps(line) + "\n"}, json.dumps(truth) + "\n")
    (found,) = lines(ended, "a.out")
    assert found == recorded and list(found) == list(recorded)


def test_what_was_merged_is_what_model_quality_reads(jobs: JobFolder) -> None:
    captured = "".join(event(f"e{i}", score=0.9 if i % 2 else 0.1) for i in range(8))
    truth = "".join(label(f"e{i}", str(i % 2 if i < 6 else 0)) for i in range(8))
    merged = merge(jobs, {f"{HOUR}/a.jsonl": captured}, truth)
    content = (merged.output / f"{HOUR}/a.jsonl").read_text()
    ended = jobs.monitor(
        {f"{HOUR}/a.jsonl": content},
        {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}},
        analysis_type="MODEL_QUALITY",
        problem_type="BinaryClassification",
        probability_attribute="0",
        probability_threshold_attribute="0.5",
    )
    metrics = ended.json("statistics.json")["binary_classification_metrics"]
    assert metrics["confusion_matrix"] == {"0": {"0": 4, "1": 1}, "1": {"0": 0, "1": 3}}


@pytest.mark.parametrize(
    ("captured", "labels", "message"),
    [
        ({}, label("a", "1"), "There is no captured data to merge: /opt/ml/processing/input_data holds no file."),
        ({"a.jsonl": event("e")}, None, "There is no ground truth to merge"),
        ({"a.jsonl": "{nope\n"}, label("f", "1"), "a.jsonl, line 1: not JSON"),
        ({"a.jsonl": '{"x": 1}\n'}, label("f", "1"), "a.jsonl, line 1: neither a captured request nor"),
        ({"a.jsonl": "1,2\n"}, label("f", "1"), "no inference id and time"),
        ({"a.jsonl": event("e")}, '{"x": 1}\n', "labels.jsonl, line 1: a label needs eventMetadata.eventId"),
    ],
)
def test_what_can_not_be_merged(jobs: JobFolder, captured: Any, labels: Any, message: str) -> None:
    ended = merge(jobs, captured, labels)
    assert ended.code == 255 and message in ended.message and ended.files() == []


def test_where_no_label_fits_the_job_completes_without_a_file(jobs: JobFolder) -> None:
    ended = merge(jobs, {"a.jsonl": event("e")}, label("f", "1"))
    assert (ended.code, (ended.ml / "output" / "message").exists()) == (0, False)
    assert ended.files() == []
