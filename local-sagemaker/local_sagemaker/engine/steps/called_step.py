"""What Lambda and Callback steps share: they call what one member names, with flat arguments, for declared outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local_sagemaker.engine.definition import Step
from local_sagemaker.engine.expressions import ExpressionError, is_expression, resolve, text
from local_sagemaker.engine.paths import Token
from local_sagemaker.engine.steps import output_parameters
from local_sagemaker.engine.steps.step_type import Record, StepContext, StepRun, StepType
from local_sagemaker.engine.value_types import ANY, STRING
from local_sagemaker.records.own_members import own_outputs


class CalledStep(StepType):
    """`called` is the member that names the function or the queue."""

    called: str

    def problems(self, step: Step) -> Iterator[str]:
        """What is called and the outputs must be named, each output once; arguments can't be one expression."""
        if not step.members.get(self.called):
            yield f"{self.type} step '{step.name}' has no {self.called}"
        if is_expression(step.arguments):
            yield f"The Arguments of step '{step.name}' can't be an expression; each of them can"
        yield from output_parameters.problems(step)

    def scalars(self, step: Step) -> Iterator[tuple[str, Any, str]]:
        """What is called, and the flat arguments."""
        yield self.called, step.members[self.called], STRING
        for name, value in step.arguments.items():
            yield name, value, ANY

    def property_type(self, step: Step, path: tuple[Token, ...]) -> str:
        """``OutputParameters['name']`` has the declared type."""
        return output_parameters.property_type(step, path)

    def resolve_called(self, run: StepRun, name: str) -> str:
        """The ARN or URL of what is called."""
        return text(resolve(run.step.members[self.called], run.scope(name)))

    def resolve_arguments(self, run: StepRun, name: str) -> Record:
        """The resolved arguments, each of which must be a scalar. Raises ExpressionError."""
        arguments: Record = resolve(run.step.arguments, run.scope(name))
        for member, value in arguments.items():
            if isinstance(value, dict | list):
                raise ExpressionError(f"Argument '{member}' of a {self.type} step must be a primitive value.")
        return arguments

    def properties(self, record: Record, context: StepContext) -> Record:  # noqa: ARG002 - as StepType has it
        """``OutputParameters['name']``, each value in its declared type."""
        details = record["Metadata"][self.type]
        return output_parameters.properties(details.get("OutputParameters", []), own_outputs(details)["_types"])
