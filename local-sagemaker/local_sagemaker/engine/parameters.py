"""Parameter values of an execution: defaults and overrides, checked and typed.

Overrides arrive as strings (SDKs send ``str(value)``); the texts are those of the service where they are recorded,
else of the SDK's local mode, which mirrors it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from local_sagemaker.engine.definition import PipelineParameter
from local_sagemaker.errors import ValidationError

ParameterValues = dict[str, Any]


def values(declared: Mapping[str, PipelineParameter], overrides: list[dict[str, str]]) -> ParameterValues:
    """The typed value of every declared parameter. Raises ValidationError for unknown, missing or ill-typed ones."""
    result: ParameterValues = {}
    for override in overrides:
        name, value = override["Name"], override["Value"]
        if name not in declared:
            raise ValidationError(f"Unknown parameter '{name}'")
        if name in result:
            raise ValidationError(f"Parameter '{name}' is given more than once.")
        if value == "":
            raise ValidationError('[string "" is too short (length: 0, required minimum: 1)]')
        result[name] = to_type(declared[name], value)
    missing = [name for name, item in declared.items() if item.default is None and name not in result]
    if missing:
        raise ValidationError(f"Parameter '{missing[0]}' is undefined.")
    return {name: result.get(name, _default(item)) for name, item in declared.items()}


def as_text(value: Any) -> str:
    """A typed value as listings and overrides write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def to_type(parameter: PipelineParameter, value: str) -> Any:
    """An override in the parameter's type."""
    if parameter.type == "String":
        if parameter.enum and value not in parameter.enum:
            raise ValidationError(
                f"Value '{value}' of parameter '{parameter.name}' is not one of its allowed values: "
                f"{', '.join(parameter.enum)}."
            )
        return value
    if parameter.type == "Boolean" and value.lower() in ("true", "false"):
        return value.lower() == "true"
    try:
        if parameter.type == "Integer":
            return int(value)
        if parameter.type == "Float" and math.isfinite(float(value)):
            return float(value)
    except ValueError:
        pass
    raise ValidationError(
        f"Unexpected type for parameter '{parameter.name}'. Expected {parameter.type} but found {_kind(value)}."
    )


def _default(parameter: PipelineParameter) -> Any:
    return float(parameter.default) if parameter.type == "Float" else parameter.default


def _kind(value: str) -> str:
    if value.lower() in ("true", "false"):
        return "Boolean"
    for kind, convert in (("Integer", int), ("Float", float)):
        try:
            if math.isfinite(convert(value)):
                return kind
        except ValueError:
            continue
    return "String"
