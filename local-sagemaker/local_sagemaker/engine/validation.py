"""What must hold of a whole definition before it becomes a pipeline: CreatePipeline and UpdatePipeline refuse others.

Step types, their members and arguments, references and their types, property files and cycles.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.members import list_unsupported
from local_sagemaker.api.request_shapes import request_shape
from local_sagemaker.engine.argument_checks import ArgumentChecks
from local_sagemaker.engine.definition import COMMON, Definition, Step, parse
from local_sagemaker.engine.expressions import GET, JOIN, JSON_GET, problems, property_file, unknown_functions, walk
from local_sagemaker.engine.grammar import invalid, unknown_property
from local_sagemaker.engine.graph import cycle, graph, own_values
from local_sagemaker.engine.references import References
from local_sagemaker.engine.steps import STEP_TYPES, StepType, step_type
from local_sagemaker.engine.value_types import ANY, STRING

_MAKES = {"ExperimentName": "CreateExperiment", "TrialName": "CreateTrial"}
"""The operations that an execution calls for members of its PipelineExperimentConfig."""


def read(text: str) -> Definition:
    """Parses and checks a definition. Raises ValidationError."""
    definition = parse(text)
    for step in definition.steps.values():
        _check_step(step, _kind(step), definition)
    _check_experiment(definition)
    loop = cycle(graph(definition))
    if loop:
        raise invalid(f"The steps depend on each other in a cycle: {' -> '.join(loop)}.")
    return definition


def _kind(step: Step) -> StepType:
    kind = step_type(step.type)
    if kind is None:
        raise invalid(
            f"Step type '{step.type}' of step '{step.name}' is not supported by the local service; "
            f"supported are {', '.join(item.type for item in STEP_TYPES)}."
        )
    return kind


def _check_step(step: Step, kind: StepType, definition: Definition) -> None:
    for name in sorted(step.keys):
        if name not in COMMON and name not in kind.members:
            raise unknown_property(name)
    references = References(definition, f"Step '{step.name}'")
    values = own_values(step)
    for name in unknown_functions(values):
        raise invalid(
            f"'{name}' in step '{step.name}' is not supported by the local service; "
            f"supported are {JOIN} and {JSON_GET}."
        )
    _check_form(values)
    for problem in kind.problems(step):
        raise invalid(problem.rstrip(".") + ".")
    checks = ArgumentChecks(references.type_of)
    if kind.operation:
        shape = request_shape(kind.operation)
        checks.request(step.arguments, shape, refused=kind.refused, named=kind.name_member)
        for refusal in list_unsupported(f"sagemaker:{kind.operation}", step.arguments):
            raise invalid(f"Step '{step.name}': {refusal}")
    for where, value, place in kind.scalars(step):
        checks.scalar(value, place, where)
    _check_dependencies(step, definition)
    _check_inner(values, references, checks)


def _check_form(values: Any) -> None:
    for problem in problems(values):
        raise invalid(f"{problem}.")


def _check_inner(values: Any, references: References, checks: ArgumentChecks) -> None:
    """The expressions within others, and those in places that have no type."""
    for expression in walk(values):
        kind, content = next(iter(expression.items()))
        if kind == GET:
            continue
        for item in content.get("Values", ()):
            checks.scalar(item, ANY, f"Values of {JOIN}")
        if "S3Uri" in content:
            checks.scalar(content["S3Uri"], STRING, f"S3Uri of {JSON_GET}")
        source = property_file(content.get("PropertyFile"))
        if source:
            references.check_property_file(*source)


def _check_dependencies(step: Step, definition: Definition) -> None:
    for dependency in step.depends_on:
        other = definition.steps.get(dependency.step)
        if other is None:
            raise invalid(f"Step '{step.name}' depends on step '{dependency.step}', which is not in the pipeline.")
        if other.type == "Fail":
            raise invalid(f"{step.name} can not depends on {other.name}.")


def _check_experiment(definition: Definition) -> None:
    where = "PipelineExperimentConfig"
    references = References(definition, where)
    for part in (definition.experiment, definition.mlflow):
        _check_form(part)
        for name, value in (part or {}).items():
            for expression in walk(value):
                if str(expression.get(GET)).startswith("Steps."):
                    raise invalid(f"{where} can't refer to a step: '{expression[GET]}'.")
            checks = ArgumentChecks(references.type_of)
            checks.scalar(value, STRING, name)
            if operation := _MAKES.get(name):
                checks.member(value, request_shape(operation).members[name], name)
            _check_inner(value, references, checks)
