"""Metrics of training jobs in CloudWatch, as they are printed."""

from __future__ import annotations

import time
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


def test_an_expression_without_end_holds_up_nobody(service: Service) -> None:
    """Python's engine would try 2^40 ways, and no other thread would run meanwhile, nor after a restart."""
    made = Made(service)
    code = "print('loss=1.5'); print('a' * 40 + 'b', flush=True); import time; time.sleep(4); print('loss=0.5')"
    algorithm = {
        "TrainingImage": SCIKIT_LEARN,
        "ContainerEntrypoint": ["python3", "-c", code],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}, {"Name": "endless", "Regex": "(a+)+$"}],
    }
    train(made, "metrics-endless", algorithm)

    def ended() -> Any:
        began = time.monotonic()
        found = made.sagemaker.describe_training_job(TrainingJobName="metrics-endless")
        assert time.monotonic() - began < 20
        return found if found["TrainingJobStatus"] in ("Completed", "Failed") else None

    job = until(ended, "the job ends", 120)
    assert {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]} == {"loss": 0.5}, job
    log = [
        event["message"]
        for event in service.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="metrics-endless/"
        )["events"]
    ]
    assert [line for line in log if "endless is left out: its regular expression '(a+)+$'" in line], log


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


def test_experiment_analytics_of_the_sdk_reads_jobs(service: Service) -> None:
    """The class is the same in versions 2 and 3 of the SDK."""
    from sagemaker.core.analytics import ExperimentAnalytics

    made = Made(service)
    made.sagemaker.create_experiment(ExperimentName="shells")
    made.sagemaker.create_trial(TrialName="first", ExperimentName="shells")
    uri = made.upload("experiment/train.csv", text(ROWS))
    channel = {
        "ChannelName": "train", "ContentType": "text/csv",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }  # fmt: skip
    train(
        made, "experiment-job", {"TrainingImage": XGBOOST}, InputDataConfig=[channel],
        HyperParameters={"num_round": "5", "objective": "reg:squarederror"},
        ExperimentConfig={"ExperimentName": "shells", "TrialName": "first", "TrialComponentDisplayName": "Training"},
    )  # fmt: skip
    made.sagemaker.create_trial_component(TrialComponentName="bare")
    made.sagemaker.associate_trial_component(TrialComponentName="bare", TrialName="first")
    made.sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="experiment-job", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )

    class Session:
        sagemaker_client = made.sagemaker

    frame = ExperimentAnalytics(experiment_name="shells", sagemaker_session=Session()).dataframe()
    row = frame.set_index("DisplayName").loc["Training"]
    assert row["SageMaker.ImageUri"] == XGBOOST
    assert (row["SageMaker.InstanceCount"], row["SageMaker.VolumeSizeInGB"], row["num_round"]) == (1.0, 1.0, 5.0)
    assert row["objective"] == "reg:squarederror"
    assert (row["train - Value"], row["train - MediaType"]) == (uri, "text/csv")
    assert row["SageMaker.ModelArtifact - Value"].endswith("experiment-job/output/model.tar.gz")
    assert row["train:rmse - Count"] == 5.0
    assert row["train:rmse - Min"] <= row["train:rmse - Avg"] <= row["train:rmse - Max"]
    assert row["train:rmse - StdDev"] > 0
    assert row["Trials"] == ["first"] and row["Experiments"] == ["shells"]
    assert frame.set_index("DisplayName").loc["bare", "Trials"] == ["first"]
