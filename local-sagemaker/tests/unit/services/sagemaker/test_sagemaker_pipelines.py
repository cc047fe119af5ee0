"""The operations on pipelines, versions and executions: answers, lists, tokens and errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.errors import Conflict, ResourceNotFound, ServiceError, ValidationError
from tests.unit.engine.world import ROLE, World, fails, hang, processing, until

TOKEN = "t" * 32
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/P"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh service."""
    made = World(tmp_path / "home")
    yield made
    made.close()


def definition(*steps: Any, **more: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})


def create(world: World, name: str = "P", **more: Any) -> dict[str, Any]:
    request = {"PipelineName": name, "PipelineDefinition": definition(processing("A")), "RoleArn": ROLE, **more}
    return world.sagemaker("CreatePipeline", **request)


def test_create_and_describe(world: World) -> None:
    text = definition(processing("A")) + " \n"
    assert create(world, PipelineDefinition=text, PipelineDescription="d", Tags=[{"Key": "k", "Value": "v"}]) == {
        "PipelineArn": ARN
    }
    answer = world.sagemaker("DescribePipeline", PipelineName="p")
    times = {answer.pop("CreationTime"), answer.pop("LastModifiedTime")}
    assert len(times) == 1 and abs(times.pop() - time.time()) < 60
    assert answer == {
        "PipelineArn": ARN,
        "PipelineName": "P",
        "PipelineDisplayName": "P",
        "PipelineDescription": "d",
        "PipelineDefinition": text,
        "PipelineStatus": "Active",
        "RoleArn": ROLE,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    assert world.sagemaker("DescribePipeline", PipelineName=ARN)["PipelineDefinition"] == text
    assert world.sagemaker("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_an_existing_name_has_the_text_that_upserts_look_for(world: World) -> None:
    create(world)
    with pytest.raises(ValidationError) as refused:
        create(world, name="p")
    assert refused.value.message == (
        "Pipeline names must be unique within an AWS account and region. Pipeline with name (p) already exists."
    )


def test_upserting_twice_makes_two_versions(world: World) -> None:
    create(world)
    assert world.sagemaker("UpdatePipeline", PipelineName="P", PipelineDefinition=definition(processing("B"))) == {
        "PipelineArn": ARN,
        "PipelineVersionId": 2,
    }
    versions = world.sagemaker("ListPipelineVersions", PipelineName="P", MaxResults=1)
    assert versions["PipelineVersionSummaries"][0]["PipelineVersionId"] == 2 and versions["NextToken"]
    first = world.sagemaker("DescribePipeline", PipelineName="P", PipelineVersionId=1)
    assert json.loads(first["PipelineDefinition"])["Steps"][0]["Name"] == "A"


def test_an_update_leaves_what_it_does_not_hold(world: World) -> None:
    create(world, PipelineDescription="d")
    answer = world.sagemaker("UpdatePipeline", PipelineName="P", PipelineDisplayName="Shown")
    assert answer["PipelineVersionId"] == 1
    described = world.sagemaker("DescribePipeline", PipelineName="P")
    assert (described["PipelineDescription"], described["PipelineDisplayName"]) == ("d", "Shown")


def test_aliases(world: World) -> None:
    create(world, PipelineVersionAliases=["prod"])
    update = {"PipelineName": "P", "PipelineDefinition": definition(processing("B"))}
    with pytest.raises(Conflict, match="already used by version 1"):
        world.sagemaker("UpdatePipeline", **update, PipelineVersionAliases=["prod"])
    world.sagemaker("UpdatePipeline", **update, PipelineVersionAliases=["next"])
    with pytest.raises(ValidationError, match="numbers only"):
        world.sagemaker(
            "UpdatePipelineVersion",
            PipelineArn=ARN,
            PipelineVersionId=1,
            PipelineVersionAliasOperations={"Add": ["12"]},
        )
    world.sagemaker(
        "UpdatePipelineVersion",
        PipelineArn=ARN,
        PipelineVersionId=1,
        PipelineVersionDisplayName="first",
        PipelineVersionAliasOperations={"Add": ["old"], "Remove": ["prod"]},
    )
    described = world.sagemaker("DescribePipeline", PipelineName="P", PipelineVersionAlias="old")
    assert (described["PipelineVersionDisplayName"], described["PipelineVersionAliases"]) == ("first", ["old"])
    arn = world.wait(world.start(PipelineVersionAlias="old"))
    assert world.describe(arn)["PipelineVersionId"] == 1 and list(world.steps(arn)) == ["A"]
    assert world.describe(arn)["PipelineVersionAliases"] == ["old"]
    listed = world.sagemaker("ListPipelineExecutions", PipelineName="P", PipelineVersionAlias="next")
    assert listed["PipelineExecutionSummaries"] == []
    with pytest.raises(ResourceNotFound):
        world.start(PipelineVersionAlias="prod")
    with pytest.raises(ValidationError):
        world.start(PipelineVersionAlias="old", PipelineVersionId=1)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"PipelineDefinitionS3Location": {"Bucket": "bucket", "ObjectKey": "k"}},
            "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present",
        ),
        (
            {"PipelineDefinition": None},
            "Either Pipeline Definition or Pipeline Definition S3 location should be provided",
        ),
        ({"PipelineDefinition": "x"}, "Unable to parse pipeline definition. Expecting start of Json Object."),
        (
            {
                "PipelineDefinition": None,
                "PipelineDefinitionS3Location": {"Bucket": "bucket", "ObjectKey": "none"},
            },
            "Could not find the pipeline definition at s3://bucket/none. The specified key does not exist.",
        ),
    ],
)
def test_refused_definitions(world: World, more: dict[str, Any], message: str) -> None:
    request = {"PipelineName": "P", "PipelineDefinition": definition(processing("A")), "RoleArn": ROLE, **more}
    with pytest.raises(ValidationError) as refused:
        world.sagemaker("CreatePipeline", **{key: value for key, value in request.items() if value is not None})
    assert refused.value.message == message
    assert world.sagemaker("ListPipelines")["PipelineSummaries"] == []


def test_a_name_has_at_most_82_characters(world: World) -> None:
    name = "p" * 83
    with pytest.raises(ValidationError) as refused:
        create(world, name=name)
    assert refused.value.message == f'[string "{name}" is too long (length: 83, maximum allowed: 82)]'
    create(world, name=name[:82])


def test_a_definition_from_s3_is_copied(world: World) -> None:
    world.put("big.json", definition(processing("A")).encode())
    location = {"Bucket": "bucket", "ObjectKey": "big.json"}
    world.sagemaker("CreatePipeline", PipelineName="P", PipelineDefinitionS3Location=location, RoleArn=ROLE)
    world.objects.delete("bucket", "big.json")
    assert world.status(world.wait(world.start())) == "Succeeded"


def test_a_version_of_a_definition_in_s3(world: World) -> None:
    world.objects.buckets.set_versioning("bucket", "Enabled")
    world.put("big.json", definition(processing("Old")).encode())
    old = world.objects.head("bucket", "big.json")
    assert old is not None
    world.put("big.json", definition(processing("New")).encode())
    location = {"Bucket": "bucket", "ObjectKey": "big.json", "VersionId": old.version_id}
    world.sagemaker("CreatePipeline", PipelineName="P", PipelineDefinitionS3Location=location, RoleArn=ROLE)
    shown = json.loads(world.sagemaker("DescribePipeline", PipelineName="P")["PipelineDefinition"])
    assert [step["Name"] for step in shown["Steps"]] == ["Old"]


def test_lists_of_pipelines(world: World) -> None:
    for name in ("Alpha", "Beta", "Alpine"):
        create(world, name=name)
    arn = world.wait(world.start("Beta"))

    def names(**request: Any) -> list[str]:
        return [item["PipelineName"] for item in world.sagemaker("ListPipelines", **request)["PipelineSummaries"]]

    assert names() == ["Alpine", "Beta", "Alpha"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["Alpha", "Alpine", "Beta"]
    assert names(PipelineNamePrefix="Al", SortOrder="Ascending") == ["Alpha", "Alpine"]
    assert names(CreatedAfter=time.time() + 60) == names(ManagedBy="AWS") == []
    page = world.sagemaker("ListPipelines", MaxResults=2)
    assert [item["PipelineName"] for item in page["PipelineSummaries"]] == ["Alpine", "Beta"]
    assert names(MaxResults=2, NextToken=page["NextToken"]) == ["Alpha"]
    assert page["PipelineSummaries"][1]["LastExecutionTime"] == world.describe(arn)["CreationTime"]
    assert "LastExecutionTime" not in page["PipelineSummaries"][0]


def test_delete(world: World) -> None:
    create(world)
    world.plan = {"A": hang}
    arn = world.start()
    with pytest.raises(Conflict):
        world.sagemaker("DeletePipeline", PipelineName="P")
    world.processing.end(world.job_of(arn, "A"), "Completed")
    world.wait(arn)
    assert world.sagemaker("DeletePipeline", PipelineName="P") == {"PipelineArn": ARN}
    for operation, request in (
        ("DescribePipeline", {"PipelineName": "P"}),
        ("ListPipelineExecutions", {"PipelineName": "P"}),
        ("DescribePipelineExecution", {"PipelineExecutionArn": arn}),
        ("DeletePipeline", {"PipelineName": "P"}),
    ):
        with pytest.raises(ResourceNotFound):
            world.sagemaker(operation, **request)
    create(world)
    assert (
        world.sagemaker("ListPipelineVersions", PipelineName="P")["PipelineVersionSummaries"][0]["PipelineVersionId"]
        == 1
    )


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("DescribePipeline", {"PipelineName": "P"}),
        ("UpdatePipeline", {"PipelineName": "P", "PipelineDescription": "d"}),
        ("StartPipelineExecution", {"PipelineName": "P"}),
        ("ListPipelineVersions", {"PipelineName": ARN}),
    ],
)
def test_a_missing_pipeline(world: World, operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(ResourceNotFound) as refused:
        world.sagemaker(operation, **request_)
    assert (refused.value.code, refused.value.message) == ("ResourceNotFound", f"Pipeline '{ARN}' does not exist.")


def test_tokens_make_a_request_happen_once(world: World) -> None:
    first = create(world, ClientRequestToken=TOKEN)
    assert create(world, ClientRequestToken=TOKEN) == first
    with pytest.raises(ServiceError):
        create(world, ClientRequestToken=TOKEN, PipelineDescription="other")
    arns = {world.start(ClientRequestToken=TOKEN) for _ in range(3)}
    assert len(arns) == 1
    world.wait(arns.pop())
    assert len(world.sagemaker("ListPipelineExecutions", PipelineName="P")["PipelineExecutionSummaries"]) == 1
    world.sagemaker("DeletePipeline", PipelineName="P", ClientRequestToken="d" * 32)
    with pytest.raises(ServiceError, match="does not exist"):  # what the token stood for is gone
        world.start(ClientRequestToken=TOKEN)
    assert create(world, ClientRequestToken=TOKEN) == first
    world.sagemaker("DescribePipeline", PipelineName="P")


PARAMETERS = [
    {"Name": "I", "Type": "Integer", "DefaultValue": 1},
    {"Name": "B", "Type": "Boolean", "DefaultValue": True},
    {"Name": "S", "Type": "String"},
]


def test_parameters_of_an_execution_include_the_defaults(world: World) -> None:
    create(world, PipelineDefinition=definition(processing("A"), Parameters=PARAMETERS))
    arn = world.wait(world.start(parameters={"S": "x", "B": "False"}))
    listed = world.sagemaker("ListPipelineParametersForExecution", PipelineExecutionArn=arn)
    assert {item["Name"]: item["Value"] for item in listed["PipelineParameters"]} == {"I": "1", "B": "false", "S": "x"}
    assert "PipelineParameters" not in world.describe(arn)
    with pytest.raises(ValidationError, match="Parameter 'S' is undefined"):
        world.start()


def test_describe_execution(world: World) -> None:
    create(world)
    arn = world.start(PipelineExecutionDescription="why", ParallelismConfiguration={"MaxParallelExecutionSteps": 4})
    answer = world.describe(world.wait(arn))
    created = answer.pop("CreationTime")
    assert answer.pop("LastModifiedTime") >= created
    assert answer == {
        "PipelineArn": ARN,
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": f"execution-{int(created * 1000)}",
        "PipelineExecutionStatus": "Succeeded",
        "PipelineExecutionDescription": "why",
        "CreatedBy": {},
        "LastModifiedBy": {},
        "RoleArn": ROLE,
        "PipelineVersionId": 1,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 4},
    }
    assert not any(name.startswith("_") for step in world.steps(arn).values() for name in step)


def test_the_snapshot_is_that_of_the_start(world: World) -> None:
    create(world)
    world.plan = {"A": hang}
    arn = world.start()
    world.sagemaker("UpdatePipeline", PipelineName="P", PipelineDefinition=definition(processing("B")))
    answer = world.sagemaker("DescribePipelineDefinitionForExecution", PipelineExecutionArn=arn)
    assert json.loads(answer["PipelineDefinition"])["Steps"][0]["Name"] == "A"
    world.processing.end(world.job_of(arn, "A"), "Completed")
    world.wait(arn)


def test_lists_of_executions_and_steps(world: World) -> None:
    create(world, PipelineDefinition=definition(processing("A"), processing("B", DependsOn=["A"])))
    arns = [world.wait(world.start()) for _ in range(3)]
    listed = world.sagemaker("ListPipelineExecutions", PipelineName="P")["PipelineExecutionSummaries"]
    assert [item["PipelineExecutionArn"] for item in listed] == arns[::-1]
    assert set(listed[0]) == {
        "PipelineExecutionArn", "StartTime", "PipelineExecutionStatus", "PipelineExecutionDisplayName",
    }  # fmt: skip
    newest = world.sagemaker("ListPipelineExecutions", PipelineName=ARN, SortBy="CreationTime", MaxResults=1)
    assert newest["PipelineExecutionSummaries"][0]["PipelineExecutionArn"] == arns[-1]
    steps = world.sagemaker("ListPipelineExecutionSteps", PipelineExecutionArn=arns[0])["PipelineExecutionSteps"]
    assert [step["StepName"] for step in steps] == ["B", "A"]
    summary = world.sagemaker("ListPipelineVersions", PipelineName="P")["PipelineVersionSummaries"][0]
    assert summary["LastExecutionPipelineExecutionArn"] == arns[-1]


def test_update_execution(world: World) -> None:
    create(world)
    arn = world.wait(world.start())
    world.sagemaker("UpdatePipelineExecution", PipelineExecutionArn=arn, PipelineExecutionDisplayName="mine")
    assert world.describe(arn)["PipelineExecutionDisplayName"] == "mine"


@pytest.mark.parametrize(
    "operation",
    [
        "DescribePipelineExecution", "StopPipelineExecution", "RetryPipelineExecution", "UpdatePipelineExecution",
        "ListPipelineExecutionSteps", "ListPipelineParametersForExecution", "DescribePipelineDefinitionForExecution",
    ],
)  # fmt: skip
def test_a_missing_execution(world: World, operation: str) -> None:
    create(world)
    with pytest.raises(ResourceNotFound):
        world.sagemaker(operation, PipelineExecutionArn=f"{ARN}/execution/zzzzzzzzzzzz")


def test_status_changes_are_events(world: World) -> None:
    seen: list[str] = []
    world.records.events.subscribe(
        lambda event: seen.append(event.status) if event.kind == "pipeline-execution" else None
    )
    world.plan = {"A": fails("x")}
    create(world)
    arn = world.wait(world.start())
    until(lambda: len(seen) == 2)
    world.plan = {}
    world.sagemaker("RetryPipelineExecution", PipelineExecutionArn=arn)
    until(lambda: seen == ["Executing", "Failed", "Executing", "Succeeded"])
