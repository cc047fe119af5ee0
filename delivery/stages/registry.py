"""Versions of the project's model group, and their life-cycle stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def find_latest_approved(sagemaker: Any, group: str) -> Mapping[str, Any] | None:
    """The description of the newest approved version; None if none is approved or the group does not exist.

    The number decides, not the place in a page: versions of one second have no order in the listing.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        versions = [item for page in pages for item in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return None
    if not versions:
        return None
    newest = max(versions, key=lambda item: int(item.get("ModelPackageVersion", 0)))
    described: Mapping[str, Any] = sagemaker.describe_model_package(ModelPackageName=newest["ModelPackageArn"])
    return described


def record_stage(sagemaker: Any, version: str, stage: str, status: str, description: str) -> None:
    """Sets the version's life-cycle stage, such as QA and InProgress. It changes no approval, so it starts nothing."""
    sagemaker.update_model_package(
        ModelPackageArn=version,
        ModelLifeCycle={"Stage": stage, "StageStatus": status, "StageDescription": description[:1024]},
    )
