"""The Skip* and RegisterNew* switches of the check steps, chosen from what the registry holds.

A check needs a baseline to compare with. Until a version with one is approved, a check can only compute: skip the
comparison, register what was computed. From then on it compares, and keeps the baseline. Chosen per check, before the
pipeline is upserted; which parameters are switches, and of which check, is read from the definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.check_job.baselines import from_registry, latest_approved
from pipelines.checks.definition import CheckStepSpec, check_steps
from pipelines.definition import Definition

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient


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


def choose(definition: Definition, sagemaker: SageMakerClient) -> list[Choice]:
    """One choice per check step that has a switch, from the registry alone. These become the parameters' defaults."""
    approved: dict[str, Mapping[str, Any] | None] = {}
    choices = []
    for check in check_steps(definition):
        if not (check.skip or check.register):
            continue
        group = check.group if isinstance(check.group, str) else None
        if group is not None and group not in approved:
            approved[group] = latest_approved(sagemaker, group)
        compare, reason = _decide(check, approved[group] if group is not None else None)
        choices.append(Choice(check.name, check.skip, check.register, compare, reason))
    return choices


def _decide(check: CheckStepSpec, approved: Mapping[str, Any] | None) -> tuple[bool, str]:
    if approved is None:
        group = check.group if isinstance(check.group, str) else "no model group"
        return False, f"{group} has no approved version yet"
    version = approved["ModelPackageVersion"]
    if from_registry(check.kind, approved) is None:
        return False, f"version {version}, the latest approved, has no baseline of this check"
    return True, f"version {version}, the latest approved, has its baseline"


def with_supplied(choices: list[Choice], definition: Definition, parameters: Mapping[str, str]) -> list[Choice]:
    """For one execution: a check whose baseline is supplied as a parameter compares with that."""
    by_name = {check.name: check for check in check_steps(definition)}
    return [_apply_supplied(choice, by_name[choice.step], parameters) for choice in choices]


def _apply_supplied(choice: Choice, check: CheckStepSpec, parameters: Mapping[str, str]) -> Choice:
    if not check.supplied or not all(name in parameters for name in check.supplied):
        return choice
    return Choice(choice.step, choice.skip, choice.register, True, "a baseline is supplied")


def defaults(choices: Iterable[Choice]) -> dict[str, bool]:
    """The values of all switches together."""
    return {name: value for choice in choices for name, value in choice.values().items()}


def explain(choice: Choice, parameters: Mapping[str, str]) -> str:
    """One line for the terminal."""
    fixed = [f"{name}={parameters[name]}" for name in (choice.skip, choice.register) if name and name in parameters]
    if fixed:
        return f"{choice.step}: {', '.join(fixed)} as given"
    what = "compare, keep the baseline" if choice.compare else "skip the comparison, register a new baseline"
    return f"{choice.step}: {what} ({choice.reason})"
