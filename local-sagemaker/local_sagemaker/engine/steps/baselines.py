"""Which baseline a check step compares with, and which one the next run gets.

The supplied baseline wins; else it is that of the latest approved version in the model package group. What happens
then is a table of three switches (developer guide, "Baseline calculation, drift detection and lifecycle").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.errors import MISSING
from local_sagemaker.records.status import ApprovalStatus

# Where DriftCheckBaselines keeps the files of each check: (group, statistics, constraints).
SOURCES: dict[str, tuple[str, str | None, str]] = {
    "DATA_QUALITY": ("ModelDataQuality", "Statistics", "Constraints"),
    "MODEL_QUALITY": ("ModelQuality", "Statistics", "Constraints"),
    "DATA_BIAS": ("Bias", None, "PreTrainingConstraints"),
    "MODEL_BIAS": ("Bias", None, "PostTrainingConstraints"),
    "MODEL_EXPLAINABILITY": ("Explainability", None, "Constraints"),
}


@dataclass(frozen=True)
class Baseline:
    """S3 URIs of a baseline's files; None where there is none."""

    constraints: str | None = None
    statistics: str | None = None

    def complete(self, check_type: str) -> bool:
        """Whether every file that the check compares with is known."""
        return bool(self.constraints) and (SOURCES[check_type][1] is None or bool(self.statistics))


@dataclass(frozen=True)
class BaselinePlan:
    """One row of the table: is the check possible, is drift looked for, and does it hand on the new baseline?"""

    possible: bool
    drift: bool
    publish_new_baseline: bool


def plan(*, skip: bool, register: bool, previous: bool) -> BaselinePlan:
    """The row for SkipCheck, RegisterNewBaseline and whether a previous baseline is available."""
    return BaselinePlan(
        possible=previous or (skip and register), drift=not skip and previous, publish_new_baseline=register
    )


def previous(check_type: str, supplied: Baseline, group: str | None, call: Call) -> Baseline:
    """The baseline to compare with: each supplied file, else the registry's."""
    if supplied.complete(check_type) or not group:
        return supplied
    registered = _find_registered(check_type, group, call)
    return Baseline(supplied.constraints or registered.constraints, supplied.statistics or registered.statistics)


def _find_registered(check_type: str, group: str, call: Call) -> Baseline:
    package = latest_approved(group, call)
    family, statistics, constraints = SOURCES[check_type]
    files: dict[str, Any] = package.get("DriftCheckBaselines", {}).get(family, {}) if package else {}
    return Baseline(
        files.get(constraints, {}).get("S3Uri"), files.get(statistics, {}).get("S3Uri") if statistics else None
    )


def latest_approved(group: str, call: Call) -> dict[str, Any] | None:
    """DescribeModelPackage of the highest approved version; None when the group is missing or has none."""
    request: dict[str, Any] = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": ApprovalStatus.APPROVED,
        "MaxResults": 100,
    }
    summaries: list[dict[str, Any]] = []
    try:
        while True:
            response = call("sagemaker:ListModelPackages", request)
            summaries += response["ModelPackageSummaryList"]
            if not response.get("NextToken"):
                break
            request["NextToken"] = response["NextToken"]
    except MISSING:
        return None
    if not summaries:
        return None
    newest = max(summaries, key=lambda summary: summary.get("ModelPackageVersion", 0))
    return call("sagemaker:DescribeModelPackage", {"ModelPackageName": newest["ModelPackageArn"]})
