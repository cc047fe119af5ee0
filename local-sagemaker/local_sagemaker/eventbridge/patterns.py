"""Event patterns: read once, matched often, as EventBridge's rule engine does (user guide, "Event patterns").

A pattern and an event are both taken apart into paths, whose names are joined by dots: ``{"a": {"b": 1}}`` and
``{"a.b": 1}`` are the same. Fields that match must not be of different elements of an array; paths are looked at in
alphabetical order, so that a field can be absent from the element that an earlier one has chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.eventbridge.value_tests import ABSENT, OPERATORS, InvalidPattern, ValueTest, is_plain_text
from local_sagemaker.eventbridge.value_tests import value_test as _test
from local_sagemaker.json_text import JsonError, load

__all__ = ["Event", "InvalidPattern", "Pattern", "flatten", "parse"]
MOST_COMBINATIONS = 1000
"""Ways in which the alternatives of all ``$or`` of a pattern can be combined (user guide, quotas of patterns)."""
_RESERVED = frozenset({*OPERATORS, "=", "<", "<=", ">", ">=", "regex"})
"""Names that make ``$or`` a field's name instead of an operator."""
Elements = Mapping[int, int]
"""Which element of which array, both by number, a value is of."""
Event = Mapping[str, Sequence[tuple[Any, Elements]]]
"""The scalars of an event by their path."""


@dataclass(frozen=True)
class PathCondition:
    """What a path must have: one of the tests holds. `words` are the texts if it wants nothing else."""

    path: str
    tests: tuple[ValueTest, ...]
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pattern:
    """A pattern. All wants of one of the alternatives must hold, each sorted by path."""

    alternatives: tuple[tuple[PathCondition, ...], ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether an event matches."""
        return self.matches_flat(flatten(event))

    def matches_flat(self, event: Event) -> bool:
        """Whether an event that was taken apart matches."""
        return any(_holds(wants, event) for wants in self.alternatives)


def flatten(event: Mapping[str, Any]) -> Event:
    """Takes an event apart."""
    fields: dict[str, list[tuple[Any, Elements]]] = {}
    arrays = 0

    def add(path: str, part: Any, elements: Elements) -> None:
        nonlocal arrays
        if isinstance(part, dict):
            for name, value in part.items():
                add(f"{path}.{name}" if path else name, value, elements)
        elif isinstance(part, list):
            number, arrays = arrays, arrays + 1
            for index, value in enumerate(part):  # scalars of one array go together
                add(path, value, {**elements, number: index} if isinstance(value, dict | list) else elements)
        else:
            fields.setdefault(path, []).append((part, elements))

    add("", event, {})
    return fields


def _holds(wants: Sequence[PathCondition], event: Event) -> bool:
    """Goes through the paths with every choice of elements that is still possible."""
    if any(not event.get(want.path) and not _takes_absence(want) for want in wants):
        return False
    choices: list[Elements] = [{}]
    for number, want in enumerate(wants):
        relevant = {array for later in wants[number + 1 :] for _, own in event.get(later.path, ()) for array in own}
        alternatives: dict[frozenset[tuple[int, int]], Elements] = {}
        values = _tree(want, event.get(want.path, ()))
        for choice in choices:
            for made in _choices(want, values, choice):
                kept = {array: index for array, index in made.items() if array in relevant}
                alternatives[frozenset(kept.items())] = kept
        if not alternatives:
            return False
        choices = list(alternatives.values())
    return True


@dataclass
class _ValueTree:
    """A path's values by the elements of arrays that they are of, the outermost first: each value is tested once, and a
    choice of elements does not go through the values of others. `own` is None where there is no value."""

    own: Elements | None = None
    matching: bool = False
    below: dict[int, dict[int, _ValueTree]] = field(default_factory=dict)

    def reach(self, choice: Elements) -> Iterator[_ValueTree]:
        """Where there are values of no other element of an array than the one chosen."""
        nodes = [self]
        while nodes:
            node = nodes.pop()
            if node.own is not None:
                yield node
            for array, elements in node.below.items():
                if array not in choice:
                    nodes += elements.values()
                elif choice[array] in elements:
                    nodes.append(elements[choice[array]])


def _tree(want: PathCondition, values: Sequence[tuple[Any, Elements]]) -> _ValueTree:
    root = _ValueTree()
    for value, own in values:
        node = root
        for array, index in own.items():
            node = node.below.setdefault(array, {}).setdefault(index, _ValueTree())
        node.own = own
        node.matching = node.matching or any(test(value) for test in want.tests)
    return root


def _choices(want: PathCondition, values: _ValueTree, choice: Elements) -> Iterator[Elements]:
    """The choices of elements after a path has matched."""
    absent = True
    for node in values.reach(choice):
        absent = False
        if node.matching:
            yield {**choice, **(node.own or {})}
    if absent and _takes_absence(want):
        yield choice


def _takes_absence(want: PathCondition) -> bool:
    return any(test(ABSENT) for test in want.tests)


def parse(text: str) -> Pattern:
    """The pattern of a JSON text. Raises `InvalidPattern`."""
    try:
        document = load(text)
    except JsonError as error:
        raise InvalidPattern(str(error)) from error
    if not isinstance(document, dict):
        raise InvalidPattern("Filter is not an object")
    rules = _read(document, "", [{}])
    return Pattern(tuple(tuple(rule[path] for path in sorted(rule)) for rule in rules))


Rule = dict[str, PathCondition]


def _read(document: Mapping[str, Any], path: str, rules: list[Rule]) -> list[Rule]:
    """The combinations of alternatives with what an object wants added to each."""
    if not document:
        raise InvalidPattern("Empty objects are not allowed")
    for name, value in document.items():
        place = f"{path}.{name}" if path else name
        if name == "$or" and _is_or(value):
            rules = [rule for part in value for rule in _read(part, path, [dict(rule) for rule in rules])]
            if len(rules) > MOST_COMBINATIONS:
                raise InvalidPattern(f"$or has more than {MOST_COMBINATIONS} combinations")
        elif isinstance(value, dict):
            rules = _read(value, place, rules)
        elif isinstance(value, list):
            want = _want(place, value)
            for rule in rules:
                rule[place] = want
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return rules


def _want(path: str, values: list[Any]) -> PathCondition:
    if not values:
        raise InvalidPattern("Empty arrays are not allowed")
    tests = tuple(_test(value) for value in values)
    return PathCondition(path, tests, frozenset(values) if all(map(is_plain_text, values)) else frozenset())


def _is_or(value: Any) -> bool:
    """``$or`` is an operator where its value looks like one, and a field's name otherwise."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(part, dict) and part and not _RESERVED & part.keys() for part in value)
    )
