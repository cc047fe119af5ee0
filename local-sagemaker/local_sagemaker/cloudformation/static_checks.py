"""What a template's functions give before there are resources: an error that no resource can mend refuses the request.

What depends on resources, or on exports of other stacks, is evaluated when it exists.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope, condition, evaluate, exists, output_text
from local_sagemaker.cloudformation.template import is_function


class _NotThereYetError(Exception):
    """A value needs a resource or an export."""


def check_values(scope: Scope) -> None:
    """Evaluates conditions, and what can be of properties and outputs. Raises `TemplateError`."""

    def not_there_yet(name: str, *_: str) -> NoReturn:
        if name in scope.template.resources and not exists(name, scope):
            raise TemplateError(f"Unresolved resource dependencies [{name}] in the Outputs block of the template")
        raise _NotThereYetError

    early = replace(scope, reference=not_there_yet, attribute=not_there_yet, export=_not_there_yet)
    for name in scope.template.conditions:
        condition(name, scope)
    for logical, resource in scope.template.resources.items():
        if exists(logical, scope):
            _check(resource.properties, early)
    for output in scope.template.outputs.values():
        if "Condition" not in output or condition(output["Condition"], scope):
            try:
                output_text(evaluate(output["Value"], early))
            except _NotThereYetError:
                _check(output["Value"], early)


def _not_there_yet(*_: str) -> NoReturn:
    raise _NotThereYetError


def _check(value: Any, scope: Scope) -> None:
    if isinstance(value, list):
        for part in value:
            _check(part, scope)
    if not isinstance(value, dict):
        return
    if is_function(value):
        try:
            evaluate(value, scope)
            return
        except _NotThereYetError:
            pass
        options = value.get("Fn::If")
        if isinstance(options, list):
            _check(options[1 if condition(options[0], scope) else 2], scope)
            return
    for part in value.values():
        _check(part, scope)
