"""The explanation of a step's cache decision, as a table: which member was what, and is what. Pure.

The engine writes the decision as one line into the step's log stream; it is read back here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CHANGE = re.compile(
    r"(?P<member>[^\s;][^;]*?) was (?P<was>.*?), is (?P<now>.*?)(?=; [^;]+? was |; and \d+ more|\.$|$)"
)
_RUN = re.compile(r"execution (\w+)")


@dataclass(frozen=True)
class Difference:
    """A member of the cache key that differs."""

    member: str
    was: str
    now: str


@dataclass(frozen=True)
class CacheDecision:
    """`hit`: an earlier run stood in. `source` is the id of the execution compared with."""

    hit: bool
    text: str
    source: str = ""
    differences: tuple[Difference, ...] = ()


def read_decision(lines: Sequence[str]) -> CacheDecision | None:
    """The newest decision among the lines of a step's log stream; None for a step without caching."""
    for line in reversed(lines):
        if line.startswith("Cache hit:"):
            return CacheDecision(True, line, _source(line))
        if line.startswith("Cache miss:"):
            _, _, details = line.partition("): ")
            changes = [
                Difference(item["member"].strip(), item["was"], item["now"]) for item in _CHANGE.finditer(details)
            ]
            return CacheDecision(False, line, _source(line), tuple(changes))
    return None


def _source(line: str) -> str:
    match = _RUN.search(line)
    return match[1] if match else ""
