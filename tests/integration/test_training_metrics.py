"""Metrics of training jobs in CloudWatch, as they are printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.endpoint_models import ROWS, Made, text
from tests.support import ROLE, SCIKIT_LEARN, XGBOOST, Service, until

NAMESPACE = "/aws/sagemaker/TrainingJobs"


def train(made: Made, name: str, algorithm: dict[str, Any], **members: Any) -> None:
    made.upload("x", b"")  # which makes the bucket
    made.sagemaker.create_training_job(
        TrainingJobName=name, RoleArn=ROLE, OutputDataConfig={"S3OutputPath": "s3://endpoint-models/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        AlgorithmSpecification={"TrainingInputMode": "File", **algorithm}, **members,
    )  # fmt: skip


def statistics(service: Service, job: str, metric: str) -> dict[str, Any]:
    """What CloudWatch has of a metric in the last minutes, empty if nothing."""
    now = datetime.now(UTC)
    found = service.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE, MetricName=metric, Dimensions=[{"Name": "TrainingJobName", "Value": job}], Period=3600,
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1),
        Statistics=["Minimum", "Maximum", "SampleCount"],
    )["Datapoints"]  # fmt: skip
    return dict(found[0]) if found else {}


def test_metrics_of_a_script_are_there_while_it_runs(service: Service) -> None:
    made = Made(service)
    code = "import time; print('loss=3.5', flush=True); print('loss=1.25', flush=True); time.sleep(600)"
    algorithm = {
        "TrainingImage": SCIKIT_LEARN,
        "ContainerEntrypoint": ["python3", "-c", code],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    }
    train(made, "metrics-script", algorithm)
    found = until(lambda: statistics(service, "metrics-script", "loss"), "the metric is in CloudWatch")
    described = made.sagemaker.describe_training_job(TrainingJobName="metrics-script")
    assert described["TrainingJobStatus"] == "InProgress"
    assert (found["Minimum"], found["Maximum"], found["SampleCount"]) == (1.25, 3.5, 2)
    made.sagemaker.stop_training_job(TrainingJobName="metrics-script")


def test_metrics_of_the_built_in_algorithm(service: Service) -> None:
    made = Made(service)
    uri = made.upload("metrics/train.csv", text(ROWS))
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    channel = {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
    hyperparameters = {"num_round": "12", "objective": "reg:squarederror"}
    train(
        made, "metrics-xgboost", {"TrainingImage": XGBOOST}, HyperParameters=hyperparameters, InputDataConfig=[channel]
    )

    def complete() -> dict[str, Any] | None:
        found = statistics(service, "metrics-xgboost", "train:rmse")
        return found if found.get("SampleCount") == 12 else None

    found = until(complete, "all rounds are in CloudWatch")
    described = made.sagemaker.describe_training_job(TrainingJobName="metrics-xgboost")
    (final,) = [one for one in described["FinalMetricDataList"] if one["MetricName"] == "train:rmse"]
    assert found["Minimum"] == final["Value"] < found["Maximum"]
    dimensions = [{"Name": "TrainingJobName", "Value": "metrics-xgboost"}]
    metric = {"Namespace": NAMESPACE, "MetricName": "train:rmse", "Dimensions": dimensions}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Minimum"}}
    now = datetime.now(UTC)
    data = service.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - timedelta(hours=1), EndTime=now + timedelta(minutes=1)
    )
    assert min(data["MetricDataResults"][0]["Values"]) == final["Value"]
