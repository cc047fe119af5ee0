"""A SageMaker project: its stack, what that made, and what carries the project's tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Missing, Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.pages.stacks import StackEvent, StackResource, events_of, resources_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import seconds

_TAG = "sagemaker:project-name"
_FOUND = (
    ("Pipeline", "Pipeline", "PipelineName", "pipelines"),
    ("ModelPackageGroup", "ModelPackageGroup", "ModelPackageGroupName", "models"),
    ("Endpoint", "Endpoint", "EndpointName", "endpoints"),
)
_SHOWN = ("pipelines", "models", "endpoints", "delivery", "builds", "repositories", "stacks")
_KINDS = {
    "AWS::CodePipeline::Pipeline": "delivery", "AWS::SageMaker::Pipeline": "pipelines",
    "AWS::SageMaker::ModelPackageGroup": "models", "AWS::SageMaker::Endpoint": "endpoints",
    "AWS::CodeBuild::Project": "builds", "AWS::CodeCommit::Repository": "repositories",
}  # fmt: skip


@dataclass(frozen=True)
class ProjectPart:
    """Something that a project holds; `href` is its page, empty where it has none."""

    name: str
    href: str
    status: str = ""


@dataclass(frozen=True)
class ProjectContext:
    """What a project's page shows."""

    name: str = field(metadata={"help": "ProjectName"})
    id: str = field(metadata={"help": "ProjectId"})
    arn: str = field(metadata={"help": "ProjectArn"})
    description: str = field(metadata={"help": "ProjectDescription"})
    status: str = field(metadata={"help": "ProjectStatus"})
    created: float | None = field(metadata={"help": "seconds since the epoch"})
    stack: str = field(metadata={"help": "the name of its stack"})
    message: str = field(metadata={"help": "what its stack says"})
    template: str = field(metadata={"help": "the template's address"})
    parts: dict[str, list[ProjectPart]] = field(metadata={"help": "what it holds, by kind"})
    resources: list[StackResource] = field(metadata={"help": "what its stack made"})
    events: list[StackEvent] = field(metadata={"help": "the newest events of its stack"})
    commands: dict[str, str] = field(metadata={"help": "each reading as a command"})


def load(visit: Visit) -> ProjectContext:
    """DescribeProject, the resources and events of its stack, and what has its tags. Raises Missing."""
    body = visit.optional("sagemaker:DescribeProject", {"ProjectName": visit.path["project"]})
    if body is None:
        raise Missing(f"There is no project {visit.path['project']}.")
    name = body["ProjectName"]
    details: list[dict[str, Any]] = body.get("TemplateProviderDetails") or [{}]
    provider = details[0].get("CfnTemplateProviderDetail", {})
    stack = provider.get("StackDetail", {})
    resources = resources_of(visit, stack["Id"]) if stack.get("Id") else []
    return ProjectContext(
        name, body["ProjectId"], body["ProjectArn"], body.get("ProjectDescription", ""), body["ProjectStatus"],
        seconds(body.get("CreationTime")), stack.get("Name", ""), stack.get("StatusMessage", ""),
        provider.get("TemplateURL", ""), _parts(visit, name, resources), resources,
        events_of(visit, stack["Id"])[:50] if stack.get("Id") else [],
        {"describe": aws_command("sagemaker:DescribeProject", {"ProjectName": name})},
    )  # fmt: skip


def _parts(visit: Visit, project: str, resources: list[StackResource]) -> dict[str, list[ProjectPart]]:
    parts: dict[str, dict[str, ProjectPart]] = {kind: {} for kind in _SHOWN}
    for item in resources:
        if item.kind in _KINDS and item.name:
            parts[_KINDS[item.kind]].setdefault(item.name.lower(), ProjectPart(item.name, item.href, item.status))
    for kind, part in _find_parts(visit, project):
        parts[kind][part.name.lower()] = part
    return {kind: list(by_name.values()) for kind, by_name in parts.items() if by_name}


def _find_parts(visit: Visit, project: str) -> Iterator[tuple[str, ProjectPart]]:
    """What carries the project's tag: what its builds made is in no stack of its own."""
    expression = {"Filters": [{"Name": f"Tags.{_TAG}", "Operator": "Equals", "Value": project}]}
    for resource, member, key, kind in _FOUND:
        resources = items_or_none(
            visit, "sagemaker:Search", "Results", 100, Resource=resource, SearchExpression=expression, MaxResults=100
        )
        for item in resources:
            body: dict[str, Any] = item[member]
            yield kind, ProjectPart(body[key], urls.to(kind, body[key]), str(body.get("EndpointStatus", "")))
    for body in items_or_none(visit, "cloudformation:DescribeStacks", "Stacks", 500):
        if {"Key": _TAG, "Value": project} in body.get("Tags", []):
            yield "stacks", ProjectPart(body["StackName"], urls.to("stacks", body["StackName"]), body["StackStatus"])


PAGE = Page("/projects/{project}", load, "project.html", "Delivery", live=lambda _visit, _context: ("*:",))
