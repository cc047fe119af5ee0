"""The JSONPath subset of batch transform's filters (contracts: containers 6.3).

``$``, ``.name``, ``*``, ``['a','b']``, ``[n]``, ``[n,m]`` (negative ones count from the end) and slices, whose end is
exclusive as in Jayway's JsonPath. There are no filters, functions or ``..``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*) | (?P<all>\.\*|\[\*\])
      | \[(?P<names>\s*(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*\s*)\]
      | \[(?P<indices>\s*-?\d+(?:\s*,\s*-?\d+)*\s*)\]
      | \[(?P<slice>\s*(?:-?\d+)?\s*:\s*(?:-?\d+)?\s*)\]""",
    re.VERBOSE,
)


class PathError(ValueError):
    """The path is malformed, or leads nowhere in a document."""


@dataclass(frozen=True)
class NameSelector:
    """Members of an object: one is its value, several the object of just these."""

    names: tuple[str, ...]

    def of(self, value: Any) -> Any:
        """What the step selects of a value. PathError when there is no such thing."""
        if not isinstance(value, dict) or any(name not in value for name in self.names):
            raise PathError(f"No results for path: ['{chr(39).join(self.names)}']")
        return value[self.names[0]] if len(self.names) == 1 else {name: value[name] for name in self.names}


@dataclass(frozen=True)
class Indices:
    """Elements of an array: one is itself, several an array."""

    indices: tuple[int, ...]

    def of(self, value: Any) -> Any:
        """What the step selects of a value. PathError when there is no such thing."""
        if not isinstance(value, list) or any(not -len(value) <= index < len(value) for index in self.indices):
            raise PathError(f"Index out of bound: {list(self.indices)}")
        return value[self.indices[0]] if len(self.indices) == 1 else [value[index] for index in self.indices]


@dataclass(frozen=True)
class Slice:
    """A range of an array."""

    start: int | None
    stop: int | None

    def of(self, value: Any) -> Any:
        """What the step selects of a value. PathError when there is no such thing."""
        if not isinstance(value, list):
            raise PathError("A slice needs an array")
        return value[self.start : self.stop]


@dataclass(frozen=True)
class Everything:
    """All values of an object or array."""

    def of(self, value: Any) -> Any:
        """What the step selects of a value. PathError when there is no such thing."""
        if not isinstance(value, (dict, list)):
            raise PathError("A wildcard needs an object or an array")
        return list(value.values()) if isinstance(value, dict) else value


Step = NameSelector | Indices | Slice | Everything


@dataclass(frozen=True)
class JsonPath:
    """A parsed path."""

    text: str
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> JsonPath:
        """PathError for anything outside the subset."""
        text = text.strip()
        if not text.startswith("$"):
            raise PathError(f"Invalid JsonPath: {text}")
        position, steps = 1, []
        while position < len(text):
            match = _STEP.match(text, position)
            if not match:
                raise PathError(f"Invalid JsonPath: {text}{_several_ranges(text[position:])}")
            steps.append(_step(match))
            position = match.end()
        return cls(text, tuple(steps))

    @property
    def is_identity(self) -> bool:
        """Whether the path is ``$``."""
        return not self.steps

    @property
    def columns(self) -> Indices | Slice | Everything | None:
        """The one step of a path for CSV rows, None for ``$``. PathError for a path that CSV does not allow."""
        if not self.steps:
            return None
        step = self.steps[0]
        if len(self.steps) > 1 or isinstance(step, NameSelector):
            raise PathError(f"Invalid JsonPath for CSV: {self.text}")
        return step

    def of(self, document: Any) -> Any:
        """What the path selects. PathError when it leads nowhere."""
        for step in self.steps:
            document = step.of(document)
        return document

    def of_row(self, row: list[str]) -> list[str]:
        """The selected fields of a CSV row, one alone included."""
        values = self.of(row)
        return values if isinstance(values, list) else [values]


def _several_ranges(rest: str) -> str:
    """AWS's own words for a union that has a range in it (aws/sagemaker-python-sdk issue 1112)."""
    union = re.match(r"\[[\d\s:,-]*\]", rest)
    if union is None or ":" not in union[0] or "," not in union[0]:
        return ""
    return f": only single range filters of format (eg: [1:5]) are supported. Format {union[0]} is not supported"


def _step(match: re.Match[str]) -> Step:
    if match["name"]:
        return NameSelector((match["name"],))
    if match["names"]:
        return NameSelector(tuple(a or b for a, b in re.findall(r"'([^']*)'|\"([^\"]*)\"", match["names"])))
    if match["indices"]:
        return Indices(tuple(int(number) for number in match["indices"].split(",")))
    if match["slice"]:
        start, stop = (int(part) if part.strip() else None for part in match["slice"].split(":"))
        return Slice(start, stop)
    return Everything()
