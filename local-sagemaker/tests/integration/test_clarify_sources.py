"""Clarify jobs that fetch more than their inputs: predictions and SHAP baselines in S3, and an endpoint's answers."""

from __future__ import annotations

import json
import uuid
from typing import Any

import numpy as np
import pytest

from tests.integration.gate import BIAS, CLUSTER, REGISTRY, Gate, table
from tests.support import ROLE, Service, read_json, until

CONFIG = {"dataset_type": "text/csv", "label": "y"}


@pytest.fixture(scope="module")
def gate(service: Service) -> Gate:
    made = Gate(service, f"sources-{uuid.uuid4().hex[:6]}")
    made.s3.create_bucket(Bucket=made.bucket)
    made.put("data/table/table.csv", table().to_csv(index=False).encode())
    made.put("data/train/train.csv", table().to_csv(index=False, header=False).encode())
    made.train()
    return made


def analysis(gate: Gate, config: dict[str, Any]) -> Any:
    """analysis.json of a Clarify job with this configuration on the table."""
    name = f"sources-{uuid.uuid4().hex[:8]}"
    gate.put(f"config/{name}/analysis_config.json", {**CONFIG, **config})
    sources = (("analysis_config", f"config/{name}", "config"), ("dataset", "data/table", "data"))
    output = {
        "S3Uri": f"s3://{gate.bucket}/out/{name}",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    gate.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": f"{REGISTRY}/sagemaker-clarify-processing:1.0"},
        ProcessingResources=CLUSTER,
        ProcessingInputs=[
            {
                "InputName": what,
                "S3Input": {
                    "S3Uri": f"s3://{gate.bucket}/{key}",
                    "LocalPath": f"/opt/ml/processing/input/{folder}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for what, key, folder in sources
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "analysis_result", "S3Output": output}]},
    )

    def ended() -> Any:
        job = gate.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] not in ("InProgress", "Stopping") else None

    job = until(ended, "the job ends", 120)
    assert job["ProcessingJobStatus"] == "Completed", job
    return read_json(gate.s3, f"{output['S3Uri']}/analysis.json")


@pytest.mark.parametrize("joined", [False, True])
def test_predicted_labels_of_another_dataset(gate: Gate, joined: bool) -> None:
    frame = table()
    predicted = (frame["a"] > 1).astype(int)
    other = predicted.to_frame("predicted_label")
    config: dict[str, Any] = {**BIAS, "methods": {"post_training_bias": {"methods": ["DPPL", "AD"]}}}
    if joined:  # by a column that both have, in another order
        other = other.assign(id=frame["b"]).sample(frac=1, random_state=1)
        assert frame["b"].is_unique
        config["joinsource_name_or_index"] = "b"
        other = other.rename(columns={"id": "b"})
    uri = gate.put(f"predictions/{joined}/p.csv", other.to_csv(index=False).encode())
    found = analysis(gate, {**config, "predicted_label_dataset_uri": uri})
    (entry,) = found["post_training_bias_metrics"]["facets"]["f"]
    values = {metric["name"]: metric["value"] for metric in entry["metrics"]}
    d, right = frame["f"] == 0, frame["y"] == predicted
    assert values["DPPL"] == pytest.approx(predicted[~d].mean() - predicted[d].mean())
    assert values["AD"] == pytest.approx(right[~d].mean() - right[d].mean())


def shap(**more: Any) -> dict[str, Any]:
    return {"methods": {"shap": {"seed": 1, "num_samples": 14, **more}}}


def test_a_shap_baseline_in_s3_is_that_given_in_place(gate: Gate) -> None:
    rows = [[0, 0.5, 0.25, 0.0], [1, 2.5, 1.0, 0.5]]
    uri = gate.put("baseline/rows.csv", "".join(",".join(map(str, row)) + "\n" for row in rows).encode())
    predictor = {"predictor": {"model_name": f"{gate.bucket}-model", "content_type": "text/csv"}}
    by_uri = analysis(gate, {**shap(baseline=uri), **predictor})
    in_place = analysis(gate, {**shap(baseline=rows), **predictor})
    assert by_uri == in_place
    made = analysis(gate, {**shap(), **predictor})
    values = [found["explanations"]["kernel_shap"]["label0"]["expected_value"] for found in (by_uri, made)]
    assert not np.isclose(*values)


def test_an_endpoint_answers_as_the_model_does(gate: Gate) -> None:
    model, name = f"{gate.bucket}-model", f"{gate.bucket}-endpoint"
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    gate.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    gate.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    def in_service() -> bool:
        return bool(gate.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")

    until(in_service, "the endpoint is in service")
    try:
        by_endpoint = analysis(gate, {**shap(), "predictor": {"endpoint_name": name, "content_type": "text/csv"}})
    finally:
        gate.sagemaker.delete_endpoint(EndpointName=name)
    by_model = analysis(gate, {**shap(), "predictor": {"model_name": model, "content_type": "text/csv"}})
    assert json.dumps(by_endpoint) == json.dumps(by_model)
