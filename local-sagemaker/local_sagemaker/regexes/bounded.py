"""Regular expressions of clients, bounded in time.

Python's engine goes back and tries again: ``(a+)+$`` takes years for forty letters, with the interpreter's lock held.
It is kept for its syntax, nearly Java's, which engines of linear time lack (groups that refer back, looks ahead); what
could take long runs in a worker that is ended after some seconds of its processor's time. What can't, such as
``5\\d{2}`` or ``.*Error.*``, is done here at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from local_sagemaker.regexes.functions import Unbounded
from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers

SECONDS = 1.0
"""Of the processor's time, for one text."""
_PATIENCE = 60.0
_STEPS = 1_000_000
"""Of the engine, that are done at once: some milliseconds."""
_ATOM = re.compile(
    r"\\[dwsDWS]|\\[^\sa-zA-Z0-9]|\[\^?(?:[\w\s.,:;/@-]|\\[^\sa-zA-Z0-9]|\\[dws])+\]|[^\\\[\](){}*+?|^$]"
)
_TIMES = re.compile(r"[*+?]|\{\d{1,3}(?:,\d{0,3})?\}")
_WORKERS = Workers("local_sagemaker.regexes.functions", most=4, memory=512 << 20)


class RegexError(ValueError):
    """What was given is no regular expression, or one that takes too long."""


class Match:
    """What a client's expression matched, with the methods of Python's own that are used."""

    def __init__(self, text: str, spans: Sequence[Sequence[int] | None], names: dict[str, int]) -> None:
        self._text, self._spans, self._names = text, spans, names

    def group(self, number: int | str = 0) -> str | None:
        """A group by its number or name; None when it has no part in the match."""
        span = self._spans[self._names[number] if isinstance(number, str) else number]
        return None if span is None else self._text[span[0] : span[1]]

    __getitem__ = group

    def groups(self) -> tuple[str | None, ...]:
        """All groups but the whole."""
        return tuple(self.group(number) for number in range(1, len(self._spans)))

    def groupdict(self) -> dict[str, str | None]:
        """The groups that have names."""
        return {name: self.group(name) for name in self._names}


def check(pattern: str) -> None:
    """Raises `RegexError` for what is no regular expression."""
    if simple(pattern) is None:
        _call("compiles", pattern, 0)
    else:
        _compile(pattern, 0)


def matches(pattern: str, text: str, flags: int = 0) -> bool:
    """Whether a pattern matches the whole text."""
    return find("fullmatch", pattern, text, flags) is not None


def find(method: str, pattern: str, text: str, flags: int = 0) -> Match | None:
    """What `match`, `fullmatch` or `search` finds. `RegexError` when the pattern is none or takes too long."""
    if _is_quick(method, pattern, text):
        match = getattr(_compile(pattern, flags), method)(text)
        return Match(text, [match.span()], {}) if match else None
    response = _call("find", pattern, method, text, flags)
    return Match(text, response["spans"], response["names"]) if response else None


def replace(pattern: str, pieces: Sequence[str | int], text: str, *, count: int = 0, most: int) -> str | None:
    """The text with what matches replaced by the pieces, of which numbers are groups; None for more than `most`
    characters. `RegexError`; IndexError for a group that the pattern has not."""
    try:
        return str(_call("replace", pattern, list(pieces), text, count, most))
    except Unbounded:
        return None


def split(pattern: str, text: str, *, most: int = 0) -> list[str]:
    """The parts between matches; `most` splits, or all for 0. `RegexError`."""
    return list(_call("split", pattern, text, most))


@lru_cache(maxsize=1024)
def simple(pattern: str) -> int | None:
    """How often a plain pattern repeats something without end; None for one that is not plain: it has groups,
    alternatives, or what else makes the engine try many ways."""
    position, end, repeats = int(pattern.startswith("^")), len(pattern) - pattern.endswith("$"), 0
    while position < end:
        atom = _ATOM.match(pattern, position)
        if not atom:
            return None
        times = _TIMES.match(pattern, atom.end())
        repeats += times is not None and (times[0][0] != "{" or "," in times[0])
        position = times.end() if times else atom.end()
    return repeats


def _compile(pattern: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise RegexError(f"the regular expression '{pattern[:100]}': {error}") from error


def _is_quick(method: str, pattern: str, text: str) -> bool:
    repeats = simple(pattern)
    if repeats is None or repeats > 4:
        return False
    return max(len(text), 1) ** (repeats + (method == "search")) * max(len(pattern), 1) <= _STEPS


def _call(function: str, pattern: str, *arguments: Any) -> Any:
    try:
        return _WORKERS.call(function, pattern, *arguments, seconds=_PATIENCE, processor=SECONDS)
    except CallTimedOut as error:
        raise RegexError(f"the regular expression '{pattern[:100]}' takes too long") from error
    except CallFailed as error:
        if error.kind == "Unbounded":
            raise Unbounded from error
        if error.kind == "IndexError":
            raise IndexError(str(error)) from error
        raise RegexError(f"the regular expression '{pattern[:100]}': {error}") from error
