"""The composition: every resource is in a region's dispatch table, and takes part in the life of the service."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker import services
from local_sagemaker.api.operations import Resource, is_atomic, operations_of
from local_sagemaker.app import Application
from local_sagemaker.arns import Arns, is_region
from local_sagemaker.cli.reference import list_operations
from local_sagemaker.config import Settings


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    made = Application(Settings(home=tmp_path), "http://127.0.0.1:1")
    yield made
    made.close()


def kinds_of_resources() -> set[type]:
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        importlib.import_module(module.name)
    kinds = {kind for kind in subclasses(Resource) if not inspect.isabstract(kind) and kind.__name__ != "Kept"}
    return {kind for kind in kinds if not kinds & set(subclasses(kind))}  # bases of several are none themselves


def subclasses(kind: type) -> Iterator[type]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("local_sagemaker."):  # other tests have some, too
            yield subclass
        yield from subclasses(subclass)


def test_no_resource_is_left_out_of_a_region(application: Application) -> None:
    resources = application.regions.of("").resources
    assert {type(resource) for resource in resources} >= kinds_of_resources()
    assert len(resources) == len({id(resource) for resource in resources})


def test_the_page_of_operations_is_of_what_a_region_answers(application: Application) -> None:
    resources = application.regions.of("").resources
    answered = sorted(operation for resource in resources for operation, _ in operations_of(type(resource)))
    assert answered == sorted(name.partition(":")[2] for name in list_operations())


READING = re.compile("Get|List|Describe|Search|BatchGet|BatchDescribe|Query|Test|Validate")
IN_ONE_PART = {
    "cloudformation": "CreateStack UpdateStack DeleteStack RollbackStack ContinueUpdateRollback CancelUpdateStack "
    "CreateChangeSet ExecuteChangeSet SetStackPolicy",
    "codebuild": "CreateProject UpdateProject StartBuild StopBuild RetryBuild StartBuildBatch StopBuildBatch "
    "RetryBuildBatch",
    "codepipeline": "",
    "events": "PutEvents",
    "scheduler": "CreateSchedule UpdateSchedule",
    "sagemaker": "CreateEndpointConfig CreateEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint "
    "CreateModel CreateProcessingJob StopProcessingJob CreateTrainingJob StopTrainingJob CreateTransformJob "
    "StopTransformJob CreateHyperParameterTuningJob StopHyperParameterTuningJob CreateArtifact UpdateArtifact "
    "DeleteArtifact CreateAction UpdateAction DeleteAction CreateContext UpdateContext DeleteContext AddAssociation "
    "DeleteAssociation CreateDataQualityJobDefinition CreateModelQualityJobDefinition CreateModelBiasJobDefinition "
    "CreateModelExplainabilityJobDefinition CreateMonitoringSchedule UpdateMonitoringSchedule CreatePipeline "
    "UpdatePipeline StartPipelineExecution StopPipelineExecution RetryPipelineExecution UpdatePipelineExecution "
    "SendPipelineExecutionStepSuccess SendPipelineExecutionStepFailure CreateProject UpdateProject DeleteProject "
    "AddTags DeleteTags DeleteImage",
}
"""Operations that are not atomic as a whole: they ask other services, read files, wait for locks or start work. Each
has been read: what decides is checked again in the transaction in which it writes."""


def test_what_changes_something_is_one_transaction(application: Application) -> None:
    """Of the services of delivery: what an operation has checked is still so when it writes."""
    seen: dict[str, set[str]] = {}
    for resource in application.regions.of("").resources:
        service = type(resource).__module__.split(".")[2]
        for name, attribute in operations_of(type(resource)) if service in IN_ONE_PART else ():
            if not READING.match(name) and not is_atomic(type(resource), attribute):
                seen.setdefault(service, set()).add(name)
    assert seen == {service: set(names.split()) for service, names in IN_ONE_PART.items() if names}


def test_regions_are_made_once_on_their_first_request(application: Application) -> None:
    assert len(application.regions.all()) == 1
    away = application.regions.of("eu-west-1")
    assert application.regions.of("eu-west-1") is away
    assert application.regions.of("") is application.regions.of("us-east-1")
    assert len(application.regions.all()) == 2
    request = {"ModelPackageGroupName": "g"}
    answer = away.call("sagemaker:CreateModelPackageGroup", request)
    assert answer["ModelPackageGroupArn"] == "arn:aws:sagemaker:eu-west-1:123456789012:model-package-group/g"


def test_what_fails_to_resume_keeps_no_other_from_it(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    region, resumed = application.regions.of(""), []

    class Broken(Resource):
        def resume(self) -> None:
            raise RuntimeError("broken")

    class Fine(Resource):
        def resume(self) -> None:
            resumed.append(self)

    region.resources[:] = [Broken(), Fine()]
    region.resume()
    assert len(resumed) == 1
    assert "Broken could not be resumed in us-east-1" in caplog.text


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("ap-southeast-2", "aws")],
)
def test_arns_are_in_the_partition_of_their_region(region: str, partition: str) -> None:
    assert is_region(region)
    assert Arns("1", region).of("lambda", "function:f") == f"arn:{partition}:lambda:{region}:1:function:f"


@pytest.mark.parametrize("text", ["", "nowhere", "us-east", "us-east-1'", "../etc-x-1", "US-EAST-1", "us-east-1/x"])
def test_what_is_no_region(text: str) -> None:
    assert not is_region(text)
