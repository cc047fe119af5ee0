"""A step's resolved Arguments in the API's types, when the step starts.

What JsonGet reads has the type that the file gives it: here every scalar gets that of its place, a number for an
InstanceCount, a string for a hyperparameter or an environment variable.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.request_shapes import Shape
from local_sagemaker.engine.expressions import ExpressionError, text

_WHOLE = ("integer", "long")
_REAL = ("float", "double")


def fit(value: Any, shape: Shape, where: str = "Arguments") -> Any:
    """The resolved value in the API's types. Raises ExpressionError for a scalar that has no such form."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {
            name: fit(item, shape.members[name], name) if name in shape.members else item
            for name, item in value.items()
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [fit(item, shape.member, where) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: fit(item, shape.value, f"{where}.{key}") for key, item in value.items()}
    return _scalar(value, shape.type_name, where)


def _scalar(value: Any, kind: str, where: str) -> Any:
    if kind == "string":
        return text(value)
    try:
        if kind == "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}[text(value).lower()]
        if kind in _REAL:
            return float(value)
        if kind in _WHOLE:
            whole = int(float(value)) if not isinstance(value, int) else value
            if float(value) != whole:
                raise ValueError(value)
            return whole
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ExpressionError(f"{where} must be of type {kind}, not {text(value)!r}.") from error
    return value


def truth(value: Any, where: str) -> bool:
    """A resolved value as a Boolean."""
    return bool(_scalar(value, "boolean", where))
