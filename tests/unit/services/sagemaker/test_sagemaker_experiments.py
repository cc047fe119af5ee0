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


def test_a_component_of_a_job_has_it_as_its_source_and_its_metrics(registry: Any) -> None:
    arn = f"{ARN}:training-job/Train"
    metric = {"MetricName": "validation:rmse", "Value": 2.1, "Timestamp": 5.0}
    registry.records.insert("training-job", "Train", {"TrainingJobArn": arn, "FinalMetricDataList": [metric]})
    registry("CreateTrialComponent", TrialComponentName="train-aws-training-job")
    component = registry("DescribeTrialComponent", TrialComponentName="train-aws-training-job")
    assert component["Source"] == {"SourceArn": arn, "SourceType": "SageMakerTrainingJob"}
    assert component["Metrics"] == [{"MetricName": "validation:rmse", "SourceArn": arn, "TimeStamp": 5.0, "Last": 2.1}]
    registry("CreateTrialComponent", TrialComponentName="other")
    listed = registry("ListTrialComponents", SourceArn=arn)["TrialComponentSummaries"]
    assert [one["TrialComponentName"] for one in listed] == ["train-aws-training-job"]
    assert listed[0]["TrialComponentSource"]["SourceArn"] == arn


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
    assert "OutputArtifacts" not in component
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
