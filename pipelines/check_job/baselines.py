"""The baseline of a check: supplied, or that of the latest approved version of the model package group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATISTICS, CONSTRAINTS = "Statistics", "Constraints"
BASELINES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "DATA_QUALITY": (("ModelDataQuality", STATISTICS), ("ModelDataQuality", CONSTRAINTS)),
    "DATA_BIAS": (("Bias", "PreTrainingConstraints"),),
    "MODEL_QUALITY": (("ModelQuality", STATISTICS), ("ModelQuality", CONSTRAINTS)),
    "MODEL_BIAS": (("Bias", "PostTrainingConstraints"),),
    "MODEL_EXPLAINABILITY": (("Explainability", CONSTRAINTS),),
}
"""Where DescribeModelPackage's DriftCheckBaselines hold the files of each check, statistics first."""


@dataclass(frozen=True)
class CheckBaseline:
    """The S3 URIs of a baseline's files. Bias and explainability have constraints only, which are an analysis.json."""

    constraints: str
    statistics: str | None = None


def from_registry(check: str, described: Mapping[str, Any]) -> CheckBaseline | None:
    """The baseline in a model package's description; None where it lacks one of the files."""
    held: Mapping[str, Mapping[str, Mapping[str, str]]] = described.get("DriftCheckBaselines") or {}
    uris = [((held.get(kind) or {}).get(field) or {}).get("S3Uri") for kind, field in BASELINES[check]]
    if not all(uris):
        return None
    return CheckBaseline(str(uris[-1]), str(uris[0]) if len(uris) > 1 else None)


def from_caller(check: str, statistics: str, constraints: str) -> CheckBaseline | None:
    """The baseline that a caller names; None where a file is not named."""
    if not constraints or (len(BASELINES[check]) > 1 and not statistics):
        return None
    return CheckBaseline(constraints, statistics or None)


def latest_approved(sagemaker: Any, group: str) -> Mapping[str, Any] | None:
    """The description of the group's latest approved version; None where no version is, or no such group exists."""
    from botocore.exceptions import ClientError

    try:
        listed = sagemaker.list_model_packages(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=1,
        )["ModelPackageSummaryList"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return None
    if not listed:
        return None
    described: Mapping[str, Any] = sagemaker.describe_model_package(ModelPackageName=listed[0]["ModelPackageArn"])
    return described
