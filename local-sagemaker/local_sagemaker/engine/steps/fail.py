"""Fail steps: the execution ends as Failed, after what runs beside it has ended."""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve, text
from local_sagemaker.engine.steps.step_type import Ended, Immediate, Record, StepRun, Tools
from local_sagemaker.engine.value_types import STRING


@dataclass(frozen=True)
class FailStep(Immediate):
    """Says why, and ends the execution."""

    type: str = field(default="Fail", init=False)

    def problems(self, step: Step) -> Iterator[str]:
        """Only ErrorMessage is known."""
        unknown = set(step.arguments) - {"ErrorMessage"}
        if unknown:
            yield f"Unknown Argument member '{min(unknown)}'"

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """The message."""
        yield "ErrorMessage", step.arguments.get("ErrorMessage", ""), STRING

    def resolve(self, run: StepRun) -> Record:
        """The message."""
        return {"ErrorMessage": text(resolve(run.step.arguments.get("ErrorMessage", ""), run.scope))}

    def start(self, run: StepRun) -> Ended | None:
        """Fails; an empty message gives no FailureReason, but is in the metadata."""
        message = run.request["ErrorMessage"]
        run.record["Metadata"] = {"Fail": {"ErrorMessage": message[:3072]}}
        return Ended("Failed", message or None, final=True)

    def resume(self, run: StepRun) -> Ended | None:
        """Fails again: it has no effects."""
        return self.start(run)

    def properties(self, record: Record, tools: Tools) -> Record:
        """None: nothing can refer to a Fail step."""
        return {}


FAIL = FailStep()
