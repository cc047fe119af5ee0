"""Clarify's temporary endpoint: listed while the analysis asks it, and deleted also when the analysis fails."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest

from tests.integration.endpoint_models import BUCKET, ROWS, Made, booster, text
from tests.support import ROLE, Service, until

CLARIFY = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
NAMES = [f"f{number}" for number in range(8)]
PREDICTOR = {"instance_type": "ml.m5.large", "initial_instance_count": 1, "accept_type": "text/csv"}
METHODS = {
    "shap": {"baseline": [[0.0] * 8], "num_samples": 50, "agg_method": "mean_abs"},
    "report": {"name": "report", "title": "Report"},
}


def source(prefix: str, folder: str) -> dict[str, Any]:
    path = f"/opt/ml/processing/input/{folder}"
    s3 = {"S3Uri": f"s3://{BUCKET}/{prefix}", "S3DataType": "S3Prefix", "LocalPath": path}
    return {"InputName": folder, "S3Input": s3}


def analyse(made: Made, label: str, **methods: Any) -> tuple[str, str]:
    """Starts an analysis; its job's and its model's names."""
    model, name = made.model(booster()), f"clarify-{uuid.uuid4().hex[:8]}"
    lines = [",".join(["label", *NAMES]), *(f"{row[0] > 0:d},{text(row[None]).decode()}" for row in ROWS)]
    made.upload(f"clarify/{name}/data/data.csv", "\n".join(lines).encode())
    config = {"dataset_type": "text/csv", "label": label, "predictor": {"model_name": model, **PREDICTOR},
              "methods": {**METHODS, **methods}}  # fmt: skip
    made.upload(f"clarify/{name}/config/analysis_config.json", json.dumps(config).encode())
    out = {"S3Uri": f"s3://{BUCKET}/clarify/{name}/out", "LocalPath": "/opt/ml/processing/output",
           "S3UploadMode": "EndOfJob"}  # fmt: skip
    made.sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": CLARIFY},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        ProcessingInputs=[source(f"clarify/{name}/config", "config"), source(f"clarify/{name}/data", "data")],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": out}]},
    )
    return name, model


def endpoints_of(made: Made, model: str) -> list[str]:
    found = made.sagemaker.list_endpoints(NameContains=f"sm-clarify-{model}")["Endpoints"]
    return [endpoint["EndpointName"] for endpoint in found]


@pytest.mark.parametrize(("label", "status"), [("label", "Completed"), ("none", "Failed")])
def test_the_endpoint_lives_as_long_as_the_analysis(service: Service, label: str, status: str) -> None:
    made = Made(service)
    name, model = analyse(made, label)
    seen: set[str] = set()

    def ended() -> Any:
        seen.update(endpoints_of(made, model))
        job = made.sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] != "InProgress" else None

    assert until(ended, "the analysis ends")["ProcessingJobStatus"] == status
    assert [bool(re.fullmatch(rf"sm-clarify-{model}-\d{{10}}-[0-9a-f]{{4}}", one)) for one in seen] == [True]
    until(lambda: not endpoints_of(made, model), "the endpoint is deleted")
    ending = seen.pop().removeprefix(f"sm-clarify-{model}-")
    configs = made.sagemaker.list_endpoint_configs(NameContains=f"sm-clarify-config-{ending}")
    assert configs["EndpointConfigs"] == []


def test_analyses_end_well_after_kills_and_leave_no_endpoint(own_service: Service) -> None:
    made = Made(own_service)
    started = [analyse(made, "label", shap={**METHODS["shap"], "num_samples": 400}) for _ in range(3)]
    for name, model in started:
        until(lambda m=model: endpoints_of(made, m), f"the endpoint of {name} is there")  # type: ignore[misc]
    for _ in range(2):
        own_service.kill()
        own_service.up()
        made = Made(own_service)
    for name, _ in started:
        job = until(
            lambda n=name: (d := made.sagemaker.describe_processing_job(ProcessingJobName=n))  # type: ignore[misc]
            and d["ProcessingJobStatus"] != "InProgress" and d, f"{name} ends", 120,
        )  # fmt: skip
        assert job["ProcessingJobStatus"] == "Completed", job
    until(lambda: made.sagemaker.list_endpoints()["Endpoints"] == [], "no endpoint is left")
    assert made.sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
