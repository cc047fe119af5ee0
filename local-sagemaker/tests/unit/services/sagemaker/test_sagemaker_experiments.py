"""Experiments, trials and trial components."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError

ARN = "arn:aws:sagemaker:us-east-1:123456789012"


def refused(registry: Any, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as error:
        registry(operation, **request)
    return error.value.code, error.value.message


@pytest.fixture
def trial(registry: Any) -> str:
    registry("CreateExperiment", ExperimentName="Exp", Description="d")
    assert registry("CreateTrial", TrialName="Run-1", ExperimentName="exp") == {
        "TrialArn": f"{ARN}:experiment-trial/run-1"
    }
    return "Run-1"


def test_an_experiment_is_described_and_updated(registry: Any) -> None:
    answer = registry("CreateExperiment", ExperimentName="AbalonePipeline", Tags=[{"Key": "a", "Value": "1"}])
    assert answer == {"ExperimentArn": f"{ARN}:experiment/abalonepipeline"}
    experiment = registry("DescribeExperiment", ExperimentName="abalonepipeline")
    assert (experiment["ExperimentName"], experiment["DisplayName"]) == ("AbalonePipeline", "AbalonePipeline")
    assert registry("ListTags", ResourceArn=answer["ExperimentArn"])["Tags"] == [{"Key": "a", "Value": "1"}]
    registry("UpdateExperiment", ExperimentName="abalonePIPELINE", DisplayName="Shells")
    experiment = registry("DescribeExperiment", ExperimentName="AbalonePipeline")
    assert (experiment["ExperimentName"], experiment["DisplayName"]) == ("AbalonePipeline", "Shells")
    assert experiment["LastModifiedTime"] >= experiment["CreationTime"]


@pytest.mark.parametrize(
    ("operation", "request_", "code", "text"),
    [
        (
            "CreateExperiment",
            {"ExperimentName": "EXP"},
            "ValidationException",
            "Experiment names must be unique within an AWS account and region. "
            "Experiment with name (EXP) already exists.",
        ),
        (
            "CreateTrial",
            {"TrialName": "run-1", "ExperimentName": "Exp"},
            "ValidationException",
            "Trial names must be unique within an AWS account and region. Trial with name (run-1) already exists.",
        ),
        (
            "CreateTrial",
            {"TrialName": "t", "ExperimentName": "None"},
            "ResourceNotFound",
            f"Experiment '{ARN}:experiment/none' does not exist.",
        ),
        ("DescribeTrial", {"TrialName": "x"}, "ResourceNotFound", f"Trial '{ARN}:experiment-trial/x' does not exist."),
        (
            "DescribeTrialComponent",
            {"TrialComponentName": "x"},
            "ResourceNotFound",
            f"TrialComponent '{ARN}:experiment-trial-component/x' does not exist.",
        ),
        ("ListTrials", {"ExperimentName": "x"}, "ResourceNotFound", f"Experiment '{ARN}:experiment/x' does not exist."),
    ],
)
def test_texts(registry: Any, trial: str, operation: str, request_: dict[str, Any], code: str, text: str) -> None:
    assert refused(registry, operation, **request_) == (code, text)


def test_what_holds_something_cannot_be_deleted(registry: Any, trial: str) -> None:
    registry("CreateTrialComponent", TrialComponentName="c")
    registry("AssociateTrialComponent", TrialName=trial, TrialComponentName="C")
    deletions: list[tuple[str, dict[str, str]]] = [
        ("DeleteExperiment", {"ExperimentName": "Exp"}),
        ("DeleteTrial", {"TrialName": trial}),
        ("DeleteTrialComponent", {"TrialComponentName": "c"}),
    ]
    for operation, request in deletions:
        assert refused(registry, operation, **request)[0] == "ValidationException"
    registry("DisassociateTrialComponent", TrialName=trial, TrialComponentName="c")
    for operation, request in reversed(deletions):
        registry(operation, **request)
        assert refused(registry, operation, **request)[0] == "ResourceNotFound"


TRAINED = {
    "TrainingJobName": "Train",
    "TrainingJobArn": f"{ARN}:training-job/Train",
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "TrainingStartTime": 3.0,
    "TrainingEndTime": 5.0,
    "AlgorithmSpecification": {"TrainingImage": "image:1"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
    "HyperParameters": {"eta": "0.2", "objective": "reg:squarederror", "max_depth": "5"},
    "InputDataConfig": [
        {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/train"}}},
        {"ChannelName": "more", "DataSource": {"S3DataSource": {"S3Uri": "s3://b/more"}}},
    ],
    "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
    "_metrics": [{
        "MetricName": "validation:rmse", "Value": 2.0, "Timestamp": 5.0,
        "Statistics": {"Count": 2, "Min": 2.0, "Max": 4.0, "Avg": 3.0, "StdDev": 1.0},
    }],
}  # fmt: skip


def test_a_component_of_a_training_job_shows_it(registry: Any) -> None:
    registry.records.insert("training-job", "Train", TRAINED)
    component = registry("DescribeTrialComponent", TrialComponentName="train-aws-training-job")
    arn = TRAINED["TrainingJobArn"]
    assert component["Source"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    assert component["Parameters"] == {
        "SageMaker.ImageUri": {"StringValue": "image:1"},
        "SageMaker.InstanceCount": {"NumberValue": 1.0},
        "SageMaker.InstanceType": {"StringValue": "ml.m5.large"},
        "SageMaker.VolumeSizeInGB": {"NumberValue": 30.0},
        "eta": {"NumberValue": 0.2},
        "objective": {"StringValue": "reg:squarederror"},
        "max_depth": {"NumberValue": 5.0},
    }
    assert component["InputArtifacts"] == {
        "train": {"MediaType": "text/csv", "Value": "s3://b/train"}, "more": {"Value": "s3://b/more"},
    }  # fmt: skip
    assert component["OutputArtifacts"] == {"SageMaker.ModelArtifact": {"Value": "s3://b/model.tar.gz"}}
    assert component["Metrics"] == [{
        "MetricName": "validation:rmse", "SourceArn": arn, "TimeStamp": 5.0, "Count": 2, "Min": 2.0, "Max": 4.0,
        "Avg": 3.0, "StdDev": 1.0, "Last": 2.0,
    }]  # fmt: skip
    assert (component["StartTime"], component["EndTime"]) == (3.0, 5.0)
    message = "Status: Completed, secondary status: Completed, failure reason: null"
    assert component["Status"] == {"PrimaryStatus": "Completed", "Message": message}


def test_a_job_has_a_component_when_somebody_asks(registry: Any, trial: str) -> None:
    registry.records.insert("training-job", "Train", TRAINED)
    arn = TRAINED["TrainingJobArn"]
    registry("CreateTrialComponent", TrialComponentName="other")
    listed = registry("ListTrialComponents", SourceArn=arn)["TrialComponentSummaries"]
    assert [one["TrialComponentName"] for one in listed] == ["Train-aws-training-job"]
    assert listed[0]["TrialComponentSource"]["SourceArn"] == arn
    assert listed[0]["Status"]["PrimaryStatus"] == "Completed"
    assert registry("ListTrialComponents", SourceArn=f"{ARN}:training-job/none")["TrialComponentSummaries"] == []
    name = {"TrialComponentName": "Train-aws-training-job"}
    registry("AssociateTrialComponent", TrialName=trial, **name)
    registry("UpdateTrialComponent", **name, Parameters={"eta": {"NumberValue": 9.0}, "mine": {"StringValue": "x"}})
    parameters = registry("DescribeTrialComponent", **name)["Parameters"]
    assert (parameters["eta"], parameters["mine"]) == ({"NumberValue": 9.0}, {"StringValue": "x"})
    assert parameters["SageMaker.InstanceCount"] == {"NumberValue": 1.0}


def test_a_component_of_a_job_that_was_deleted_stays_so_until_it_is_created_again(registry: Any) -> None:
    registry.records.insert("training-job", "Train", TRAINED)
    job = TRAINED["TrainingJobArn"]
    name = {"TrialComponentName": "Train-aws-training-job"}
    registry("DescribeTrialComponent", **name)
    registry("DeleteTrialComponent", **name)
    for operation, request in (("DescribeTrialComponent", name), ("UpdateTrialComponent", name)):
        with pytest.raises(ServiceError, match="does not exist"):
            registry(operation, **request)
    assert registry("ListTrialComponents", SourceArn=job)["TrialComponentSummaries"] == []
    registry("CreateTrialComponent", **name)
    (summary,) = registry("ListTrialComponents", SourceArn=job)["TrialComponentSummaries"]
    assert summary["TrialComponentSource"]["SourceArn"] == job


def test_components_of_processing_and_transform_jobs_show_them(registry: Any) -> None:
    cluster = {"InstanceCount": 2, "InstanceType": "ml.c5.xlarge"}
    registry.records.insert("processing-job", "p", {
        "ProcessingJobName": "p", "ProcessingJobArn": f"{ARN}:processing-job/p", "ProcessingJobStatus": "Failed",
        "FailureReason": "AlgorithmError: , exit code: 1", "AppSpecification": {"ImageUri": "image:2"},
        "ProcessingResources": {"ClusterConfig": {**cluster, "VolumeSizeInGB": 10}},
        "ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": "s3://b/in"}}],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": {"S3Uri": "s3://b/out"}}]},
    })  # fmt: skip
    shown = registry("DescribeTrialComponent", TrialComponentName="p-aws-processing-job")
    assert list(shown["Parameters"]) == [
        "SageMaker.InstanceCount", "SageMaker.InstanceType", "SageMaker.VolumeSizeInGB",
    ]  # fmt: skip
    assert shown["InputArtifacts"] == {"SageMaker.ImageUri": {"Value": "image:2"}, "in": {"Value": "s3://b/in"}}
    assert shown["OutputArtifacts"] == {"out": {"Value": "s3://b/out"}}
    assert shown["Status"] == {
        "PrimaryStatus": "Failed",
        "Message": "Status: Failed, exit message: null, failure reason: AlgorithmError: , exit code: 1",
    }
    registry.records.insert("transform-job", "t", {
        "TransformJobName": "t", "TransformJobArn": f"{ARN}:transform-job/t", "TransformJobStatus": "InProgress",
        "ModelName": "m", "TransformResources": cluster,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": "s3://b/in"}}, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
    })  # fmt: skip
    registry.records.insert("model", "m", {"PrimaryContainer": {"Image": "image:3", "ModelDataUrl": "s3://b/m.tar.gz"}})
    shown = registry("DescribeTrialComponent", TrialComponentName="t-aws-transform-job")
    assert shown["Parameters"] == {
        "SageMaker.InstanceCount": {"NumberValue": 2.0},
        "SageMaker.InstanceType": {"StringValue": "ml.c5.xlarge"},
        "SageMaker.ModelName": {"StringValue": "m"},
        "SageMaker.ModelPrimary.DataUrl": {"StringValue": "s3://b/m.tar.gz"},
        "SageMaker.ModelPrimary.Image": {"StringValue": "image:3"},
    }
    assert shown["InputArtifacts"] == {"SageMaker.TransformInput": {"MediaType": "text/csv", "Value": "s3://b/in"}}
    assert shown["OutputArtifacts"] == {"SageMaker.TransformOutput": {"Value": "s3://b/out"}}
    assert shown["Status"]["Message"] == "Status: InProgress, failure reason: null"


def test_a_component_always_has_its_maps_and_metrics(registry: Any) -> None:
    """SDK v2's ExperimentAnalytics sorts them without a look whether they are there."""
    registry("CreateTrialComponent", TrialComponentName="c")
    shown = registry("DescribeTrialComponent", TrialComponentName="c")
    assert (shown["Parameters"], shown["InputArtifacts"], shown["OutputArtifacts"]) == ({}, {}, {})
    assert shown["Metrics"] == []


def test_updating_a_component_merges_its_maps(registry: Any) -> None:
    registry(
        "CreateTrialComponent",
        TrialComponentName="c",
        Parameters={"a": {"NumberValue": 1.0}, "b": {"StringValue": "x"}},
        OutputArtifacts={"model": {"Value": "s3://b/m"}},
        Status={"PrimaryStatus": "InProgress"},
    )
    registry(
        "UpdateTrialComponent",
        TrialComponentName="c",
        Parameters={"b": {"StringValue": "y"}, "c": {"NumberValue": 2.0}},
        ParametersToRemove=["a"],
        OutputArtifactsToRemove=["model"],
        Status={"PrimaryStatus": "Completed"},
        EndTime=9.0,
    )
    component = registry("DescribeTrialComponent", TrialComponentName="c")
    assert component["Parameters"] == {"b": {"StringValue": "y"}, "c": {"NumberValue": 2.0}}
    assert component["OutputArtifacts"] == {}
    assert (component["Status"], component["EndTime"]) == ({"PrimaryStatus": "Completed"}, 9.0)


def test_lists(registry: Any, trial: str) -> None:
    registry("CreateExperiment", ExperimentName="A")
    registry("CreateTrial", TrialName="other", ExperimentName="A")
    for name in ("c1", "c2"):
        registry("CreateTrialComponent", TrialComponentName=name)
    registry("AssociateTrialComponent", TrialName=trial, TrialComponentName="c1")

    def names(operation: str, member: str, **request: Any) -> list[str]:
        return [one[f"{member}Name"] for one in registry(operation, **request)[f"{member}Summaries"]]

    assert names("ListExperiments", "Experiment") == ["A", "Exp"]
    assert names("ListExperiments", "Experiment", SortOrder="Ascending") == ["Exp", "A"]
    assert names("ListExperiments", "Experiment", SortBy="Name", SortOrder="Ascending") == ["A", "Exp"]
    assert names("ListExperiments", "Experiment", CreatedBefore=1.0) == []
    assert names("ListTrials", "Trial") == ["other", trial]
    assert names("ListTrials", "Trial", ExperimentName="EXP") == [trial]
    assert names("ListTrials", "Trial", TrialComponentName="c1") == [trial]
    assert names("ListTrialComponents", "TrialComponent") == ["c2", "c1"]
    assert names("ListTrialComponents", "TrialComponent", TrialName=trial) == ["c1"]
    assert names("ListTrialComponents", "TrialComponent", ExperimentName="exp") == ["c1"]
    assert names("ListTrialComponents", "TrialComponent", ExperimentName="A") == []
