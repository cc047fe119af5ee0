"""Which of many patterns match an event, without trying each: patterns are looked up by the words that they want."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.eventbridge.patterns import PathCondition, Pattern, flatten


class PatternIndex:
    """The patterns, each alternative below the path whose words the fewest patterns want; those without words are
    always tried."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        alternatives = [
            (number, [want for want in wants if want.words])
            for number, pattern in enumerate(patterns)
            for wants in pattern.alternatives
        ]
        shared = Counter((want.path, word) for _, wants in alternatives for want in wants for word in want.words)
        self._always: set[int] = set()
        self._by_word: dict[str, dict[str, list[int]]] = {}

        def weight(want: PathCondition) -> int:
            return sum(shared[want.path, word] for word in want.words)

        for number, wants in alternatives:
            if not wants:
                self._always.add(number)
                continue
            chosen = min(wants, key=weight)
            for word in chosen.words:
                self._by_word.setdefault(chosen.path, {}).setdefault(word, []).append(number)

    def find(self, event: Mapping[str, Any]) -> list[int]:
        """The places of the patterns that match, in order."""
        flat, tried = flatten(event), set(self._always)
        for path, numbers in self._by_word.items():
            for value, _ in flat.get(path, ()):
                if isinstance(value, str):
                    tried.update(numbers.get(value, ()))
        return [number for number in sorted(tried) if self._patterns[number].matches_flat(flat)]
