"""The types of values in a definition: of literals, of places in a request, of what references stand for.

AWS compares the type of a reference with that of its place when a pipeline is created (aws/sagemaker-python-sdk issue
4867). The four types are those of pipeline parameters.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.request_shapes import Shape
from local_sagemaker.engine.paths import IDENTIFYING, ReferencePathError, Token

STRING, INTEGER, FLOAT, BOOLEAN = "String", "Integer", "Float", "Boolean"
ANY = "Any"
"""The type of what is known only when the step runs, and of places that take every scalar."""
COMPOSITE = "Composite"
"""The type of references to structures, lists and maps: no place takes them."""
_BY_SHAPE = {
    "string": STRING, "integer": INTEGER, "long": INTEGER, "float": FLOAT, "double": FLOAT, "boolean": BOOLEAN,
    "structure": COMPOSITE, "list": COMPOSITE, "map": COMPOSITE,
}  # fmt: skip


def type_of_shape(shape: Shape) -> str:
    """The type of a place or of a property with this shape."""
    return _BY_SHAPE.get(shape.type_name, ANY)


def fits(place: str, value: str) -> bool:
    """Whether a place of one type takes values of the other. Whole numbers are floats, too."""
    if value == COMPOSITE:
        return False
    return ANY in (place, value) or place == value or (place, value) == (FLOAT, INTEGER)


def is_literal_of(place: str, value: Any) -> bool:
    """Whether a JSON scalar fits a place."""
    if isinstance(value, dict | list) or value is None:
        return False
    if place == INTEGER and isinstance(value, float):
        return value.is_integer()
    kinds = {bool: BOOLEAN, int: INTEGER, float: FLOAT, str: STRING}
    return fits(place, kinds[type(value)])


def type_at(shape: Shape, path: tuple[Token, ...]) -> str:
    """The type that a path into a response of this shape leads to, or `ReferencePathError`."""
    for token in path:
        shape = _child(shape, token)
    return type_of_shape(shape)


def member_of(known: dict[str, str], path: tuple[Token, ...]) -> str:
    """The type of a property of a step that has few and flat ones. Raises `ReferencePathError`."""
    if len(path) == 1 and path[0] in known:
        return known[str(path[0])]
    raise ReferencePathError(f"'{path[0] if path else ''}' does not exist (there are: {', '.join(known)})")


def _child(shape: Shape, token: Token) -> Shape:
    kind = shape.type_name
    if kind == "structure" and token in shape.members:
        return shape.members[token]
    if kind == "map":
        return shape.value
    if kind == "list":
        named = shape.member.type_name == "structure" and any(name in shape.member.members for name in IDENTIFYING)
        if isinstance(token, int) or named:
            return shape.member
    known = f" (there are: {', '.join(shape.members)})" if kind == "structure" else ""
    raise ReferencePathError(f"'{token}' does not exist{known}")
