"""Monitor and Clarify jobs as clients start them: unmodified boto3, and the SDK v3 with its own readers."""

from __future__ import annotations

import gzip
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jsonschema import validate

from tests import monitor_schemas as schemas
from tests.support import ROLE, Service, read_json, shared_file, until

MONITOR = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
SOURCE = "/opt/ml/processing/input/baseline_dataset_input"


def bucket_of(service: Service) -> str:
    name = f"monitors-{uuid.uuid4().hex[:8]}"
    service.client("s3").create_bucket(Bucket=name)
    return name


def processed(service: Service, bucket: str, environment: dict[str, str]) -> dict[str, Any]:
    """The description of a Model Monitor job on the objects under ``in/``, once it has ended."""
    sagemaker, name = service.client("sagemaker"), f"monitor-{uuid.uuid4().hex[:8]}"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": MONITOR},
        Environment={
            "dataset_source": SOURCE,
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
            **environment,
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        ProcessingInputs=[
            {
                "InputName": "baseline_dataset_input",
                "S3Input": {
                    "S3Uri": f"s3://{bucket}/in/",
                    "LocalPath": SOURCE,
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "monitoring_output",
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/out",
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    )

    def ended() -> Any:
        job = sagemaker.describe_processing_job(ProcessingJobName=name)
        return job if job["ProcessingJobStatus"] not in ("InProgress", "Stopping") else None

    return dict(until(ended, "the job ends", 120))


@pytest.mark.truth
def test_the_recorded_baseline_through_create_processing_job(service: Service) -> None:
    bucket, s3 = bucket_of(service), service.client("s3")
    data = gzip.decompress(shared_file("truth/dq-housing-full/input.csv.gz").read_bytes())
    s3.put_object(Bucket=bucket, Key="in/train.csv", Body=data)
    job = processed(service, bucket, {"dataset_format": '{"csv": {"header": true}}'})
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == "Completed: Job completed successfully with no violations."
    found = read_json(s3, f"s3://{bucket}/out/statistics.json")
    right = json.loads(shared_file("truth/dq-housing-full/statistics.json").read_text())
    assert [f["inferred_type"] for f in found["features"]] == [f["inferred_type"] for f in right["features"]]
    for ours, theirs in zip(found["features"], right["features"], strict=True):
        if "numerical_statistics" in theirs:
            for name in ("mean", "sum", "std_dev", "min", "max", "completeness"):
                assert ours["numerical_statistics"][name] == pytest.approx(
                    theirs["numerical_statistics"][name], rel=1e-9
                )


@pytest.mark.parametrize(
    ("body", "dataset_format", "reason"),
    [
        (
            b'{"a": {"b": 1}, "c": 2}\n',
            '{"json": {"lines": true}}',
            "AlgorithmError: Error: We currently only support flat json at the moment., exit code: 255",
        ),
    ],
)
def test_a_failure_is_worded_as_aws_words_it(service: Service, body: bytes, dataset_format: str, reason: str) -> None:
    bucket = bucket_of(service)
    service.client("s3").put_object(Bucket=bucket, Key="in/data", Body=body)
    job = processed(service, bucket, {"dataset_format": dataset_format})
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == reason


def test_the_sdk_reads_what_its_jobs_wrote(service: Service) -> None:
    bucket, random = bucket_of(service), np.random.default_rng(2)
    frame = pd.DataFrame({"label": random.integers(0, 2, 300), "x": random.normal(size=300)})
    frame["prediction"], frame["group"] = (frame["x"] > 0).astype(int), random.choice(["x", "y"], 300)
    service.client("s3").put_object(Bucket=bucket, Key="in/data.csv", Body=frame.to_csv(index=False).encode())
    program = Path(__file__).with_name("sdk_v3_monitors.py")
    done = service.run(sys.executable, str(program), ROLE, f"s3://{bucket}/in/data.csv", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("FOUND "))
    found = json.loads(line.removeprefix("FOUND "))
    validate(found["statistics"], schemas.STATISTICS)
    validate(found["constraints"], schemas.CONSTRAINTS)
    validate(found["quality"], schemas.BINARY)
    validate(found["analysis"], schemas.ANALYSIS)
    assert found["same"] == [True, True]
    accuracy = found["quality"]["binary_classification_metrics"]["accuracy"]["value"]
    assert accuracy == pytest.approx((frame["label"] == frame["prediction"]).mean())
    d = frame["group"] == "x"
    metrics = found["analysis"]["pre_training_bias_metrics"]["facets"]["group"][0]["metrics"]
    dpl = next(metric["value"] for metric in metrics if metric["name"] == "DPL")
    assert dpl == pytest.approx(frame["label"][~d].mean() - frame["label"][d].mean())
