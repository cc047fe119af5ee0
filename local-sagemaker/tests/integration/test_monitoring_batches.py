"""The monitors that read what a batch transform put out: model quality, bias, explainability (DEL-42)."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.monitored_endpoint import ANALYZER, CLARIFY, CLUSTER, Monitored
from tests.support import ROLE, Service, read_json, until

KINDS = {"batch-quality": "ModelQuality", "batch-bias": "ModelBias", "batch-shap": "ModelExplainability"}
NOW = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
COMMON = {"RoleArn": ROLE, "JobResources": CLUSTER}
HEADERS = ["label", "a", "b", "c", "prediction"]


def test_the_monitors_with_labels_and_of_explanations_watch_a_batch_transform(service: Service) -> None:
    """A transform that captures with inference ids, labels of which every fourth says otherwise, and the monitors."""
    monitored = Monitored(service)
    place = f"s3://{monitored.bucket}/transform"
    label(monitored, transform(monitored, place))
    define_with_labels(monitored, place)
    define_explainability(monitored, place)
    for name, kind in KINDS.items():
        monitored.schedule(name, name, kind, **NOW)
    found = {name: monitored.ended(name) for name in KINDS}
    statuses = {name: (one["MonitoringExecutionStatus"], one.get("FailureReason")) for name, one in found.items()}
    assert statuses == dict.fromkeys(KINDS, ("Completed", None))
    quality = read_json(monitored.s3, f"{monitored.result(found['batch-quality'])}/statistics.json")
    assert quality["binary_classification_metrics"]["accuracy"]["value"] == 0.75
    analysis = read_json(monitored.s3, f"{monitored.result(found['batch-bias'])}/analysis.json")
    assert set(analysis["post_training_bias_metrics"]["facets"]) == {"b"}
    explained = read_json(monitored.s3, f"{monitored.result(found['batch-shap'])}/analysis.json")
    shares = explained["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert max(shares, key=lambda name: shares[name]) == "a"


def transform(monitored: Monitored, place: str) -> list[list[str]]:
    """A transform of rows; its output's: features, prediction, inference id, time."""
    lines = [",".join(map(str, row)) for row in monitored.rows(40)]
    monitored.put("transform/in/rows.csv", "\n".join(lines).encode())
    monitored.sagemaker.create_transform_job(
        TransformJobName=monitored.bucket, ModelName=monitored.model, BatchStrategy="MultiRecord",
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{place}/in/"}},
                        "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"{place}/out", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataProcessing={"JoinSource": "Input"},
        DataCaptureConfig={"DestinationS3Uri": f"{place}/capture", "GenerateInferenceId": True},
    )  # fmt: skip
    job = until(lambda: monitored.ended_transform(monitored.bucket), "the transform", 120)
    assert job["TransformJobStatus"] == "Completed", job
    body = monitored.s3.get_object(Bucket=monitored.bucket, Key="transform/out/rows.csv.out")["Body"].read()
    return [line.split(",") for line in body.decode().splitlines()]


def label(monitored: Monitored, lines: list[list[str]]) -> None:
    """The labels of a transform's output: the predictions, but for every fourth."""
    labels = []
    for number, (*_, prediction, identity, _time) in enumerate(lines):
        value = int(float(prediction))
        labels.append({
            "groundTruthData": {"data": str(value if number % 4 else 1 - value), "encoding": "CSV"},
            "eventMetadata": {"eventId": identity}, "eventVersion": "0",
        })  # fmt: skip
    monitored.put(f"transform/labels/{monitored.hour}/all.jsonl", "\n".join(map(json.dumps, labels)).encode())


def source(place: str, **more: str) -> dict[str, Any]:
    """The input of a job definition."""
    return {"BatchTransformInput": {
        "DataCapturedDestinationS3Uri": f"{place}/capture", "DatasetFormat": {"Csv": {"Header": False}},
        "LocalPath": "/opt/ml/processing/input_data", **more}}  # fmt: skip


def define_with_labels(monitored: Monitored, place: str) -> None:
    """Model quality and bias."""
    given = {**source(place, InferenceAttribute="3"), "GroundTruthS3Input": {"S3Uri": f"{place}/labels"}}
    bias = monitored.put("transform/bias/analysis_config.json", {
        "headers": HEADERS, "label": "label", "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "b", "value_or_threshold": [0]}]})  # fmt: skip
    monitored.sagemaker.create_model_quality_job_definition(
        JobDefinitionName="batch-quality", **COMMON, ModelQualityJobOutputConfig=monitored.output(),
        ModelQualityAppSpecification={"ImageUri": ANALYZER, "ProblemType": "BinaryClassification"},
        ModelQualityJobInput=given,
    )  # fmt: skip
    monitored.sagemaker.create_model_bias_job_definition(
        JobDefinitionName="batch-bias", **COMMON, ModelBiasJobOutputConfig=monitored.output(),
        ModelBiasAppSpecification={"ImageUri": CLARIFY, "ConfigUri": bias}, ModelBiasJobInput=given,
    )  # fmt: skip


def define_explainability(monitored: Monitored, place: str) -> None:
    """Explanations of what went in."""
    predictor = {"model_name": monitored.model, "instance_type": "ml.m5.large", "initial_instance_count": 1,
                 "content_type": "text/csv", "accept_type": "text/csv"}  # fmt: skip
    shap = monitored.put("transform/shap/analysis_config.json", {
        "headers": HEADERS[1:4], "predictor": predictor,
        "methods": {"shap": {"baseline": [[0.0, 0.0, 0.0]], "num_samples": 10, "agg_method": "mean_abs"}}})  # fmt: skip
    monitored.sagemaker.create_model_explainability_job_definition(
        JobDefinitionName="batch-shap", **COMMON, ModelExplainabilityJobOutputConfig=monitored.output(),
        ModelExplainabilityAppSpecification={"ImageUri": CLARIFY, "ConfigUri": shap},
        ModelExplainabilityJobInput=source(place),
    )  # fmt: skip
