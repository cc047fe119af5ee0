"""What the tests of hyperparameter tuning share: small data, requests, waiting."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np

from tests.integration.endpoint_models import archive
from tests.support import ROLE, SCIKIT_LEARN, XGBOOST, Service, until

RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}


_CLIENTS: dict[str, Any] = {}


def client(service: Service) -> Any:
    """A boto3 client; making one takes long."""
    url = service.url
    if url not in _CLIENTS:
        _CLIENTS[url] = service.client("sagemaker")
    return _CLIENTS[url]


def bucket(service: Service) -> str:
    """A bucket with train.csv and validation.csv: a noisy function of three columns."""
    name, s3 = f"tuning-{uuid.uuid4().hex[:8]}", service.client("s3")
    s3.create_bucket(Bucket=name)
    random = np.random.default_rng(7)
    for key in ("train", "validation"):
        x = random.uniform(-1, 1, (150, 3))
        y = x[:, 0] * 2 + np.sin(3 * x[:, 1]) + random.normal(0, 0.1, 150)
        text = "\n".join(",".join(f"{value:.4f}" for value in row) for row in np.column_stack([y, x]))
        s3.put_object(Bucket=name, Key=f"data/{key}.csv", Body=text.encode())
    return name


def channel(bucket: str, name: str) -> dict[str, Any]:
    """A CSV channel."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/data/{name}.csv"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def definition(bucket: str, **more: Any) -> dict[str, Any]:
    """A training job definition of the built-in XGBoost algorithm."""
    return {
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel(bucket, "train"), channel(bucket, "validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "StaticHyperParameters": {"num_round": "5", "objective": "reg:squarederror", "nthread": "1"},
        **more,
    }


def script(service: Service, bucket: str, code: str, **more: Any) -> dict[str, Any]:
    """A training job definition that runs Python code with the hyperparameters as arguments; metric ``loss``."""
    service.client("s3").put_object(Bucket=bucket, Key="source.tar.gz", Body=archive(**{"main,py": code.encode()}))
    static = {"sagemaker_program": "main.py", "sagemaker_submit_directory": f"s3://{bucket}/source.tar.gz"}
    return {
        "AlgorithmSpecification": {
            "TrainingImage": SCIKIT_LEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "StaticHyperParameters": static,
        **more,
    }


def loss(jobs: int, parallel: int = 2, **more: Any) -> dict[str, Any]:
    """A configuration that minimises the metric ``loss`` of a script over ``x`` from 0 to 1."""
    one = {"Name": "x", "MinValue": "0", "MaxValue": "1", "ScalingType": "Linear"}
    objective = {"Type": "Minimize", "MetricName": "loss"}
    return config(
        jobs,
        parallel,
        **{
            "HyperParameterTuningJobObjective": objective,
            "ParameterRanges": {"ContinuousParameterRanges": [one]},
            **more,
        },
    )


ETA = {"Name": "eta", "MinValue": "0.01", "MaxValue": "0.9", "ScalingType": "Logarithmic"}
DEPTH = {"Name": "max_depth", "MinValue": "1", "MaxValue": "6"}
RANGES = {"ContinuousParameterRanges": [ETA], "IntegerParameterRanges": [DEPTH]}


def config(jobs: int, parallel: int = 2, **more: Any) -> dict[str, Any]:
    """A tuning job's configuration: Random, validation:rmse, two ranges."""
    return {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel},
        "ParameterRanges": RANGES,
        **more,
    }


def tune(service: Service, **request: Any) -> str:
    """Creates a tuning job; its name."""
    name = f"tune-{uuid.uuid4().hex[:8]}"
    client(service).create_hyper_parameter_tuning_job(HyperParameterTuningJobName=name, **request)
    return name


def described(service: Service, name: str) -> dict[str, Any]:
    """What Describe says."""
    return dict(client(service).describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))


def ended(service: Service, name: str) -> dict[str, Any]:
    """Waits for the end; what Describe says then."""
    sagemaker = client(service)

    def look() -> Any:
        found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return found if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping") else None

    return dict(until(look, f"the end of tuning job {name}"))


def training_jobs(service: Service, name: str, **request: Any) -> list[dict[str, Any]]:
    """The training jobs of a tuning job."""
    found = client(service).list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100, **request
    )
    return list(found["TrainingJobSummaries"])
