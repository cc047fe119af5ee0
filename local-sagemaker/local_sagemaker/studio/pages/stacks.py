"""A CloudFormation stack: what it made, each with its page, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Missing, Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.times import seconds

_EVENTS = 200
_REPOSITORY = "AWS::CodeCommit::Repository"
_PAGES = {
    "AWS::CodePipeline::Pipeline": "delivery", "AWS::SageMaker::ModelPackageGroup": "models",
    "AWS::SageMaker::Pipeline": "pipelines", "AWS::SageMaker::Endpoint": "endpoints",
    "AWS::SageMaker::MonitoringSchedule": "monitoring", "AWS::SageMaker::Project": "projects",
    "AWS::Lambda::Function": "functions", "AWS::ApiGateway::RestApi": "apis", "AWS::CloudFormation::Stack": "stacks",
}  # fmt: skip


@dataclass(frozen=True)
class StackResource:
    """A resource of a stack; `href` is its page, empty where it has none."""

    logical: str
    name: str
    kind: str
    status: str
    reason: str
    href: str


@dataclass(frozen=True)
class StackEvent:
    """Something that happened to the stack or to one of its resources."""

    time: float | None
    logical: str
    kind: str
    status: str
    reason: str


@dataclass(frozen=True)
class StackContext:
    """What a stack's page shows."""

    name: str = field(metadata={"help": "the stack's name"})
    arn: str = field(metadata={"help": "its id"})
    status: str = field(metadata={"help": "StackStatus"})
    reason: str = field(metadata={"help": "StackStatusReason"})
    changed: float | None = field(metadata={"help": "seconds since the epoch"})
    project: str = field(metadata={"help": "the project that it belongs to, by its tags"})
    has_project_page: bool = field(metadata={"help": "whether SageMaker knows the project"})
    parameters: dict[str, str] = field(metadata={"help": "the values it was made with"})
    outputs: dict[str, str] = field(metadata={"help": "its outputs"})
    tags: dict[str, str] = field(metadata={"help": "its tags"})
    resources: list[StackResource] = field(metadata={"help": "what it made"})
    events: list[StackEvent] = field(metadata={"help": "the newest events, newest first"})
    commands: dict[str, str] = field(metadata={"help": "each reading as a command"})


def load(visit: Visit) -> StackContext:
    """DescribeStacks, ListStackResources and DescribeStackEvents. Raises Missing where there is no such stack."""
    name = visit.path["stack"]
    body = stack_of(visit, name)
    if body is None:
        raise Missing(f"There is no stack {name}.")
    tags = {item["Key"]: item["Value"] for item in body.get("Tags", [])}
    key, project = {"StackName": body["StackName"]}, tags.get("sagemaker:project-name", "")
    known = bool(project and visit.optional("sagemaker:DescribeProject", {"ProjectName": project}))
    return StackContext(
        body["StackName"], body["StackId"], body["StackStatus"], body.get("StackStatusReason", ""),
        seconds(body.get("LastUpdatedTime") or body.get("CreationTime")), project, known,
        {item["ParameterKey"]: item.get("ParameterValue", "") for item in body.get("Parameters", [])},
        {item["OutputKey"]: item.get("OutputValue", "") for item in body.get("Outputs", [])}, tags,
        resources_of(visit, body["StackId"]), events_of(visit, body["StackId"]),
        {"describe": aws_command("cloudformation:DescribeStacks", key),
         "events": aws_command("cloudformation:DescribeStackEvents", key)},
    )  # fmt: skip


def stack_of(visit: Visit, name: str) -> dict[str, Any] | None:
    """A stack by its name or id, None where there is none."""
    stacks = (visit.optional("cloudformation:DescribeStacks", {"StackName": name}) or {}).get("Stacks", [])
    return dict(stacks[0]) if stacks else None


def resources_of(visit: Visit, stack: str) -> list[StackResource]:
    """The resources of a stack that exist."""
    listed = items_or_none(visit, "cloudformation:ListStackResources", "StackResourceSummaries", 500, StackName=stack)
    names: dict[str, str] = {}
    if any(item.get("ResourceType") == _REPOSITORY for item in listed):  # whose physical id is no name
        repositories = visit.optional("codecommit:ListRepositories", {}) or {}
        names = {item["repositoryId"]: item["repositoryName"] for item in repositories.get("repositories", [])}
    return [
        StackResource(
            item["LogicalResourceId"], names.get(_name(item), _name(item)), item.get("ResourceType", ""),
            item.get("ResourceStatus", ""), item.get("ResourceStatusReason", ""),
            _page(item.get("ResourceType", ""), item),
        )
        for item in listed
    ]  # fmt: skip


def _name(item: dict[str, Any]) -> str:
    physical = str(item.get("PhysicalResourceId", ""))
    return physical.rpartition("/")[2] if physical.startswith("arn:") else physical


def _page(kind: str, item: dict[str, Any]) -> str:
    """Where a resource is shown."""
    physical = str(item.get("PhysicalResourceId", ""))
    if not physical or str(item.get("ResourceStatus", "")).startswith("DELETE"):
        return ""
    if kind == "AWS::S3::Bucket":
        return urls.to("s3", bucket=physical)
    if kind in _PAGES:
        name = physical.split("/")[1] if kind.endswith("::Stack") and "/" in physical else _name(item)
        return urls.to(_PAGES[kind], name)
    return urls.resource(physical) if physical.startswith("arn:") else ""


def events_of(visit: Visit, stack: str) -> list[StackEvent]:
    """The newest events of a stack."""
    listed = items_or_none(visit, "cloudformation:DescribeStackEvents", "StackEvents", _EVENTS, StackName=stack)
    return [
        StackEvent(
            seconds(item.get("Timestamp")), item.get("LogicalResourceId", ""), item.get("ResourceType", ""),
            item.get("ResourceStatus", ""), item.get("ResourceStatusReason", ""),
        )
        for item in listed
    ]  # fmt: skip


PAGE = Page("/stacks/{stack}", load, "stack.html", "Delivery", live=lambda _visit, _context: ("*:",))
