"""Regular expressions inside moto: some of its services take what a client gives for one.

Prefixes of queues and filters of image tags go into Python's `re` as they come. In those services' modules, `re` is
replaced by what is here, which bounds them in time; a pattern that is none, or takes too long, matches nothing.
"""

from __future__ import annotations

import importlib
import re
from functools import cache
from typing import Any

from local_sagemaker.regexes import bounded
from local_sagemaker.regexes.bounded import Match, RegexError

_MODULES = {"sqs": "moto.sqs.models", "ecr": "moto.ecr.models"}


@cache
def limit_expressions(service: str) -> None:
    """Has a service of moto use bounded expressions; does so once."""
    if service in _MODULES:
        module = vars(importlib.import_module(_MODULES[service]))
        module["re"] = BoundedRe(frozenset(value for value in module.values() if isinstance(value, str)))


class BoundedRe:
    """The functions of `re` that those modules use; their own patterns, which are trusted, are run as they are."""

    def __init__(self, trusted: frozenset[str]) -> None:
        self._trusted = trusted

    def compile(self, pattern: str, flags: int = 0) -> BoundedPattern | re.Pattern[str]:
        """A pattern to be matched later."""
        return re.compile(pattern, flags) if pattern in self._trusted else BoundedPattern(pattern, flags)

    def match(self, pattern: str, text: str, flags: int = 0) -> Match | re.Match[str] | None:
        """A match at the beginning of the text."""
        return self.compile(pattern, flags).match(text)

    def fullmatch(self, pattern: str, text: str, flags: int = 0) -> Match | re.Match[str] | None:
        """A match of the whole text."""
        return self.compile(pattern, flags).fullmatch(text)

    def search(self, pattern: str, text: str, flags: int = 0) -> Match | re.Match[str] | None:
        """A match anywhere in the text."""
        return self.compile(pattern, flags).search(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)


class BoundedPattern:
    """A pattern, as `re.compile` gives it."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern, self._flags = pattern, flags

    def match(self, text: str) -> Match | None:
        """A match at the beginning of the text."""
        return _find("match", self.pattern, text, self._flags)

    def search(self, text: str) -> Match | None:
        """A match anywhere in the text."""
        return _find("search", self.pattern, text, self._flags)

    def fullmatch(self, text: str) -> Match | None:
        """A match of the whole text."""
        return _find("fullmatch", self.pattern, text, self._flags)


def _find(method: str, pattern: str, text: str, flags: int) -> Match | None:
    try:
        return bounded.find(method, pattern, text, int(flags))
    except RegexError:
        return None
