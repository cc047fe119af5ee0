"""Which of many patterns match an event, without trying each: patterns are looked up by the words that they want."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_sagemaker.eventbridge.patterns import Pattern

Path = tuple[str, ...]


class PatternIndex:
    """The patterns, each below the field whose words the fewest patterns want; those without words are always tried."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        wants = [list(_words(pattern)) for pattern in patterns]
        shared = Counter((path, word) for want in wants for path, words in want for word in words)
        self._always: list[int] = []
        self._by_word: dict[Path, dict[str, list[int]]] = {}
        for number, want in enumerate(wants):
            if not want:
                self._always.append(number)
                continue
            path, words = min(want, key=lambda field: sum(shared[field[0], word] for word in field[1]))
            for word in words:
                self._by_word.setdefault(path, {}).setdefault(word, []).append(number)

    def find(self, event: Mapping[str, Any]) -> list[int]:
        """The places of the patterns that match, in order."""
        tried = set(self._always)
        for path, numbers in self._by_word.items():
            for value in _values(event, path):
                tried.update(numbers.get(value, ()))
        return [number for number in sorted(tried) if self._patterns[number].matches(event)]


def _words(pattern: Pattern, path: Path = ()) -> Iterator[tuple[Path, frozenset[str]]]:
    """The fields that must have one of some words."""
    for name, words in pattern.words.items():
        yield (*path, name), words
    for name, wanted in pattern.fields.items():
        if isinstance(wanted, Pattern):
            yield from _words(wanted, (*path, name))


def _values(part: Any, path: Path) -> Iterator[str]:
    """The texts at a path of an event, in any element of its arrays."""
    if isinstance(part, list):
        for one in part:
            yield from _values(one, path)
    elif not path:
        if isinstance(part, str):
            yield part
    elif isinstance(part, dict) and path[0] in part:
        yield from _values(part[path[0]], path[1:])
