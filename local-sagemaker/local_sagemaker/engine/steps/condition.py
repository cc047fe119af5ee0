"""Condition steps: evaluated at once; the steps of the taken branch become runnable."""

# ruff: noqa: ARG002 - methods of the contract take what other step types need

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_sagemaker.engine.conditions import ConditionError, holds, operands, problems
from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import resolve
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.steps.step_type import (
    SUCCEEDED,
    Prepared,
    Record,
    StepContext,
    StepResult,
    StepRun,
    StepType,
    failure,
)
from local_sagemaker.engine.value_types import ANY, BOOLEAN, member_of


class ConditionStep(StepType):
    """Decides between two branches."""

    type = "Condition"

    def problems(self, step: Step) -> Iterator[str]:
        """Conditions in neither spelling, unknown arguments."""
        unknown = set(step.arguments) - {"Conditions", "IfSteps", "ElseSteps"}
        if unknown:
            yield f"Unknown Argument member '{min(unknown)}'"
        yield from problems(step.arguments.get("Conditions"))

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """The operands, of any type: AWS compares types when the step runs."""
        for name, value in operands(step.arguments["Conditions"]):
            yield name, value, ANY

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """Only the outcome."""
        return member_of({"Outcome": BOOLEAN}, path)

    def prepare(self, run: StepRun) -> Prepared:
        """Nothing yet: operands are evaluated one by one, so that a short circuit spares the rest."""
        return Prepared("", {})

    def start(self, run: StepRun) -> StepResult | None:
        """Evaluates the conditions, which has no effects."""
        scope = run.scope("")
        try:
            outcome = holds(run.step.arguments["Conditions"], lambda value: resolve(value, scope))
        except ConditionError as error:
            return failure(f"ClientError: {error}")
        run.record["Metadata"] = {"Condition": {"Outcome": str(outcome)}}
        return SUCCEEDED

    def properties(self, record: Record, context: StepContext) -> Record:
        """Only the outcome."""
        return {"Outcome": record["Metadata"]["Condition"]["Outcome"] == "True"}


CONDITION = ConditionStep()
