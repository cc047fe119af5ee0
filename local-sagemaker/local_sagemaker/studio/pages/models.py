"""Model groups, and the versions of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import all_items, items_or_none, order_of
from local_sagemaker.studio.pages.serving import serving
from local_sagemaker.studio.pages.tagging import ACTIONS, edit_tags, tags_of
from local_sagemaker.studio.pages.version_reports import quality_of
from local_sagemaker.studio.views.times import seconds


@dataclass(frozen=True)
class ServedVersion:
    """An endpoint that serves a version of a group."""

    endpoint: str
    version: str


@dataclass(frozen=True)
class GroupRow:
    """A model group with its newest and newest approved version."""

    name: str
    description: str
    href: str
    created: float | None
    latest: int | None
    status: str
    approved: int | None
    served: list[ServedVersion]


@dataclass(frozen=True)
class ModelsContext:
    """What the list of model groups shows."""

    rows: list[GroupRow] = field(metadata={"help": "one page of model groups"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    text: str = field(metadata={"help": "the part of a name that is searched"})


def load(visit: Visit) -> ModelsContext:
    """ListModelPackageGroups, and the newest versions of each."""
    request: dict[str, Any] = {"MaxResults": 50, **order_of(visit, "Name", "CreationTime")}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if visit.value("q"):
        request["NameContains"] = visit.value("q")
    response = visit.call("sagemaker:ListModelPackageGroups", request)
    served = serving(visit)
    rows = [_row(visit, item, served) for item in response["ModelPackageGroupSummaryList"]]
    return ModelsContext(rows, response.get("NextToken", ""), visit.value("q"))


def _row(visit: Visit, item: dict[str, Any], served: dict[str, list[str]]) -> GroupRow:
    name = item["ModelPackageGroupName"]
    latest = newest(visit, name)
    approved = newest(visit, name, "Approved")
    prefix = f":model-package/{name.lower()}/"
    endpoints = [
        ServedVersion(endpoint, arn.rpartition("/")[2])
        for arn, names in served.items()
        if prefix in arn
        for endpoint in names
    ]
    return GroupRow(
        name, item.get("ModelPackageGroupDescription", ""), urls.to("models", name), seconds(item.get("CreationTime")),
        latest.get("ModelPackageVersion"), latest.get("ModelApprovalStatus", ""), approved.get("ModelPackageVersion"),
        endpoints,
    )  # fmt: skip


def newest(visit: Visit, group: str, status: str = "") -> dict[str, Any]:
    """The summary of the newest version (of an approval status), empty where there is none."""
    request: dict[str, Any] = {"ModelPackageGroupName": group, "SortOrder": "Descending", "MaxResults": 1}
    if status:
        request["ModelApprovalStatus"] = status
    packages = items_or_none(visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", 1, **request)
    return packages[0] if packages else {}


@dataclass(frozen=True)
class VersionRow:
    """A version of a group."""

    version: int
    href: str
    status: str
    stage: str
    created: float | None
    description: str
    metrics: dict[str, float]
    source: str
    endpoints: list[str]


@dataclass(frozen=True)
class GroupContext:
    """What a model group's page shows."""

    group: str = field(metadata={"help": "the group's name"})
    arn: str = field(metadata={"help": "its ARN"})
    description: str = field(metadata={"help": "its description"})
    versions: list[VersionRow] = field(metadata={"help": "one page of versions, newest first"})
    metrics: list[str] = field(metadata={"help": "metrics that are columns"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    tags: dict[str, str] = field(metadata={"help": "its tags"})


def load_group(visit: Visit) -> GroupContext:
    """DescribeModelPackageGroup and its versions with their metrics."""
    group = visit.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": visit.path["group"]})
    name = group["ModelPackageGroupName"]
    request: dict[str, Any] = {"ModelPackageGroupName": name, "SortOrder": "Descending", "MaxResults": 50}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    response = visit.call("sagemaker:ListModelPackages", request)
    served = serving(visit)
    rows = [_version(visit, item, served) for item in response["ModelPackageSummaryList"]]
    names = list(dict.fromkeys(metric for row in rows for metric in row.metrics))[:4]
    return GroupContext(
        name, group["ModelPackageGroupArn"], group.get("ModelPackageGroupDescription", ""), rows, names,
        response.get("NextToken", ""), tags_of(visit, group["ModelPackageGroupArn"]),
    )  # fmt: skip


def _version(visit: Visit, item: dict[str, Any], served: dict[str, list[str]]) -> VersionRow:
    arn = item["ModelPackageArn"]
    body = visit.call("sagemaker:DescribeModelPackage", {"ModelPackageName": arn})
    return VersionRow(
        item["ModelPackageVersion"], urls.resource(arn), item.get("ModelApprovalStatus", ""),
        body.get("ModelLifeCycle", {}).get("Stage", ""), seconds(item.get("CreationTime")),
        body.get("ModelPackageDescription", ""), quality_of(visit, body),
        body.get("MetadataProperties", {}).get("GeneratedBy", ""), served.get(arn.lower(), []),
    )  # fmt: skip


def act_group(visit: Visit) -> str:
    """Deletes an empty group, or edits its tags."""
    name = visit.path["group"]
    if visit.field("action") in ACTIONS:
        group = visit.call("sagemaker:DescribeModelPackageGroup", {"ModelPackageGroupName": name})
        edit_tags(visit, group["ModelPackageGroupArn"])
        return urls.to("models", name)
    if visit.field("confirm") != name:
        raise ValidationError(f"Type the group's name, {name}, to delete it.")
    visit.call("sagemaker:DeleteModelPackageGroup", {"ModelPackageGroupName": name})
    return urls.to("models", done=f"{name} was deleted")


def versions_of(visit: Visit, group: str) -> list[dict[str, Any]]:
    """All version summaries of a group, newest first."""
    return all_items(
        visit, "sagemaker:ListModelPackages", "ModelPackageSummaryList", ModelPackageGroupName=group,
        SortOrder="Descending", MaxResults=100,
    )  # fmt: skip


def act(visit: Visit) -> str:
    """Makes an empty group."""
    name, description = visit.field("name").strip(), visit.field("description").strip()
    request = {"ModelPackageGroupName": name}
    if description:
        request["ModelPackageGroupDescription"] = description
    visit.call("sagemaker:CreateModelPackageGroup", request)
    return urls.to("models", name)


PAGE = Page(
    "/models",
    load,
    "models.html",
    "Models",
    act,
    live=lambda _visit, _context: ("model-package-group:", "model-package:"),
)
GROUP = Page(
    "/models/{group}", load_group, "model_group.html", "Models", act_group,
    lambda _visit, context: (f"model-package:{context.group}/", "endpoint:"),
)  # fmt: skip
