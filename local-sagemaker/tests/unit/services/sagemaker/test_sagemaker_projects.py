"""Projects between the write of what is to be done and CloudFormation's acceptance of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.api.operations import Call, Response
from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.projects import SageMakerProjects
from local_sagemaker.services.sagemaker.tags import Tags

NEW = {"ProjectName": "p", "TemplateProviders": [{"CfnTemplateProvider": {"TemplateName": "t", "TemplateURL": "u"}}]}
OTHER = {"ProjectName": "p", "TemplateProvidersToUpdate": [{"CfnTemplateProvider": {"TemplateURL": "v"}}]}
KEY = {"ProjectName": "p"}


class StackCalls:
    """CloudFormation's side: one stack, whose work has always ended; `before` is called ahead of each change."""

    def __init__(self) -> None:
        self.stack: dict[str, str] | None = None
        self.before: Callable[[], object] = lambda: None
        self.sent: list[str] = []

    def __call__(self, operation: str, request: dict[str, Any]) -> Response:
        verb = operation.partition(":")[2].removesuffix("Stack")
        if verb == "DescribeStacks":
            if self.stack is None:
                raise ServiceError(f"Stack with id {request['StackName']} does not exist", code="ValidationError")
            return {"Stacks": [self.stack]}
        self.before()
        self.sent.append(verb)
        self.stack = {"StackId": "id", "StackStatus": f"{verb.upper()}_COMPLETE"}
        return {} if verb == "Delete" else {"StackId": "id"}


@pytest.fixture
def stacks() -> StackCalls:
    return StackCalls()


@pytest.fixture
def make(tmp_path: Path, stacks: StackCalls) -> Iterator[Callable[[], SageMakerProjects]]:
    """Makes the projects of a service that starts over the same state."""
    settings = Settings(home=tmp_path)
    records = Records(settings.records_file)
    call: Call = stacks
    yield lambda: SageMakerProjects(settings=settings, records=records, tags=Tags(records, call), call=call)
    records.close()


def test_a_look_at_a_project_that_begins_to_change_does_not_make_it_fail(
    make: Callable[[], SageMakerProjects], stacks: StackCalls
) -> None:
    projects = make()
    seen: list[str] = []
    stacks.before = lambda: seen.append(projects.describe(KEY)["ProjectStatus"])
    projects.create(NEW)
    assert projects.describe(KEY)["ProjectStatus"] == "CreateCompleted"
    projects.update(OTHER)
    body = projects.describe(KEY)
    assert body["ProjectStatus"] == "UpdateCompleted"
    assert body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]["TemplateURL"] == "v"
    projects.delete(KEY)
    assert projects.describe(KEY)["ProjectStatus"] == "DeleteCompleted"
    assert seen == ["CreateInProgress", "UpdateInProgress", "DeleteInProgress"]
    with pytest.raises(ValidationError, match="Cannot update Project in DeleteCompleted status"):
        projects.update(OTHER)


def test_what_a_stop_kept_from_cloudformation_is_sent_at_the_next_start(
    make: Callable[[], SageMakerProjects], stacks: StackCalls
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    stacks.before = stop
    with pytest.raises(KeyboardInterrupt):
        make().create(NEW)
    stacks.before = lambda: None
    projects = make()
    assert projects.describe(KEY)["ProjectStatus"] == "CreateInProgress"
    projects.resume()
    assert projects.describe(KEY)["ProjectStatus"] == "CreateCompleted"
    make().resume()
    assert stacks.sent == ["Create"]


def test_a_failure_s_message_is_not_that_of_the_next_try(
    make: Callable[[], SageMakerProjects], stacks: StackCalls
) -> None:
    def refuse() -> None:
        raise ServiceError("no such template", code="ValidationError")

    def message() -> str:
        detail = projects.describe(KEY)["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
        return str(detail["StackDetail"]["StatusMessage"])

    projects = make()
    projects.create(NEW)
    stacks.before = refuse
    projects.update(OTHER)
    assert (projects.describe(KEY)["ProjectStatus"], message()) == ("UpdateFailed", "no such template")
    stacks.before = lambda: None
    projects.update(OTHER)
    assert (projects.describe(KEY)["ProjectStatus"], message()) == ("UpdateCompleted", "UPDATE_COMPLETE")
