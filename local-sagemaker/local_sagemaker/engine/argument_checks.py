"""A step's Arguments against the request shape of the operation that they are the request of, at create time.

Whatever botocore's shapes say of a value is checked: unknown and missing members, types, lengths, counts, ranges,
patterns, enumerations. An expression is checked by its type. Texts are recorded for an unknown member, a type, a length
(issues 4994, 4867, 5099 of aws/sagemaker-python-sdk) and an enumeration (a comment in a public pipeline); the rest is
in their style.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from local_sagemaker.api.patterns import compile_pattern
from local_sagemaker.api.request_shapes import Shape
from local_sagemaker.engine.expressions import GET, JOIN, is_expression
from local_sagemaker.engine.grammar import invalid, quote
from local_sagemaker.engine.value_types import STRING, fits, is_literal_of, type_of_shape
from local_sagemaker.errors import ValidationError

_LONGEST_SHOWN = 4096
TypeOf = Callable[[dict[str, Any]], str]
"""The type of an expression's value."""


@dataclass(frozen=True)
class ArgumentChecks:
    """Checks values against shapes and types; `type_of` knows what references stand for."""

    type_of: TypeOf

    def request(self, arguments: dict[str, Any], shape: Shape, *, refused: Iterable[str], named: str | None) -> None:
        """Checks a whole request. `refused` are members that a definition may not hold, `named` is the member that
        the step itself fills in."""
        for name in arguments:
            if name in refused or name not in shape.members:
                raise invalid(f"Unknown Argument member '{name}'.")
        for name, value in arguments.items():
            self.member(value, shape.members[name], name)
        for name in shape.required_members:
            if name not in arguments and name != named:
                raise _null_error(name)

    def scalar(self, value: Any, place: str, where: str) -> None:
        """Checks a value, literal or expression, against the type of its place."""
        if is_expression(value):
            self._expression(value, place, where)
        elif isinstance(value, dict | list) or value is None:
            raise invalid(f"Expecting a value or an expression for '{where}'.")
        elif not is_literal_of(place, value):
            raise invalid(f"Expecting a value of type [{place}] for '{where}', not {quote(value)}.")

    def _expression(self, value: dict[str, Any], place: str, where: str) -> None:
        if JOIN in value:
            if not fits(place, STRING):
                raise invalid(f"Std:Join makes a String, which '{where}' of type [{place}] can't take.")
        elif GET in value and not fits(place, self.type_of(value)):
            raise ValidationError(f"Cannot assign property reference [{value[GET]}] to argument of type [{place}].")

    def member(self, value: Any, shape: Shape, where: str) -> None:
        """Checks one member of a request."""
        kind = shape.type_name
        if kind == "structure":
            self._structure(value, shape, where)
        elif kind == "list":
            if not isinstance(value, list):
                raise invalid("Expecting start of Json Array.")
            _check_size("list", len(value), shape)
            for item in value:
                self.member(item, shape.member, where)
        elif kind == "map":
            self._map(value, shape, where)
        else:
            self.scalar(value, type_of_shape(shape), where)
            if not is_expression(value):
                _check_scalar(value, shape)

    def _structure(self, value: Any, shape: Shape, where: str) -> None:
        if not isinstance(value, dict):
            raise invalid("Expecting start of Json Object.")
        for name in value:
            if name not in shape.members:
                # AWS ends this text without a full stop when the member is a nested one.
                raise invalid(f"Unknown Argument member '{name}'")
        for name, item in value.items():
            self.member(item, shape.members[name], f"{where}.{name}")
        for name in shape.required_members:
            if name not in value:
                raise _null_error(f"{where}.{name}")

    def _map(self, value: Any, shape: Shape, where: str) -> None:
        if not isinstance(value, dict):
            raise invalid("Expecting start of Json Object.")
        if is_expression(value):
            raise invalid(f"'{where}' can't be an expression; its values can.")
        _check_size("map", len(value), shape)
        for key, item in value.items():
            _check_scalar(key, shape.key)
            self.member(item, shape.value, f"{where}.{key}")


def _null_error(name: str) -> ValidationError:
    return _error(f"Value null for '{name}' failed to satisfy constraint: Member must not be null")


def _error(text: str) -> ValidationError:
    return invalid(f"Model Validation failed: {text}")


def _check_scalar(value: Any, shape: Shape) -> None:
    constraints = shape.metadata
    if not constraints:
        return
    if isinstance(value, str):
        _check_bounds(f"string '{_shorten(value)}' with length={len(value)}", len(value), shape)
    elif not isinstance(value, bool):
        _check_bounds(f"number {value}", value, shape)
    if "enum" in constraints and value not in constraints["enum"]:
        known = ", ".join(constraints["enum"])
        raise _error(f"Value '{_shorten(value)}' for '{shape.name}' failed to satisfy enum value set: [{known}]")
    pattern = constraints.get("pattern")
    if pattern and isinstance(value, str) and not compile_pattern(pattern).fullmatch(value):
        raise _error(
            f"Value '{_shorten(value)}' for '{shape.name}' failed to satisfy regular expression pattern: {pattern}"
        )


def _shorten(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _check_size(what: str, size: int, shape: Shape) -> None:
    _check_bounds(f"{what} with size={size}", size, shape)


def _check_bounds(what: str, size: float, shape: Shape) -> None:
    lowest, highest = shape.metadata.get("min"), shape.metadata.get("max")
    if highest is not None and size > highest:
        raise _error(f"{what} cannot be greater than max={float(highest)} defined for {shape.name}.")
    if lowest is not None and size < lowest:
        raise _error(f"{what} cannot be less than min={float(lowest)} defined for {shape.name}.")
