"""JSONPath as mapping templates use it (API Gateway's is Jayway's JsonPath): names, indices, slices, wildcards, unions,
``..`` and filters that compare a member with a value, or ask for its presence.

A path that can lead to several places gives an array of them; one that leads nowhere gives None.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local_sagemaker.json_text import load
from local_sagemaker.services.apigateway.velocity_syntax import VelocityError

_STEP = re.compile(
    r"""(?P<deep>\.\.)?(?:
        \.?(?P<name>[^\s.\[\]*'"()?@]+) | \.?\*(?P<all>) | \[\s*\*\s*\](?P<every>)
      | \[(?P<names>\s*(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*\s*)\]
      | \[(?P<indices>\s*-?\d+(?:\s*,\s*-?\d+)*\s*)\]
      | \[(?P<slice>\s*(?:-?\d+)?\s*:\s*(?:-?\d+)?\s*)\]
      | \[\?\(\s*@(?P<member>[^\s=!<>)]*)\s*(?:(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>'[^']*'|"[^"]*"|[^\s)]+)\s*)?\)\]
    )""",
    re.VERBOSE,
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_MISSING = object()

Select = Callable[[Any], Iterator[Any]]


@dataclass(frozen=True)
class JsonSelection:
    """A parsed path. `many` says that it can lead to several places."""

    steps: tuple[tuple[bool, Select], ...]
    many: bool

    def of(self, document: Any) -> Any:
        """What the path selects."""
        selection = [document]
        for deep, select in self.steps:
            places = [inner for item in selection for inner in (_within(item) if deep else (item,))]
            selection = [item for place in places for item in select(place)]
        return selection if self.many else selection[0] if selection else None


@lru_cache(maxsize=512)
def parse(path: str) -> JsonSelection:
    """Reads a path. Raises TemplateError for what is none, or is not supported."""
    path = path.strip()
    if not path.startswith("$"):
        path = f"$.{path}"
    position, steps, many = 1, [], False
    while position < len(path):
        match = _STEP.match(path, position)
        if not match or match.end() == position:
            raise VelocityError(f"the JSONPath '{path}' is malformed or not supported at '{path[position:]}'")
        select, several = _selector(match)
        steps.append((match["deep"] is not None, select))
        many = many or several or match["deep"] is not None
        position = match.end()
    return JsonSelection(tuple(steps), many)


def _selector(match: re.Match[str]) -> tuple[Select, bool]:
    if match["name"] is not None:
        return _members((match["name"],)), False
    if match["names"] is not None:
        names = tuple(re.findall(r"'([^']*)'|\"([^\"]*)\"", match["names"]))
        return _members(tuple(first or second for first, second in names)), len(names) > 1
    if match["indices"] is not None:
        indices = tuple(int(part) for part in match["indices"].split(","))
        return _elements(indices), len(indices) > 1
    if match["slice"] is not None:
        first, last = (int(part) if part.strip() else None for part in match["slice"].split(":"))
        return lambda value: iter(value[first:last]) if isinstance(value, list) else iter(()), True
    if match["member"] is not None:
        return _filter(match["member"], match["sign"], match["value"]), True
    return _children, True


def _members(names: tuple[str, ...]) -> Select:
    return lambda value: (value[name] for name in names if isinstance(value, dict) and name in value)


def _elements(indices: tuple[int, ...]) -> Select:
    return lambda value: (
        value[index] for index in indices if isinstance(value, list) and -len(value) <= index < len(value)
    )


def _children(value: Any) -> Iterator[Any]:
    return iter(value.values()) if isinstance(value, dict) else iter(value) if isinstance(value, list) else iter(())


def _within(value: Any) -> Iterator[Any]:
    """The value and everything in it, at any depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        yield item
        pending.extend(reversed(list(_children(item))))


def _filter(member: str, sign: str | None, literal: str | None) -> Select:
    inner = parse(f"${member}")
    wanted = _literal(literal) if literal is not None else _MISSING

    def keeps(item: Any) -> bool:
        operand = inner.of(item)
        if sign is None:
            return operand is not None
        try:
            return _SIGNS[sign](operand, wanted)
        except TypeError:
            return False

    return lambda value: (item for item in _children(value) if keeps(item))


def _literal(shown: str) -> Any:
    if shown[:1] in ("'", '"'):
        return shown[1:-1]
    try:
        return load(shown)
    except ValueError as error:
        raise VelocityError(f"'{shown}' in a filter is neither a string, nor a number, true, false or null") from error
