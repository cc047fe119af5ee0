"""Each of the 22 parameters changes what AWS describes: two executions on the local service, compared by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pipelines.data import abalone_csv, abalone_url
from tests.commands import run_command
from tests.support import ROLE, Service, finished, start, steps_of

NAME = "ProjectParameters"
BUCKET = "sagemaker-us-east-1-123456789012"
OTHER_DATA = f"s3://{BUCKET}/project-parameters/same-data-elsewhere.csv"


@dataclass(frozen=True)
class Execution:
    """An ended execution, and what AWS describes of it."""

    sagemaker: Any
    steps: dict[str, dict[str, Any]]

    def job(self, step: str) -> dict[str, Any]:
        """Describe's answer on what a step made."""
        ((kind, details),) = self.steps[step]["Metadata"].items()
        name = details["Arn"].rpartition("/")[2]
        if kind == "ProcessingJob":
            return dict(self.sagemaker.describe_processing_job(ProcessingJobName=name))
        if kind == "TrainingJob":
            return dict(self.sagemaker.describe_training_job(TrainingJobName=name))
        return dict(self.sagemaker.describe_model_package(ModelPackageName=details["Arn"]))

    def check(self, step: str) -> dict[str, Any]:
        """A check step's metadata."""
        ((_, details),) = self.steps[step]["Metadata"].items()
        return dict(details)


def cluster(execution: Execution, step: str) -> dict[str, Any]:
    return dict(execution.job(step)["ProcessingResources"]["ClusterConfig"])


def statistics(step: str) -> Callable[[Execution], Any]:
    return lambda run: run.check(step)["BaselineUsedForDriftCheckStatistics"]


def constraints(step: str) -> Callable[[Execution], Any]:
    return lambda run: run.check(step)["BaselineUsedForDriftCheckConstraints"]


def field(step: str, name: str) -> Callable[[Execution], Any]:
    return lambda run: run.check(step)[name]


READERS: dict[str, Callable[[Execution], Any]] = {
    "ProcessingInstanceType": lambda run: cluster(run, "PreprocessAbaloneData")["InstanceType"],
    "ProcessingInstanceCount": lambda run: cluster(run, "PreprocessAbaloneData")["InstanceCount"],
    "TrainingInstanceType": lambda run: run.job("TrainAbaloneModel")["ResourceConfig"]["InstanceType"],
    "ModelApprovalStatus": lambda run: run.job("RegisterAbaloneModel")["ModelApprovalStatus"],
    "InputDataUrl": lambda run: run.job("PreprocessAbaloneData")["AppSpecification"]["ContainerArguments"][1],
    "SkipDataQualityCheck": field("DataQualityCheckStep", "SkipCheck"),
    "RegisterNewDataQualityBaseline": field("DataQualityCheckStep", "RegisterNewBaseline"),
    "DataQualitySuppliedStatistics": statistics("DataQualityCheckStep"),
    "DataQualitySuppliedConstraints": constraints("DataQualityCheckStep"),
    "SkipDataBiasCheck": field("DataBiasCheckStep", "SkipCheck"),
    "RegisterNewDataBiasBaseline": field("DataBiasCheckStep", "RegisterNewBaseline"),
    "DataBiasSuppliedBaselineConstraints": constraints("DataBiasCheckStep"),
    "SkipModelQualityCheck": field("ModelQualityCheckStep", "SkipCheck"),
    "RegisterNewModelQualityBaseline": field("ModelQualityCheckStep", "RegisterNewBaseline"),
    "ModelQualitySuppliedStatistics": statistics("ModelQualityCheckStep"),
    "ModelQualitySuppliedConstraints": constraints("ModelQualityCheckStep"),
    "SkipModelBiasCheck": field("ModelBiasCheckStep", "SkipCheck"),
    "RegisterNewModelBiasBaseline": field("ModelBiasCheckStep", "RegisterNewBaseline"),
    "ModelBiasSuppliedBaselineConstraints": constraints("ModelBiasCheckStep"),
    "SkipModelExplainabilityCheck": field("ModelExplainabilityCheckStep", "SkipCheck"),
    "RegisterNewModelExplainabilityBaseline": field("ModelExplainabilityCheckStep", "RegisterNewBaseline"),
    "ModelExplainabilitySuppliedBaselineConstraints": constraints("ModelExplainabilityCheckStep"),
}


def changed_values(first: Execution) -> dict[str, Any]:
    """Another value for every parameter. The supplied baselines are those that the first execution calculated."""
    values: dict[str, Any] = {
        "ProcessingInstanceType": "ml.m5.2xlarge",
        "ProcessingInstanceCount": 2,
        "TrainingInstanceType": "ml.m5.4xlarge",
        "ModelApprovalStatus": "Rejected",
        "InputDataUrl": OTHER_DATA,
    }
    for name, read in READERS.items():
        if name.startswith(("Skip", "RegisterNew")):
            values[name] = False
        elif "Supplied" in name:
            values[name] = read(first)
    return values


@pytest.fixture(scope="module")
def runs(service: Service) -> tuple[Execution, Execution, dict[str, Any]]:
    """One execution with the defaults that run-pipeline has chosen, one with every parameter changed."""
    names = str({"pipeline_name": NAME, "model_package_group_name": NAME, "base_job_prefix": NAME})
    run_command(service, "run-pipeline", "-n", "pipelines.abalone.pipeline", "--role-arn", ROLE, "--kwargs", names)
    sagemaker = service.client("sagemaker")
    summaries = sagemaker.list_pipeline_executions(PipelineName=NAME)["PipelineExecutionSummaries"]
    first = Execution(sagemaker, steps_of(sagemaker, summaries[0]["PipelineExecutionArn"]))

    bucket, _, key = OTHER_DATA.removeprefix("s3://").partition("/")
    service.client("s3").put_object(Bucket=bucket, Key=key, Body=abalone_csv())
    values = changed_values(first)
    arn = start(sagemaker, NAME, **{name: str(value) for name, value in values.items()})
    described = finished(sagemaker, arn)
    assert described["PipelineExecutionStatus"] == "Succeeded", steps_of(sagemaker, arn)
    return first, Execution(sagemaker, steps_of(sagemaker, arn)), values


def test_every_parameter_is_read(runs: Any) -> None:
    _, _, values = runs
    assert set(values) == set(READERS) and len(values) == 22


@pytest.mark.parametrize("parameter", READERS)
def test_a_parameter_changes_what_aws_describes(parameter: str, runs: Any) -> None:
    first, second, values = runs
    before, after = READERS[parameter](first), READERS[parameter](second)
    assert after == values[parameter]
    if "Supplied" in parameter:  # without it, the execution's own new baseline would be used
        calculated = parameter_of_calculated(parameter)
        assert second.check(step_of(parameter))[calculated] != after
    else:
        assert before != after


def step_of(parameter: str) -> str:
    return f"{parameter.partition('Supplied')[0]}CheckStep"


def parameter_of_calculated(parameter: str) -> str:
    return "CalculatedBaselineStatistics" if parameter.endswith("Statistics") else "CalculatedBaselineConstraints"


def test_the_pipeline_starts_with_no_input_at_all(runs: Any, service: Service) -> None:
    sagemaker = service.client("sagemaker")
    described = finished(sagemaker, start(sagemaker, NAME))
    assert described["PipelineExecutionStatus"] == "Succeeded"


def test_the_default_data_is_the_uploaded_object(runs: Any) -> None:
    first, _, _ = runs
    assert READERS["InputDataUrl"](first) == abalone_url(BUCKET)
