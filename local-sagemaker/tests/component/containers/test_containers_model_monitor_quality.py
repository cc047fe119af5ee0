"""Model quality in the Model Monitor image: regression, binary and multiclass problems, and wrong jobs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate

from tests import monitor_schemas as schemas
from tests.analyzer_jobs import JobFolder
from tests.component.containers.test_containers_model_monitor import CSV, CSV_HEADER


@pytest.fixture
def jobs(tmp_path: Path) -> JobFolder:
    return JobFolder(tmp_path / "ml")


def quality(problem: str, **more: str) -> dict[str, str]:
    return {"analysis_type": "MODEL_QUALITY", "problem_type": problem, **more}


def test_regression_quality_and_its_violations(jobs: JobFolder) -> None:
    y = np.random.default_rng(0).normal(size=300)
    environment = quality("Regression", inference_attribute="_c1", ground_truth_attribute="0")
    first = jobs.monitor(
        {"a.csv.out": pd.DataFrame({"y": y, "p": y + 0.5}).to_csv(index=False, header=False)}, CSV, **environment
    )
    statistics = first.json("statistics.json")
    validate(statistics, schemas.REGRESSION)
    validate(first.json("constraints.json"), schemas.QUALITY_CONSTRAINTS)
    assert statistics["regression_metrics"]["mae"]["value"] == pytest.approx(0.5)
    baseline = {"baseline_constraints": jobs.keep_baseline(first)["baseline_constraints"]}
    worse = pd.DataFrame({"y": y, "p": y + 1}).to_csv(index=False, header=False)
    ended = jobs.monitor({"a.csv.out": worse}, CSV, **environment, **baseline)
    found = ended.json("constraint_violations.json")
    validate(found, schemas.QUALITY_VIOLATIONS)
    assert {v["metric_name"] for v in found["violations"]} == {"mae", "mse", "rmse", "r2"}


@pytest.mark.parametrize("attribute", ["prediction", "probability"])
def test_binary_quality_from_labels_or_probabilities(jobs: JobFolder, attribute: str) -> None:
    frame = pd.DataFrame({"probability": [0.9, 0.7, 0.2, 0.6], "prediction": [1, 1, 0, 0], "label": [1, 0, 0, 1]})
    given = {"probability_attribute": "probability", "probability_threshold_attribute": "0.65"}
    given |= {"inference_attribute": "prediction"} if attribute == "prediction" else {}
    environment = quality("BinaryClassification", ground_truth_attribute="label", **given)
    ended = jobs.monitor({"a.csv": frame.to_csv(index=False)}, CSV_HEADER, **environment)
    statistics = ended.json("statistics.json")
    validate(statistics, schemas.BINARY)
    metrics = statistics["binary_classification_metrics"]
    assert metrics["confusion_matrix"] == {"1": {"1": 1, "0": 1}, "0": {"1": 1, "0": 1}}
    assert metrics["auc"]["value"] == 0.75


def test_multiclass_quality(jobs: JobFolder) -> None:
    frame = pd.DataFrame({"true_label": ["a", "b", "c", "a"], "pred_label": ["a", "b", "a", "a"]})
    environment = quality(
        "MulticlassClassification", ground_truth_attribute="true_label", inference_attribute="pred_label"
    )
    ended = jobs.monitor({"a.csv": frame.to_csv(index=False)}, CSV_HEADER, **environment)
    statistics = ended.json("statistics.json")
    validate(statistics, schemas.MULTICLASS)
    assert statistics["multiclass_classification_metrics"]["accuracy"]["value"] == 0.75


def test_merged_records_have_their_label_beside_the_output(jobs: JobFolder) -> None:
    def line(score: float, truth: str) -> str:
        captured = {"endpointOutput": {"encoding": "CSV", "data": f"{score}\n"}}
        return json.dumps({"captureData": captured, "groundTruthData": {"data": truth, "encoding": "CSV"}})

    lines = "\n".join([line(1.5, "1"), line(2.5, "3")])
    environment = quality("Regression", inference_attribute="0")
    merge = {"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}
    ended = jobs.monitor({"a.jsonl": lines}, merge, **environment)
    assert ended.json("statistics.json")["regression_metrics"]["mae"]["value"] == 0.5


@pytest.mark.parametrize(
    ("environment", "content", "message"),
    [
        (quality("Regression", inference_attribute="7", ground_truth_attribute="_c0"), "1,2\n", "no column 7"),
        (
            quality("Regression", inference_attribute="_c1", ground_truth_attribute="_c0"),
            "1,2\n3,x\n",
            "Column _c1 is not numeric: row 2 has 'x'",
        ),
        (quality("Regression", inference_attribute="_c1"), "1,2\n", "ground_truth_attribute is not set"),
        (quality("Guess", inference_attribute="_c1", ground_truth_attribute="_c0"), "1,2\n", "Unknown problem_type"),
        (quality("Regression", inference_attribute="_c1", ground_truth_attribute="_c0"), ",2\n", "No row has all"),
    ],
)
def test_wrong_quality_jobs_name_what_is_wrong(
    jobs: JobFolder, environment: dict[str, str], content: str, message: str
) -> None:
    ended = jobs.monitor({"a.csv": content}, CSV, **environment)
    assert ended.code == 255
    assert message in ended.message


def test_metrics_for_cloudwatch_are_written_when_they_are_asked_for(jobs: JobFolder) -> None:
    jobs.monitor({"a.csv": "1,x\n2,y\n"}, CSV, publish_cloudwatch_metrics="Enabled", sagemaker_endpoint_name="e")
    lines = (jobs.ml / "output/metrics/cloudwatch/cloudwatch_metrics.jsonl").read_text().splitlines()
    metrics = {json.loads(line)["MetricName"]: json.loads(line) for line in lines}
    assert set(metrics) == {"feature_data__c0", "feature_non_null__c0", "feature_non_null__c1"}
    assert metrics["feature_data__c0"]["StatisticValues"] == {
        "SampleCount": 2,
        "Sum": 3.0,
        "Minimum": 1.0,
        "Maximum": 2.0,
    }
    assert metrics["feature_data__c0"]["Dimensions"] == [{"Name": "Endpoint", "Value": "e"}]
