"""What published delivery templates do wrong, and the programs of the stages do not (DEL-6)."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from delivery.modelmonitor.baselines import find_deployed
from delivery.stages import deploy, pauses
from delivery.stages.deploy import DeploymentFailed, Stack
from delivery.stages.registry import find_latest_approved
from delivery.stages.tags import read_project_tags
from pipelines.tags import with_project


class Stacks:
    """CloudFormation whose stack has these statuses, one after the other; the last one stays."""

    def __init__(self, *statuses: str | None, refuses: str = "") -> None:
        self.statuses, self.refuses, self.calls = list(statuses), refuses, list[str]()

    def describe_stacks(self, **_request: str) -> dict[str, Any]:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            raise error("Stack with id s does not exist")
        return {"Stacks": [{"StackStatus": status}]}

    def describe_stack_events(self, **_request: str) -> dict[str, Any]:
        event = {"LogicalResourceId": "Endpoint", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "no model"}
        return {"StackEvents": [event]}

    def create_stack(self, **_request: Any) -> None:
        self.calls.append("create")

    def delete_stack(self, **_request: Any) -> None:
        self.calls.append("delete")

    def update_stack(self, **_request: Any) -> None:
        self.calls.append("update")
        if self.refuses:
            raise error(self.refuses)


def error(text: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "x")


@pytest.mark.parametrize(
    ("stacks", "done", "calls"),
    [
        (Stacks(None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE"), "created", ["create"]),
        (Stacks("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"), "updated", ["update"]),
        (Stacks("UPDATE_COMPLETE", refuses="No updates are to be performed."), "unchanged", ["update"]),
        (Stacks("ROLLBACK_COMPLETE", None, "CREATE_COMPLETE"), "created", ["delete", "create"]),
    ],
)
def test_a_deployment_waits_and_no_change_is_no_failure(
    stacks: Stacks, done: str, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pauses, "SHORTEST", 0)
    assert deploy.deploy(stacks, Stack("s", "{}", {})) == done
    assert stacks.calls == calls
    assert len(stacks.statuses) == 1  # it has looked until the end


def test_a_deployment_that_fails_says_which_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pauses, "SHORTEST", 0)
    stacks = Stacks("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    with pytest.raises(DeploymentFailed, match="s is UPDATE_ROLLBACK_COMPLETE:\n  Endpoint: no model"):
        deploy.deploy(stacks, Stack("s", "{}", {}))


class TaggedProject:
    """SageMaker with a project that has these tags, on two pages."""

    def __init__(self, tags: dict[str, str]) -> None:
        self.rows = [{"Key": key, "Value": value} for key, value in tags.items()]

    def get_paginator(self, operation: str) -> TaggedProject:
        assert operation == "list_tags"
        return self

    def paginate(self, **_request: str) -> list[dict[str, Any]]:
        return [{"Tags": self.rows[:1]}, {"Tags": self.rows[1:]}]


def test_a_project_s_own_tags_keep_their_names() -> None:
    """A published loop put the prefix before each once more. AWS's own tags can't be set by others."""
    project = TaggedProject({"sagemaker:project-name": "churn", "team": "a", "aws:servicecatalog:arn": "x"})
    assert read_project_tags(project, "churn", "p-1", "arn:project") == {
        "sagemaker:project-name": "churn", "sagemaker:project-id": "p-1", "team": "a",
    }  # fmt: skip


class HiddenProject:
    """SageMaker with a project that can't be read."""

    def get_paginator(self, _operation: str) -> HiddenProject:
        return self

    def paginate(self, **_request: str) -> None:
        raise error("no such project")


def test_a_project_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Published builds lost the tags without a word (here: of the stages, and of `run-pipeline`)."""
    tags = read_project_tags(HiddenProject(), "churn", "p-1", "arn:project")
    assert tags == {"sagemaker:project-name": "churn", "sagemaker:project-id": "p-1"}
    assert with_project(cast(Any, HiddenProject()), [], "arn:project") == []
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("Tags of the project arn:project are left out" in line and "no such project" in line for line in lines)


class Served:
    """SageMaker with an endpoint whose model was described in one of the two ways."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.model = model

    def describe_endpoint(self, **_request: str) -> dict[str, Any]:
        return {"EndpointStatus": "InService", "EndpointConfigName": "c"}

    def describe_endpoint_config(self, **_request: str) -> dict[str, Any]:
        return {"ProductionVariants": [{"ModelName": "m"}]}

    def describe_model(self, **_request: str) -> dict[str, Any]:
        return self.model


@pytest.mark.parametrize("member", ["PrimaryContainer", "Containers"])
def test_the_version_of_a_model_is_found_however_it_was_made(member: str) -> None:
    container = {"ModelPackageName": "arn:version/1"}
    served = Served({member: container if member == "PrimaryContainer" else [container]})
    deployed = find_deployed(served, "e")
    assert deployed is not None and (deployed.model, deployed.version) == ("m", "arn:version/1")


class Registry:
    """SageMaker with approved versions on three pages, the first of which is empty: AWS may filter after it pages."""

    def get_paginator(self, operation: str) -> Registry:
        assert operation == "list_model_packages"
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        assert (request["ModelPackageGroupName"], request["ModelApprovalStatus"]) == ("g", "Approved")
        pages: tuple[tuple[int, ...], ...] = ((), (9, 10), (2,))
        return [
            {"ModelPackageSummaryList": [{"ModelPackageArn": f"g/{number}", "ModelPackageVersion": number}
                                         for number in page]}
            for page in pages
        ]  # fmt: skip

    def describe_model_package(self, **request: str) -> dict[str, str]:
        return {"ModelPackageArn": request["ModelPackageName"]}


def test_the_newest_version_is_looked_for_on_all_pages() -> None:
    """A published build read the first page."""
    assert find_latest_approved(Registry(), "g") == {"ModelPackageArn": "g/10"}
