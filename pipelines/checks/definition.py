"""The check steps in a pipeline's definition, of either flavour, and which parameters steer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines.check_job.baselines import BASELINES
from pipelines.definition import Definition, Step, parameter_of, steps

_MANAGED_SUPPLIED = ("SuppliedBaselineStatistics", "SuppliedBaselineConstraints")
_PORTABLE_SUPPLIED = ("--supplied-statistics", "--supplied-constraints")


@dataclass(frozen=True)
class CheckStepSpec:
    """A check. Parameters are named where a field of the step is one; `supplied` are those of a supplied baseline."""

    name: str
    kind: str
    group: Any
    skip: str | None
    register: str | None
    supplied: tuple[str | None, ...]
    portable: bool


def check_steps(definition: Definition) -> list[CheckStepSpec]:
    """All checks, in the order of the definition."""
    return [check for step in steps(definition) if (check := _managed_check(step) or _portable_check(step)) is not None]


def _managed_check(step: Step) -> CheckStepSpec | None:
    if step.get("CheckType") not in BASELINES:
        return None
    return CheckStepSpec(
        step["Name"],
        step["CheckType"],
        step.get("ModelPackageGroupName"),
        parameter_of(step.get("SkipCheck")),
        parameter_of(step.get("RegisterNewBaseline")),
        tuple(parameter_of(step[field]) for field in _MANAGED_SUPPLIED if field in step),
        portable=False,
    )


def _portable_check(step: Step) -> CheckStepSpec | None:
    if step["Type"] != "Processing":
        return None
    arguments = options(step["Arguments"].get("AppSpecification", {}).get("ContainerArguments") or [])
    if arguments.get("--check") not in BASELINES:
        return None
    return CheckStepSpec(
        step["Name"],
        str(arguments["--check"]),
        arguments.get("--group"),
        _text_parameter(arguments.get("--skip")),
        _text_parameter(arguments.get("--register")),
        tuple(parameter_of(arguments[option]) for option in _PORTABLE_SUPPLIED if option in arguments),
        portable=True,
    )


def options(arguments: Sequence[Any]) -> Mapping[str, Any]:
    """The arguments of a portable check's job by option."""
    return {
        option: value for option, value in pairwise(arguments) if isinstance(option, str) and option.startswith("--")
    }


def _text_parameter(expression: Any) -> str | None:
    """The parameter that stands as a text among a job's arguments, which takes a Join."""
    values = expression.get("Std:Join", {}).get("Values", []) if isinstance(expression, Mapping) else []
    return parameter_of(values[0]) if len(values) == 1 else None
