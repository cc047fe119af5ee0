"""Fail steps: the execution ends as Failed, after what runs beside it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve, text
from local_sagemaker.engine.steps.step_type import Prepared, StepResult, StepRun, StepType
from local_sagemaker.engine.value_types import STRING
from local_sagemaker.records.status import StepStatus


class FailStep(StepType):
    """Says why, and ends the execution."""

    type = "Fail"

    def problems(self, step: Step) -> Iterator[str]:
        """Only ErrorMessage is known; the definition's public schema requires Arguments, though they may be empty."""
        if "Arguments" not in step.keys:
            yield f"Fail step '{step.name}' has no Arguments"
        unknown = set(step.arguments) - {"ErrorMessage"}
        if unknown:
            yield f"Unknown Argument member '{min(unknown)}'"

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """The message."""
        yield "ErrorMessage", step.arguments.get("ErrorMessage", ""), STRING

    def prepare(self, run: StepRun) -> Prepared:
        """The message."""
        return Prepared("", {"ErrorMessage": text(resolve(run.step.arguments.get("ErrorMessage", ""), run.scope("")))})

    def start(self, run: StepRun) -> StepResult | None:
        """Fails; an empty message gives no FailureReason, but is in the metadata."""
        message = run.request["ErrorMessage"]
        run.record["Metadata"] = {"Fail": {"ErrorMessage": message[:3072]}}
        return StepResult(StepStatus.FAILED, message or None, final=True)


FAIL = FailStep()
