"""Expressions: Get, Std:Join and Std:JsonGet, in any position of a step.

`references` finds what a value needs (for the graph and for validation); `resolve` gives the value, from what a
`ExpressionScope` knows. A Boolean or a condition's outcome is joined as ``true`` or ``false``, as SageMaker does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from local_sagemaker.engine.paths import ReferencePathError, Token, descend, json_tokens, step_reference

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"
EXECUTION_VARIABLES = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)


class ExpressionError(Exception):
    """An expression has no value; the step that uses it fails with this text."""


class ExpressionScope(Protocol):
    """What expressions are evaluated against."""

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter, in its declared type."""
        ...

    def variable(self, name: str) -> str:
        """The value of ``Execution.<name>``."""
        ...

    def experiment(self, name: str) -> str:
        """The value of ``PipelineExperimentConfig.<name>``."""
        ...

    def property(self, step: str, path: tuple[Token, ...]) -> Any:
        """A property of a step that has run."""
        ...

    def property_file(self, step: str, name: str) -> Any:
        """The parsed content of a step's property file."""
        ...

    def json_object(self, uri: str) -> Any:
        """The parsed content of an S3 object."""
        ...


def is_expression(value: Any) -> bool:
    """Whether the value is one of the three expression objects."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in (GET, JOIN, JSON_GET)


def walk(value: Any) -> Iterator[Any]:
    """Every expression in a value, inner ones of Join and JsonGet included."""
    if is_expression(value):
        yield value
    if isinstance(value, dict):
        for item in value.values():
            yield from walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item)


def unknown_functions(value: Any) -> Iterator[str]:
    """The functions in a value that SageMaker may have and this service has not: ``Std:`` and another name."""
    if isinstance(value, dict):
        name = next(iter(value), "")
        if len(value) == 1 and name.startswith("Std:") and name not in (JOIN, JSON_GET):
            yield name
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from unknown_functions(item)


def references(value: Any) -> Iterator[str]:
    """The paths of all Get expressions in a value."""
    for expression in walk(value):
        path = expression.get(GET)
        if isinstance(path, str):
            yield path


def problems(value: Any) -> Iterator[str]:
    """What is wrong with the form of the expressions in a value."""
    for expression in walk(value):
        kind, content = next(iter(expression.items()))
        if kind == GET:
            if not isinstance(content, str):
                yield f"{GET} must be a string"
        elif not isinstance(content, dict):
            yield "Expecting start of Json Object"
        else:
            unknown = [name for name in content if name not in _MEMBERS[kind]]
            if unknown:
                yield f"Cannot parse object, unknown property '{unknown[0]}'"
            yield from _join_problems(content) if kind == JOIN else _json_get_problems(content)


_MEMBERS = {JOIN: ("On", "Values"), JSON_GET: ("PropertyFile", "S3Uri", "Path")}


def _join_problems(content: dict[str, Any]) -> Iterator[str]:
    if not isinstance(content.get("On", ""), str):
        yield f"On of {JOIN} must be a string"
    values = content.get("Values")
    if values is None:
        yield f"{JOIN} must have Values"
    elif not isinstance(values, list):
        yield "Expecting start of Json Array"
    elif any(item is None or (isinstance(item, dict | list) and not is_expression(item)) for item in values):
        yield f"Values of {JOIN} must be values or expressions"


def _json_get_problems(content: dict[str, Any]) -> Iterator[str]:
    if "Path" not in content or ("PropertyFile" in content) == ("S3Uri" in content):
        yield f"{JSON_GET} must have a Path and either a PropertyFile or an S3Uri"
        return
    uri = content.get("S3Uri", "")
    if not isinstance(content["Path"], str) or not (isinstance(uri, str) or is_expression(uri)):
        yield f"Path and S3Uri of {JSON_GET} must be strings or expressions"
    source = content.get("PropertyFile")
    if source is not None and property_file(source) is None:
        yield f"PropertyFile of {JSON_GET} must be a reference to Steps.<step>.PropertyFiles.<name>"


def property_file(source: Any) -> tuple[str, str] | None:
    """(step, name) of what JsonGet's PropertyFile holds, None when it is no such reference."""
    path = source.get(GET) if isinstance(source, dict) else None
    try:
        reference = step_reference(path) if isinstance(path, str) else None
    except ReferencePathError:
        return None
    if reference is None or len(reference[1]) != 2 or reference[1][0] != "PropertyFiles":
        return None
    return reference[0], str(reference[1][1])


def resolve(value: Any, scope: ExpressionScope) -> Any:
    """The value with every expression in it replaced by what it stands for."""
    if is_expression(value):
        return _evaluate(value, scope)
    if isinstance(value, dict):
        return {key: resolve(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    return value


def text(value: Any) -> str:
    """A resolved value as SageMaker puts it into a string."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value)
    return str(value)


def _evaluate(expression: dict[str, Any], scope: ExpressionScope) -> Any:
    if GET in expression:
        return _get(str(expression[GET]), scope)
    if JOIN in expression:
        join = expression[JOIN]
        values = resolve(join.get("Values", []), scope)
        return text(resolve(join.get("On", ""), scope)).join(map(text, values))
    return _json_get(expression[JSON_GET], scope)


def _get(path: str, scope: ExpressionScope) -> Any:
    root, _, rest = path.partition(".")
    if root == "Parameters":
        return scope.parameter(rest)
    if root == "Execution":
        return scope.variable(rest)
    if root == "PipelineExperimentConfig":
        return scope.experiment(rest)
    reference = step_reference(path)
    if reference is None:
        raise ExpressionError(f"'{path}' is not something that Get can refer to.")
    step, tokens = reference
    if tokens and tokens[0] == "PropertyFiles":
        raise ExpressionError(f"'{path}' can be used in Std:JsonGet only.")
    try:
        return scope.property(step, tokens)
    except ReferencePathError as error:
        raise ExpressionError(f"Unable to resolve '{path}': {error}.") from error


def _json_get(arguments: dict[str, Any], scope: ExpressionScope) -> Any:
    path = text(resolve(arguments.get("Path", ""), scope))
    if "PropertyFile" in arguments:
        reference = property_file(arguments["PropertyFile"])
        if reference is None:
            raise ExpressionError(f"'{arguments['PropertyFile']}' is not a property file.")
        step, name = reference
        document, where = scope.property_file(step, name), f"property file '{name}' of step '{step}'"
    else:
        where = text(resolve(arguments.get("S3Uri", ""), scope))
        document = scope.json_object(where)
    try:
        return descend(document, json_tokens(path))
    except ReferencePathError as error:
        raise ExpressionError(f"Unable to resolve JSON path '{path}' in {where}: {error}.") from error
