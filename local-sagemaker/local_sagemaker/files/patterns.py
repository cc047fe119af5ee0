"""Patterns of file and branch names, in the dialects of AWS's services.

In each, ``*`` and ``?`` stay within a folder and ``**`` crosses folders; ``**/`` also stands for no folder at all.

Clients choose both patterns and names: so a name is matched by all ways through the pattern at once, in time that grows
with its length only, where a regular expression tries one way after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum

_COMMON = r"\*\*/|\*\*|\*|\?"
Test = Callable[[str], object]
"""Whether a character may stand at a place."""


class PatternDialect(Enum):
    """Whose patterns they are; the value is the regular expression of what only this one has."""

    BUILD = r"\[[^\]]+\]"
    """``artifacts`` and ``cache`` of a build specification: ``[a-z]``, ``[!a-z]`` (or ``[^a-z]``), a leading ``./``."""
    TRIGGER = r"\{[^}]*\}"
    """Filters of a pipeline's triggers: ``{a,b}``."""


class NamePattern:
    """A pattern as a machine: places, the characters that lead from one to another, and what is left out on the way."""

    def __init__(self) -> None:
        self._steps: list[list[tuple[Test, int]]] = [[]]
        self._skips: list[list[int]] = [[]]
        self._end = 0
        self._next: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def fullmatch(self, name: str) -> bool:
        """Whether the whole name matches."""
        places = self._reach({0})
        for char in name:
            key = (places, char)
            if key not in self._next:
                steps = (step for place in places for step in self._steps[place])
                self._next[key] = self._reach({target for test, target in steps if test(char)})
            places = self._next[key]
            if not places:
                return False
        return self._end in places

    def add(self, test: Test) -> None:
        """One character."""
        self._end = self._lead(self._end, test)

    def repeat(self, test: Test) -> None:
        """Any number of characters."""
        self._end = self._skip(self._end)
        self._steps[self._end].append((test, self._end))

    def add_folders(self) -> None:
        """Any number of folders, each with the slash behind it."""
        first = self._skip(self._end)
        inside = self._lead(first, _in_folder)
        self._steps[inside] += [(_in_folder, inside), ("/".__eq__, first)]
        self._end = first

    def add_one_of(self, texts: Iterable[str]) -> None:
        """One of several texts."""
        start, ends = self._end, []
        for text in texts:
            place = start
            for char in text:
                place = self._lead(place, char.__eq__)
            ends.append(place)
        self._end = self._new()
        for place in ends:
            self._skips[place].append(self._end)

    def _new(self) -> int:
        self._steps.append([])
        self._skips.append([])
        return len(self._steps) - 1

    def _lead(self, place: int, test: Test) -> int:
        target = self._new()
        self._steps[place].append((test, target))
        return target

    def _skip(self, place: int) -> int:
        target = self._new()
        self._skips[place].append(target)
        return target

    def _reach(self, places: set[int]) -> frozenset[int]:
        """The places with those that are reached from them by no character."""
        waiting = list(places)
        while waiting:
            more = set(self._skips[waiting.pop()]) - places
            places |= more
            waiting += more
        return frozenset(places)


def compile_pattern(pattern: str, dialect: PatternDialect) -> NamePattern:
    """The machine that whole names match (``fullmatch``)."""
    if dialect is PatternDialect.BUILD:
        pattern = pattern.removeprefix("./")
    parts = re.split(rf"({_COMMON}|{dialect.value})", pattern)
    compiled = NamePattern()
    for literal, special in zip(parts[::2], [*parts[1::2], ""], strict=True):
        for char in literal:
            compiled.add(char.__eq__)
        _add_special(compiled, special)
    return compiled


def _add_special(compiled: NamePattern, special: str) -> None:
    if special == "**/":
        compiled.add_folders()
    elif special == "**":
        compiled.repeat(_anywhere)
    elif special == "*":
        compiled.repeat(_in_folder)
    elif special == "?":
        compiled.add(_in_folder)
    elif special.startswith("{"):
        compiled.add_one_of(special[1:-1].split(","))
    elif special and (test := _character_class(special)):
        compiled.add(test)
    elif special:
        compiled.add_one_of([special])


def _in_folder(char: str) -> bool:
    return char != "/"


def _anywhere(_char: str) -> bool:
    return True


def _character_class(special: str) -> Test | None:
    """What ``[!a-z]`` stands for; None for one without meaning, such as ``[z-a]``, which stands for itself."""
    inner = re.sub(r"([\\\[&~|])", r"\\\1", special[1:-1])
    text = f"[^/{inner[1:]}]" if inner[0] in "!^" and len(inner) > 1 else f"[{inner}]"
    try:
        return re.compile(text, re.DOTALL).fullmatch
    except re.error:
        return None
