"""A step's Arguments against the request shape of the operation that it stands for.

`check` runs at create time, with AWS's parse errors (unknown members, objects and arrays in the wrong place);
`fit` runs when the step starts, on resolved arguments, and gives every scalar the API's type: a number for an
InstanceCount that came from a string parameter, strings for hyperparameters and environment variables.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.engine.definition import invalid
from local_sagemaker.engine.expressions import ExpressionError, is_expression, text
from local_sagemaker.engine.shapes import Shape

_WHOLE = ("integer", "long")
_REAL = ("float", "double")


def check(arguments: dict[str, Any], shape: Shape, refused: frozenset[str] = frozenset()) -> None:
    """Raises AWS's parse error for the first member that does not fit; `refused` are members of the operation that
    a definition may not hold."""
    for name in arguments:
        if name in refused or name not in shape.members:
            raise invalid(f"Unknown Argument member '{name}'.")
    for name, value in arguments.items():
        _check(value, shape.members[name], name)


def _check(value: Any, shape: Shape, where: str) -> None:
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            raise invalid("Expecting start of Json Object.")
        for name, item in value.items():
            if name not in shape.members:
                # AWS ends this text without a full stop when the member is a nested one.
                raise invalid(f"Unknown Argument member '{name}'")
            _check(item, shape.members[name], f"{where}.{name}")
    elif shape.type_name == "list":
        if not isinstance(value, list):
            raise invalid("Expecting start of Json Array.")
        for item in value:
            _check(item, shape.member, where)
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            raise invalid("Expecting start of Json Object.")
        for key, item in value.items():
            _check(item, shape.value, f"{where}.{key}")
    elif isinstance(value, dict | list) and not is_expression(value):
        raise invalid(f"Expecting a value or an expression for '{where}'.")


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
