"""Groups of models and their versions: which there are, and which one a reference means.

A version is called ``GROUP/3``, ``GROUP/latest``, ``GROUP/approved`` (the latest approved one), or by its ARN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from delivery.clients import Clients, is_absent
from delivery.errors import DeliveryError, NotFoundError, not_found

LATEST, APPROVED = "latest", "approved"


@dataclass(frozen=True)
class DeliveredVersion:
    """One version of a group, as lists show it."""

    arn: str
    group: str
    number: int
    approval: str
    created: datetime
    description: str = ""

    @property
    def name(self) -> str:
        return f"{self.group}/{self.number}"


@dataclass(frozen=True)
class Group:
    name: str
    arn: str
    created: datetime
    description: str = ""


def list_groups(clients: Clients) -> list[Group]:
    """All groups, by name."""
    pages = clients.sagemaker.get_paginator("list_model_package_groups").paginate(SortBy="Name", SortOrder="Ascending")
    return [
        Group(
            item["ModelPackageGroupName"],
            item["ModelPackageGroupArn"],
            item["CreationTime"],
            item.get("ModelPackageGroupDescription", ""),
        )
        for page in pages
        for item in page["ModelPackageGroupSummaryList"]
    ]


def list_versions(clients: Clients, group: str, approval: str | None = None) -> list[DeliveredVersion]:
    """The group's versions, the newest first.

    :param approval: only those with this status: Approved, Rejected or PendingManualApproval.
    :raises NotFoundError: if there is no such group.
    """
    request: dict[str, Any] = {"ModelPackageGroupName": group, "SortBy": "CreationTime", "SortOrder": "Descending"}
    if approval:
        request["ModelApprovalStatus"] = approval
    try:
        clients.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        pages = list(clients.sagemaker.get_paginator("list_model_packages").paginate(**request))
    except ClientError as error:
        if not is_absent(error):
            raise
        raise not_found("group", group, (item.name for item in list_groups(clients))) from error
    versions = [_version(item) for page in pages for item in page["ModelPackageSummaryList"]]
    return sorted(versions, key=lambda version: version.number, reverse=True)


def latest_approved(clients: Clients, group: str) -> DeliveredVersion:
    """:raises NotFoundError: if there is no such group, or no approved version in it."""
    approved = list_versions(clients, group, "Approved")
    if not approved:
        raise NotFoundError(f"the group {group} has no approved version; approve one: model-registry approve {group}/N")
    return approved[0]


def find(clients: Clients, reference: str, default: str = LATEST) -> DeliveredVersion:
    """The version that a reference means.

    :param default: what a group's name alone means.
    :raises NotFoundError: if there is none.
    """
    if reference.startswith("arn:"):
        return _find_by_arn(clients, reference)
    group, _, which = reference.partition("/")
    which = which or default
    if which == APPROVED:
        return latest_approved(clients, group)
    versions = list_versions(clients, group)
    if not versions:
        raise NotFoundError(f"the group {group} has no version yet")
    if which == LATEST:
        return versions[0]
    if not which.isdecimal():
        raise DeliveryError(f"{reference}: a version is a number, {LATEST} or {APPROVED}")
    for version in versions:
        if version.number == int(which):
            return version
    there = ", ".join(str(version.number) for version in reversed(versions))
    raise NotFoundError(f"the group {group} has no version {which}; there are: {there}")


def describe(clients: Clients, version: DeliveredVersion) -> Mapping[str, Any]:
    """All that is known of the version, in AWS's shape."""
    described: Any = clients.sagemaker.describe_model_package(ModelPackageName=version.arn)
    return {name: value for name, value in described.items() if name != "ResponseMetadata"}


def _find_by_arn(clients: Clients, arn: str) -> DeliveredVersion:
    try:
        described: Any = clients.sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if not is_absent(error):
            raise
        raise NotFoundError(f"there is no version {arn}") from error
    return _version(described)


def _version(item: Mapping[str, Any]) -> DeliveredVersion:
    return DeliveredVersion(
        arn=item["ModelPackageArn"],
        group=item.get("ModelPackageGroupName", item.get("ModelPackageName", "")),
        number=int(item.get("ModelPackageVersion", 0)),
        approval=item.get("ModelApprovalStatus", "-"),
        created=item["CreationTime"],
        description=item.get("ModelPackageDescription", ""),
    )
