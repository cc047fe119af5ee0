"""Regular expressions of users. Each search has a time limit, since one such as ``(a|aa)+$`` may take for ever.

The limits count processor time, so that a busy machine does not reach them sooner.
"""

from __future__ import annotations

import re
import time
from re import _constants, _parser  # type: ignore[attr-defined]  # not public, not in typeshed

import regex

SECONDS = 0.1
"""The longest search."""
_QUICK, _BUDGET = 0.005, 2.0
"""Searches that take longer than the first may take the second altogether."""


class InvalidPattern(ValueError):
    """A text that is no regular expression."""


class TooSlow(Exception):
    """A search, or all searches of a pattern together, have reached their limit."""


class UserPattern:
    """A pattern that is searched for in many texts. Used by one thread at a time."""

    def __init__(self, text: str) -> None:
        """Raises InvalidPattern."""
        self.text = text
        self._pattern = compiled(text)
        self._literal = _literal(text)
        self._left = _BUDGET

    @property
    def groups(self) -> int:
        """The number of groups."""
        return int(self._pattern.groups)

    def search(self, text: str) -> regex.Match[str] | None:
        """The first place where the pattern matches. Raises TooSlow."""
        if self._literal not in text:
            return None
        start = time.thread_time()
        try:
            found = self._pattern.search(text, timeout=SECONDS)
        except TimeoutError as error:
            raise TooSlow(self.text) from error
        taken = time.thread_time() - start
        if taken > _QUICK:
            self._left -= taken
        if self._left < 0:
            raise TooSlow(self.text)
        return found


def compiled(text: str) -> regex.Pattern[str]:
    """The pattern, for searches that are given a ``timeout`` each. Raises InvalidPattern."""
    try:
        re.compile(text)
        return regex.compile(text)
    except (re.error, regex.error, RecursionError, OverflowError) as error:
        raise InvalidPattern(str(error)) from error


def _literal(text: str) -> str:
    """A text that every match has in it: the longest one between the pattern's operators. Looked for first, as most
    lines of a log have none of the metrics."""
    parsed = _parser.parse(text)
    if parsed.state.flags & re.IGNORECASE:
        return ""
    run = longest = ""
    for operator, argument in parsed:
        run = run + chr(argument) if operator is _constants.LITERAL else ""
        longest = max(longest, run, key=len)
    return longest
