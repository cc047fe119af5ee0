"""What steps make is named after execution and step, and carries the tags of the Pipelines service."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.engine.job_names import job_name, name_tuning_job
from local_sagemaker.engine.steps.endpoint import ENDPOINT
from tests.unit.engine.world import IMAGE, ROLE, World, get, processing, training, tuning

MODEL = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "Environment": {}}}


def with_tag(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "Arguments": {**step["Arguments"], "Tags": [{"Key": "team", "Value": "red"}]}}


@pytest.mark.parametrize(
    ("step", "prefix", "start"),
    [
        ("Abalone-CreateModel-CreateModel", None, "pipelines-abcdefghijkl-Abalone-CreateModel--"),
        ("Train", None, "pipelines-abcdefghijkl-Train-"),
        ("Train-", None, "pipelines-abcdefghijkl-Train--"),
        ("a_b", None, "pipelines-abcdefghijkl-a-b-"),
        ("-", None, "pipelines-abcdefghijkl---"),
        ("Train", "nightly", "nightly-abcdefghijkl-"),
        ("Train", "nightly-", "nightly--abcdefghijkl-"),
        ("Train", "p" * 63, "p" * 39 + "-abcdefghijkl-"),
    ],
)
def test_names_of_jobs(step: str, prefix: str | None, start: str) -> None:
    name = job_name("abcdefghijkl", step, prefix)
    assert name.startswith(start) and len(name) == len(start) + 10 <= 63


def test_names_of_tuning_jobs_keep_the_dash_too() -> None:
    assert name_tuning_job("abcdefghijkl", "Tune-All-Models").startswith("abcdefghijkl-Tune-Al-")
    assert name_tuning_job("abcdefghijkl", "Tuning-X").startswith("abcdefghijkl-Tuning--")


@pytest.mark.parametrize(
    "step",
    [
        processing("Clean-Data", Tags=[{"Key": "team", "Value": get("Parameters.Team")}]),
        training("Clean-Data", Tags=[{"Key": "team", "Value": get("Parameters.Team")}]),
        with_tag(tuning("Clean-Data")),
        with_tag({"Name": "Clean-Data", "Type": "Model", "Arguments": MODEL}),
        {
            **processing("Clean-Data", Tags=[{"Key": "team", "Value": "red"}]),
            "Type": "QualityCheck", "CheckType": "DATA_QUALITY", "SkipCheck": True, "RegisterNewBaseline": True,
        },
    ],
)  # fmt: skip
def test_tags_of_what_steps_make(world: World, step: dict[str, Any]) -> None:
    arn = world.run([step], {"Team": "red"}, Parameters=[{"Name": "Team", "Type": "String", "DefaultValue": "blue"}])
    assert world.status(arn) == "Succeeded", world.steps(arn)
    jobs = (world.processing, world.training, world.tuning)
    made = next((jobs.requests[0] for jobs in jobs if jobs.requests), None)
    tags = made["Tags"] if made else tags_of(world, arn)
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "team": "red",
        "sagemaker:pipeline-execution-arn": arn,
        "sagemaker:pipeline-step-name": "Clean-Data",
    }


def tags_of(world: World, arn: str) -> list[dict[str, str]]:
    model = world.steps(arn)["Clean-Data"]["Metadata"]["Model"]["Arn"]
    return list(world.sagemaker("ListTags", ResourceArn=model)["Tags"])


def test_tags_never_exceed_what_the_api_takes(world: World) -> None:
    own = [{"Key": f"k{number}", "Value": "v"} for number in range(49)]
    assert world.status(world.run([processing("A", Tags=own)])) == "Succeeded"
    assert len(world.processing.requests[0]["Tags"]) == 50


def test_tags_do_not_spoil_the_cache(world: World) -> None:
    step = training("A", CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    world.run([step])
    assert "CacheHitResult" in world.steps(world.run([step]))["A"]


def test_only_the_definition_says_whether_an_endpoint_has_a_name() -> None:
    keys = [
        ENDPOINT.signature({"EndpointConfigName": "c", "Tags": [], **named})
        for named in ({"EndpointName": "pipelines-a"}, {"EndpointName": "pipelines-b"}, {})
    ]
    assert keys == [
        {"EndpointConfigName": "c", "EndpointName": "pipelines-a"},
        {"EndpointConfigName": "c", "EndpointName": "pipelines-b"},
        {"EndpointConfigName": "c"},
    ]
