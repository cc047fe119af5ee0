"""The processing jobs of an execution: names, inputs, environment and places (DEL-39; delivery 6.3)."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.clarify_inputs import complete
from local_sagemaker.monitoring.definition import MonitoringDefinition, from_job_definition
from local_sagemaker.monitoring.job_requests import Data, Occasion, analysis_request, merge_request
from local_sagemaker.monitoring.windows import AnalysisWindow

HOUR = 3600.0
SUFFIX = "202601091300-0123456789abcdef01234567"


def occasion() -> Occasion:
    window = AnalysisWindow(1767960000.0 - HOUR, 1767960000.0)  # 2026-01-09, 11:00 to 12:00
    return Occasion(schedule="watch", scheduled=1767960000.0, window=window, ending=SUFFIX, place="2026/01/09/12")


def definition(kind: str, *, batch: bool = False, **source: Any) -> MonitoringDefinition:
    local = "/opt/ml/processing/input_data"
    endpoint = {"EndpointInput": {"EndpointName": "shop", "LocalPath": local, **source}}
    transforms = {
        "BatchTransformInput": {
            "DataCapturedDestinationS3Uri": "s3://b/capture", "LocalPath": local, "DatasetFormat": {"Csv": {}},
            **source,
        }
    }  # fmt: skip
    body = {
        f"{kind}AppSpecification": {
            "ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/analyzer",
            "ProblemType": "Regression",
        },
        f"{kind}JobInput": {**(transforms if batch else endpoint), "GroundTruthS3Input": {"S3Uri": "s3://b/labels"}},
        f"{kind}JobOutputConfig": {
            "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://b/out/", "LocalPath": "/opt/ml/processing/output"}}]
        },
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}},
        "RoleArn": "arn:aws:iam::123456789012:role/r",
    }
    return from_job_definition(kind, body)


def test_the_analysis_of_model_quality() -> None:
    data = [Data("s3://b/out/merge/shop/All/2026/01/09/11", "shop/All/2026/01/09/11")]
    baseline = {"constraints": "s3://b/base/constraints.json"}
    request = analysis_request(definition("ModelQuality", InferenceAttribute="0"), occasion(), data, baseline)
    assert request["ProcessingJobName"] == f"model-quality-monitoring-{SUFFIX}"
    inputs = {one["InputName"]: one["S3Input"] for one in request["ProcessingInputs"]}
    assert list(inputs) == ["constraints", "endpoint_input_1"]
    assert inputs["endpoint_input_1"]["LocalPath"] == "/opt/ml/processing/input_data/shop/All/2026/01/09/11"
    assert inputs["constraints"]["LocalPath"] == "/opt/ml/processing/baseline/constraints"
    assert request["Environment"] == {
        "analysis_type": "MODEL_QUALITY", "problem_type": "Regression", "inference_attribute": "0",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
        "dataset_format": '{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}',
        "dataset_source": "/opt/ml/processing/input_data", "output_path": "/opt/ml/processing/output",
        "start_time": "2026-01-09T11:00:00Z", "end_time": "2026-01-09T12:00:00Z",
        "metric_time": "2026-01-09T11:00:00Z", "publish_cloudwatch_metrics": "Enabled",
        "sagemaker_endpoint_name": "shop", "sagemaker_monitoring_schedule_name": "watch",
    }  # fmt: skip
    output = request["ProcessingOutputConfig"]["Outputs"][0]
    assert output["OutputName"] == "result"
    assert output["S3Output"]["S3Uri"] == "s3://b/out/shop/watch/2026/01/09/12"
    assert output["S3Output"]["S3UploadMode"] == "Continuous"
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}


def test_the_merge_of_captured_data_with_labels() -> None:
    data = [Data("s3://b/capture/shop/All/2026/01/09/11", "shop/All/2026/01/09/11")]
    labels = [Data("s3://b/labels/2026/01/09/11", "2026/01/09/11")]
    request = merge_request(definition("ModelBias"), occasion(), data, labels, "merger")
    assert request["ProcessingJobName"] == f"groundtruth-merge-{SUFFIX}"
    inputs = {one["InputName"]: one["S3Input"]["LocalPath"] for one in request["ProcessingInputs"]}
    assert inputs == {
        "groundtruth_input_1": "/opt/ml/processing/groundtruth/2026/01/09/11",
        "endpoint_input_1": "/opt/ml/processing/input_data/shop/All/2026/01/09/11",
    }
    assert request["Environment"] == {  # of recorded jobs of 2024
        "dataset_format": '{"sagemakerCaptureJson":{"captureIndexNames":null}}',
        "dataset_source": "/opt/ml/processing/input_data", "end_time": "2026-01-09T12:00:00Z",
        "ground_truth_source": "/opt/ml/processing/groundtruth", "monitoring_input_type": "ENDPOINT_INPUT",
        "output_path": "/opt/ml/processing/output", "start_time": "2026-01-09T11:00:00Z",
    }  # fmt: skip
    output = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
    assert (output["S3Uri"], output["S3UploadMode"]) == ("s3://b/out/merge", "EndOfJob")


def test_a_batch_has_no_endpoint_in_its_place() -> None:
    request = analysis_request(definition("DataQuality", batch=True), occasion(), [], {})
    place = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert place == "s3://b/out/watch/2026/01/09/12"
    assert request["Environment"]["dataset_format"] == '{"csv":{"header":false}}'
    assert "sagemaker_endpoint_name" not in request["Environment"]


@pytest.mark.parametrize("kind", ["DataQuality", "ModelQuality", "ModelBias", "ModelExplainability"])
def test_names_are_no_longer_than_names_may_be(kind: str) -> None:
    assert len(analysis_request(definition(kind), occasion(), [], {})["ProcessingJobName"]) <= 63


def test_the_configuration_of_a_bias_monitor_is_completed() -> None:
    given = {"facet": [{"name_or_index": "b"}], "headers": ["label", "a", "b"], "label": "label"}
    environment = {
        "analysis_type": "MODEL_BIAS", "probability_attribute": "1", "probability_threshold_attribute": "0.8",
        "exclude_features_attribute": "a",
    }  # fmt: skip
    found = complete(given, environment)
    assert found["headers"] == ["a", "b", "label"]
    assert (found["predicted_label"], found["probability_threshold"]) == ("1", 0.8)
    assert found["dataset_type"] == "application/sagemakercapturejson"
    assert set(found["methods"]) == {"pre_training_bias", "post_training_bias"}
    assert found["excluded_columns"] == ["a"]
    assert complete(given, {}) is given
