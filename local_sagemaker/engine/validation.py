"""What must hold of a whole definition before it becomes a pipeline: CreatePipeline and UpdatePipeline refuse others.

Step types, arguments, references, property files and cycles; each refusal names the step.
"""

from __future__ import annotations

from local_sagemaker.engine.arguments import check as check_arguments
from local_sagemaker.engine.definition import Definition, Step, invalid, parse
from local_sagemaker.engine.expressions import EXECUTION_VARIABLES, problems, references
from local_sagemaker.engine.graph import cycle, graph, own_values
from local_sagemaker.engine.paths import PathError, step_reference
from local_sagemaker.engine.shapes import request_shape
from local_sagemaker.engine.steps import STEP_TYPES, step_type

_EXPERIMENT = ("ExperimentName", "TrialName")


def read(text: str) -> Definition:
    """Parses and checks a definition. Raises ValidationError."""
    definition = parse(text)
    for step in definition.steps.values():
        _check_type(step)
    for step in definition.steps.values():
        for problem in problems(own_values(step)):
            raise invalid(f"{problem}.")
        _check_dependencies(step, definition)
        for path in references(own_values(step)):
            _check_reference(path, f"Step '{step.name}'", definition)
    for path in references(definition.experiment or {}):
        if path.startswith("Steps."):
            raise invalid(f"PipelineExperimentConfig can't refer to a step: '{path}'.")
        _check_reference(path, "PipelineExperimentConfig", definition)
    loop = cycle(graph(definition))
    if loop:
        raise invalid(f"The steps depend on each other in a cycle: {' -> '.join(loop)}.")
    return definition


def _check_type(step: Step) -> None:
    kind = step_type(step.type)
    if kind is None:
        raise invalid(
            f"Step type '{step.type}' of step '{step.name}' is not supported by the local service; "
            f"supported are {', '.join(item.type for item in STEP_TYPES)}."
        )
    if kind.operation:
        check_arguments(step.arguments, request_shape(kind.operation), kind.refused)
    for problem in kind.problems(step):
        raise invalid(problem.rstrip(".") + ".")


def _check_dependencies(step: Step, definition: Definition) -> None:
    for dependency in step.depends_on:
        other = definition.steps.get(dependency.step)
        if other is None:
            raise invalid(f"Step '{step.name}' depends on step '{dependency.step}', which is not in the pipeline.")
        if other.type == "Fail":
            raise invalid(f"{step.name} can not depends on {other.name}.")


def _check_reference(path: str, where: str, definition: Definition) -> None:
    root, _, rest = path.partition(".")
    if root == "Parameters":
        if rest not in definition.parameters:
            raise invalid(f"{where} refers to parameter '{rest}', which is not defined.")
    elif root == "Execution":
        if rest not in EXECUTION_VARIABLES:
            raise invalid(f"{where} refers to '{path}'; known are {', '.join(EXECUTION_VARIABLES)}.")
    elif root == "PipelineExperimentConfig":
        if rest not in _EXPERIMENT or not definition.experiment:
            raise invalid(f"{where} refers to '{path}', which is not defined.")
    else:
        _check_step_reference(path, where, definition)


def _check_step_reference(path: str, where: str, definition: Definition) -> None:
    try:
        reference = step_reference(path)
    except PathError as error:
        raise invalid(f"{where} has the reference '{path}': {error}.") from error
    if reference is None:
        raise invalid(f"{where} has the reference '{path}', which has an unknown root.")
    name, tokens = reference
    other = definition.steps.get(name)
    if other is None:
        raise invalid(f"{where} refers to step '{name}', which is not in the pipeline.")
    if other.type == "Fail":
        raise invalid(f"{where} can not depends on {name}: a Fail step has no properties.")
    if tokens and tokens[0] == "PropertyFiles" and (len(tokens) != 2 or tokens[1] not in other.property_files):
        raise invalid(f"{where} refers to property file '{path}', which step '{name}' does not declare.")
