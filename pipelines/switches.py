"""The Skip* and RegisterNew* switches of the check steps, chosen from what the registry holds.

A check needs a baseline to compare with. Until a version with one is approved, a check can only compute: skip the
comparison, register what was computed. From then on it compares, and keeps the baseline. Chosen per check, before the
pipeline is upserted; which parameters are switches, and of which check, is read from the definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.definition import Definition, Step, parameter_of, steps

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient

# Where DescribeModelPackage's DriftCheckBaselines hold the baseline of a check.
BASELINES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "DATA_QUALITY": (("ModelDataQuality", "Statistics"), ("ModelDataQuality", "Constraints")),
    "DATA_BIAS": (("Bias", "PreTrainingConstraints"),),
    "MODEL_QUALITY": (("ModelQuality", "Statistics"), ("ModelQuality", "Constraints")),
    "MODEL_BIAS": (("Bias", "PostTrainingConstraints"),),
    "MODEL_EXPLAINABILITY": (("Explainability", "Constraints"),),
}
SUPPLIED = ("SuppliedBaselineStatistics", "SuppliedBaselineConstraints")


@dataclass(frozen=True)
class Choice:
    """What one check shall do, and why."""

    step: str
    skip: str | None  # the parameter, if the step's field is one
    register: str | None
    compare: bool
    reason: str

    def values(self) -> dict[str, bool]:
        """Parameter values: comparing means that neither switch is on."""
        return {name: not self.compare for name in (self.skip, self.register) if name}


@dataclass(frozen=True)
class Approved:
    """The latest approved version of a group."""

    version: int
    baselines: Mapping[str, Mapping[str, Any]]

    def has(self, check: str) -> bool:
        return all(field in self.baselines.get(kind, {}) for kind, field in BASELINES[check])


def choose(definition: Definition, sagemaker: SageMakerClient) -> list[Choice]:
    """One choice per check step that has a switch, from the registry alone. These become the parameters' defaults."""
    groups: dict[str, Approved | None] = {}
    choices = []
    for step in steps(definition):
        skip, register = parameter_of(step.get("SkipCheck")), parameter_of(step.get("RegisterNewBaseline"))
        if step.get("CheckType") not in BASELINES or not (skip or register):
            continue
        group = step.get("ModelPackageGroupName")
        if isinstance(group, str) and group not in groups:
            groups[group] = latest_approved(sagemaker, group)
        compare, reason = _decide(step["CheckType"], group, groups.get(group) if isinstance(group, str) else None)
        choices.append(Choice(step["Name"], skip, register, compare, reason))
    return choices


def _decide(check: str, group: Any, approved: Approved | None) -> tuple[bool, str]:
    if approved is None:
        return False, f"{group or 'no model group'} has no approved version yet"
    if not approved.has(check):
        return False, f"version {approved.version}, the latest approved, has no baseline of this check"
    return True, f"version {approved.version}, the latest approved, has its baseline"


def with_supplied(choices: list[Choice], definition: Definition, given: Mapping[str, str]) -> list[Choice]:
    """For one execution: a check whose baseline is supplied as a parameter compares with that."""
    by_name = {step["Name"]: step for step in steps(definition)}
    return [_apply_supplied(choice, by_name[choice.step], given) for choice in choices]


def _apply_supplied(choice: Choice, step: Step, given: Mapping[str, str]) -> Choice:
    fields = [field for field in SUPPLIED if field in step]
    parameters = [parameter_of(step[field]) for field in fields]
    if not parameters or not all(name in given for name in parameters):
        return choice
    return Choice(choice.step, choice.skip, choice.register, True, "a baseline is supplied")


def latest_approved(sagemaker: SageMakerClient, group: str) -> Approved | None:
    """The version that the service itself takes baselines from. None if there is none, or no such group."""
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
    described = sagemaker.describe_model_package(ModelPackageName=listed[0]["ModelPackageArn"])
    baselines: Mapping[str, Any] = described.get("DriftCheckBaselines", {})
    return Approved(described["ModelPackageVersion"], baselines)


def defaults(choices: Iterable[Choice]) -> dict[str, bool]:
    """The values of all switches together."""
    return {name: value for choice in choices for name, value in choice.values().items()}


def explain(choice: Choice, given: Mapping[str, str]) -> str:
    """One line for the terminal."""
    fixed = [f"{name}={given[name]}" for name in (choice.skip, choice.register) if name and name in given]
    if fixed:
        return f"{choice.step}: {', '.join(fixed)} as given"
    what = "compare, keep the baseline" if choice.compare else "skip the comparison, register a new baseline"
    return f"{choice.step}: {what} ({choice.reason})"
