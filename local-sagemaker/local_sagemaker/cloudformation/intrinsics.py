"""The functions of templates, evaluated over a stack's parameters, conditions and resources."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.parameters import Value, as_text
from local_sagemaker.cloudformation.template import GET_ATT, Template, sub_arguments

NO_VALUE = object()
"""What AWS::NoValue evaluates to: the property that has it is left out."""
_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


@dataclass(frozen=True)
class Scope:
    """What functions see. `reference` gives the Ref of a resource, `attribute` its GetAtt."""

    template: Template
    parameters: Mapping[str, Value]
    pseudo: Mapping[str, Any]
    reference: Callable[[str], str]
    attribute: Callable[[str, str], Any]
    export: Callable[[str], str]
    conditions: dict[str, bool] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    """The conditions that are being evaluated."""


def evaluate(value: Any, scope: Scope) -> Any:
    """A value of the template without functions. Members that are AWS::NoValue are left out."""
    if isinstance(value, list):
        items = (evaluate(part, scope) for part in value)
        return [item for item in items if item is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Ref":
            return _ref(argument, scope)
        if name == "Condition" and isinstance(argument, str) and argument in scope.template.conditions:
            return condition(argument, scope)
        if name.startswith("Fn::"):
            function = FUNCTIONS.get(name)
            if function is None:
                raise TemplateError(f"Template error: unknown function {name}")
            return function(argument, scope)
    members = {name: evaluate(part, scope) for name, part in value.items()}
    return {name: member for name, member in members.items() if member is not NO_VALUE}


def output_text(value: Any) -> str:
    """An output's value as stacks show it. Raises `TemplateError` for what is no text."""
    if value is NO_VALUE or isinstance(value, list | dict):
        kind = " and not a List" if isinstance(value, list) else " and not a Map" if isinstance(value, dict) else ""
        raise TemplateError(
            f"Template format error: The Value field of every Outputs member must evaluate to a String{kind}."
        )
    return as_text(value)


def condition(name: str, scope: Scope) -> bool:
    """Whether a condition of the template holds."""
    if name not in scope.conditions:
        if name not in scope.template.conditions:
            raise TemplateError(f"Template error: unresolved condition dependency {name}")
        if name in scope.open:
            raise TemplateError(f"Template error: Circular dependency between conditions: [{', '.join(scope.open)}]")
        scope.open.append(name)
        try:
            scope.conditions[name] = _truth(evaluate(scope.template.conditions[name], scope), name)
        finally:
            scope.open.pop()
    return scope.conditions[name]


def exists(logical: str, scope: Scope) -> bool:
    """Whether a resource is part of the stack: its condition holds."""
    declared = scope.template.resources[logical].condition
    return declared is None or condition(declared, scope)


def _truth(value: Any, place: str) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise TemplateError(f"Template error: every value of condition {place} must be a boolean")


def _ref(name: Any, scope: Scope) -> Any:
    if not isinstance(name, str):
        raise TemplateError("Template error: every Ref object must have a single String value.")
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.pseudo:
        return scope.pseudo[name]
    if name in scope.parameters:
        return scope.parameters[name]
    return scope.reference(name)


def _text(value: Any, function: str) -> str:
    if isinstance(value, dict | list) or value is NO_VALUE:
        raise TemplateError(f"Template error: every {function} object must have String values")
    return as_text(value)


def _arguments(argument: Any, scope: Scope, text: str, *counts: int) -> list[Any]:
    if not isinstance(argument, list) or len(argument) not in counts:
        raise TemplateError(f"Template error: {text}")
    return [evaluate(part, scope) for part in argument]


def _get_att(argument: Any, scope: Scope) -> Any:
    parts = list(argument.partition(".")[::2]) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
        raise TemplateError(GET_ATT)
    return scope.attribute(parts[0], ".".join(_text(evaluate(part, scope), "Fn::GetAtt") for part in parts[1:]))


def _sub(argument: Any, scope: Scope) -> str:
    text, own = sub_arguments(argument)
    variables = {name: evaluate(value, scope) for name, value in own.items()}

    def replace(match: re.Match[str]) -> str:
        name = match[2].strip()
        if match[1]:
            return f"${{{match[2]}}}"
        if name in variables:
            value = variables[name]
        elif "." in name:
            value = _get_att(name, scope)
        else:
            value = _ref(name, scope)
        return _text(value, "Fn::Sub")

    return _VARIABLE.sub(replace, evaluate(text, scope))


def _join(argument: Any, scope: Scope) -> str:
    delimiter, values = _arguments(
        argument, scope, "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.", 2,
    )  # fmt: skip
    if not isinstance(values, list):
        raise TemplateError("Template error: every Fn::Join object requires a list of strings to be joined")
    return _text(delimiter, "Fn::Join").join(_text(value, "Fn::Join") for value in values)


def _split(argument: Any, scope: Scope) -> list[str]:
    text = ("every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a "
            "function that returns a string to be split.")  # fmt: skip
    delimiter, value = (_text(part, "Fn::Split") for part in _arguments(argument, scope, text, 2))
    if not delimiter:
        raise TemplateError(f"Template error: {text}")
    return value.split(delimiter)


def _select(argument: Any, scope: Scope) -> Any:
    text = "Fn::Select requires a list argument with two elements: an integer index and a list"
    index, values = _arguments(argument, scope, text, 2)
    if isinstance(values, str) and "," in values:
        values = [part.strip() for part in values.split(",")]
    if not isinstance(values, list) or not as_text(index).isdecimal():
        raise TemplateError(f"Template error: {text}")
    if int(index) >= len(values):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return values[int(index)]


def _find_in_map(argument: Any, scope: Scope) -> Any:
    text = (
        "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value"
    )
    defaults = argument[3] if isinstance(argument, list) and len(argument) == 4 else None
    names = _arguments(argument[:3] if isinstance(argument, list) else argument, scope, text, 3)
    value: Any = scope.template.mappings
    for name in names:
        if not isinstance(value, Mapping) or as_text(name) not in value:
            if isinstance(defaults, dict) and "DefaultValue" in defaults:
                return evaluate(defaults["DefaultValue"], scope)
            raise TemplateError(f"Template error: Unable to get mapping for {'::'.join(map(as_text, names))}")
        value = value[as_text(name)]
    return value


def _if(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        raise TemplateError("Template error: Fn::If requires a list argument with three elements")
    name = argument[0]
    if not isinstance(name, str) or name not in scope.template.conditions:
        raise TemplateError(f"Template error: unresolved condition dependency {name} in Fn::If")
    return evaluate(argument[1 if condition(name, scope) else 2], scope)


def _equals(argument: Any, scope: Scope) -> bool:
    left, right = _arguments(argument, scope, "Fn::Equals requires a list argument with two elements", 2)
    plain = isinstance(left, dict | list) or isinstance(right, dict | list)
    return bool(left == right) if plain else as_text(left) == as_text(right)


def _booleans(argument: Any, scope: Scope, function: str, fewest: int, most: int) -> list[bool]:
    text = f"every {function} object requires a list of {fewest} to {most} boolean parameters."
    if fewest == most == 1:
        text = f"every {function} object requires one boolean parameter."
    return [_truth(value, function) for value in _arguments(argument, scope, text, *range(fewest, most + 1))]


def _import_value(argument: Any, scope: Scope) -> str:
    return scope.export(_text(evaluate(argument, scope), "Fn::ImportValue"))


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(_text(evaluate(argument, scope), "Fn::Base64").encode()).decode()


def _zones(argument: Any, scope: Scope) -> list[str]:
    region = _text(evaluate(argument, scope), "Fn::GetAZs") or str(scope.pseudo["AWS::Region"])
    return [region + zone for zone in "abc"]


def _cidr(argument: Any, scope: Scope) -> list[str]:
    text = "every Fn::Cidr object requires an IP address block, a count from 1 to 256 and a number of subnet bits"
    parts = [as_text(part) for part in _arguments(argument, scope, text, 2, 3)]
    try:
        network, count = ipaddress.ip_network(parts[0], strict=False), int(parts[1])
        bits = int(parts[2]) if len(parts) == 3 else 32 - network.prefixlen
        if not 1 <= count <= 256:
            raise ValueError(count)
        subnets = list(itertools.islice(network.subnets(new_prefix=network.max_prefixlen - bits), count))
    except ValueError as error:
        raise TemplateError(f"Template error: {text}") from error
    if len(subnets) < count:
        raise TemplateError(f"Template error: {text}")
    return [str(subnet) for subnet in subnets]


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Fn::And": lambda argument, scope: all(_booleans(argument, scope, "Fn::And", 2, 10)),
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Not": lambda argument, scope: not _booleans(argument, scope, "Fn::Not", 1, 1)[0],
    "Fn::Or": lambda argument, scope: any(_booleans(argument, scope, "Fn::Or", 2, 10)),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
"""The functions that are executed here, by name."""
