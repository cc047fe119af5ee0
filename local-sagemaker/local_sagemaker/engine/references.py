"""What the references of a definition lead to: whether it exists, and of which type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.expressions import EXECUTION_VARIABLES, GET
from local_sagemaker.engine.grammar import invalid
from local_sagemaker.engine.paths import ReferencePathError, Token, step_reference
from local_sagemaker.engine.steps import step_type
from local_sagemaker.engine.value_types import ANY, STRING

_EXPERIMENT = ("ExperimentName", "TrialName")


@dataclass(frozen=True)
class References:
    """The references of one step (or of another part of the definition), which `where` names in messages."""

    definition: Definition
    where: str

    def type_of(self, expression: dict[str, Any]) -> str:
        """The type of a Get, or of another expression. Raises ValidationError when a Get leads nowhere."""
        if GET not in expression:
            return ANY
        return self.type_of_path(str(expression[GET]))

    def type_of_path(self, path: str) -> str:
        """The type of what a path refers to; property files have none. Raises ValidationError when it leads nowhere."""
        root, _, rest = path.partition(".")
        if root == "Parameters":
            if rest not in self.definition.parameters:
                raise invalid(f"{self.where} refers to parameter '{rest}', which is not defined.")
            return self.definition.parameters[rest].type
        if root == "Execution":
            if rest not in EXECUTION_VARIABLES:
                known = ", ".join(EXECUTION_VARIABLES)
                raise invalid(f"{self.where} refers to '{path}'; known are {known}.")
            return STRING
        if root == "PipelineExperimentConfig":
            if rest not in _EXPERIMENT or not self.definition.experiment:
                raise invalid(f"{self.where} refers to '{path}', which is not defined.")
            return STRING
        return self._property(path)

    def check_property_file(self, step: str, name: str) -> None:
        """Raises ValidationError for a property file that is declared nowhere."""
        other = self.definition.steps.get(step)
        if other is None:
            raise invalid(f"{self.where} refers to step '{step}', which is not in the pipeline.")
        if name not in other.property_files:
            path = f"Steps.{step}.PropertyFiles.{name}"
            raise invalid(f"{self.where} refers to property file '{path}', which step '{step}' does not declare.")

    def _property(self, path: str) -> str:
        try:
            reference = step_reference(path)
        except ReferencePathError as error:
            raise invalid(f"{self.where} has the reference '{path}': {error}.") from error
        if reference is None:
            raise invalid(f"{self.where} has the reference '{path}', which has an unknown root.")
        name, tokens = reference
        other = self.definition.steps.get(name)
        if other is None:
            raise invalid(f"{self.where} refers to step '{name}', which is not in the pipeline.")
        if other.type == "Fail":
            raise invalid(f"{self.where} can not depends on {name}: a Fail step has no properties.")
        if tokens[:1] == ("PropertyFiles",):
            self.check_property_file(name, _join(tokens[1:]))
            raise invalid(f"{self.where} uses '{path}' outside of Std:JsonGet.")
        kind = step_type(other.type)
        try:
            return kind.property_type(other, tokens) if kind else ANY
        except ReferencePathError as error:
            raise invalid(f"{self.where} refers to '{path}', which {other.type} steps do not have: {error}.") from error


def _join(tokens: tuple[Token, ...]) -> str:
    return ".".join(map(str, tokens))
