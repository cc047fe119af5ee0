"""Lineage: what made a resource, and what was made of it, from the records of jobs, executions and versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.job_details import KINDS, load_job
from local_sagemaker.studio.pages.listing import all_items
from local_sagemaker.studio.pages.serving import packages_of, serving


@dataclass(frozen=True)
class LineageNode:
    """A neighbour: what it is, its name, and its page and lineage."""

    relation: str
    kind: str
    name: str
    href: str
    arn: str


@dataclass(frozen=True)
class LineageContext:
    """What the lineage page shows: one neighbour each way."""

    arn: str = field(metadata={"help": "the resource in the middle, an ARN or S3 URI"})
    href: str = field(metadata={"help": "its page"})
    above: list[LineageNode] = field(metadata={"help": "what it was made from"})
    below: list[LineageNode] = field(metadata={"help": "what was made of it"})
    starts: list[LineageNode] = field(metadata={"help": "endpoints and versions to start from"})


def load(visit: Visit) -> LineageContext:
    """Derived from the responses of Describe operations: jobs, executions, model versions, endpoints."""
    arn = visit.value("arn").strip()
    if not arn:
        return LineageContext("", "", [], [], list(_starts(visit)))
    above: list[LineageNode] = []
    below: list[LineageNode] = []
    for node in _neighbours(visit, arn):
        (above if node.relation == "made from" else below).append(node)
    return LineageContext(arn, urls.resource(arn), above[:200], below[:200], [])


def _starts(visit: Visit) -> Iterator[LineageNode]:
    for arn, endpoints in serving(visit).items():
        yield _node("served", arn)
        for name in endpoints:
            yield _node("serves", visit.call("sagemaker:DescribeEndpoint", {"EndpointName": name})["EndpointArn"])
    groups = all_items(visit, "sagemaker:ListModelPackageGroups", "ModelPackageGroupSummaryList", 20, MaxResults=20)
    for group in groups:
        name = group["ModelPackageGroupName"]
        versions = all_items(
            visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", 3, ModelPackageGroupName=name,
            SortOrder="Descending", MaxResults=3,
        )  # fmt: skip
        for version in versions:
            yield _node("version", version["ModelPackageArn"])


def _node(relation: str, arn: str) -> LineageNode:
    if arn.startswith("s3://"):
        return LineageNode(relation, "data", arn, urls.resource(arn), arn)
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    if "/execution/" in name:
        kind, name = "execution", name.replace("/execution/", " ")
    return LineageNode(relation, kind, name, urls.resource(arn), arn)


def _neighbours(visit: Visit, arn: str) -> Iterator[LineageNode]:
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    if arn.startswith("s3://"):
        return
    if kind == "endpoint":
        for package in packages_of(visit, name):
            yield _node("made from", package)
    elif kind == "model-package":
        yield from _of_package(visit, arn)
    elif kind == "pipeline":
        yield from _of_execution(visit, arn)
    elif kind.removesuffix("-job") in KINDS:
        yield from _of_job(visit, kind.removesuffix("-job"), name)


def _of_package(visit: Visit, arn: str) -> Iterator[LineageNode]:
    package = visit.call("sagemaker:DescribeModelPackage", {"ModelPackageName": arn})
    properties = package.get("MetadataProperties", {})
    if properties.get("GeneratedBy", "").startswith("arn:"):
        yield _node("made from", properties["GeneratedBy"])
    if properties.get("CommitId"):
        text = f"{properties.get('Repository', '')} {properties['CommitId']}".strip()
        yield LineageNode("made from", "commit", text, "", "")
    for container in package.get("InferenceSpecification", {}).get("Containers", []):
        if container.get("ModelDataUrl"):
            yield _node("made from", container["ModelDataUrl"])
    for name in serving(visit).get(arn.lower(), []):
        yield _node("made of it", visit.call("sagemaker:DescribeEndpoint", {"EndpointName": name})["EndpointArn"])


def _of_execution(visit: Visit, arn: str) -> Iterator[LineageNode]:
    steps = all_items(
        visit,
        "sagemaker:ListPipelineExecutionSteps",
        "PipelineExecutionSteps",
        PipelineExecutionArn=arn,
        MaxResults=100,
    )
    listed = all_items(
        visit,
        "sagemaker:ListPipelineParametersForExecution",
        "PipelineParameters",
        PipelineExecutionArn=arn,
        MaxResults=100,
    )
    for item in listed:
        if str(item.get("Value", "")).startswith("s3://"):
            yield _node("made from", item["Value"])
    for step in reversed(steps):
        for content in step.get("Metadata", {}).values():
            target = content.get("Arn") or content.get("CheckJobArn") or content.get("EndpointArn")
            if target:
                yield _node("made of it", target)


def _of_job(visit: Visit, kind: str, name: str) -> Iterator[LineageNode]:
    try:
        job = load_job(visit, kind, name, tab="io")
    except ServiceError:
        return
    for item in job.inputs:
        if item.uri:
            yield _node("made from", item.uri)
    if job.image:
        yield LineageNode("made from", "image", job.image, "", "")
    for item in job.outputs:
        yield _node("made of it", item.uri)


PAGE = Page("/lineage", load, "lineage.html", "Lineage")
