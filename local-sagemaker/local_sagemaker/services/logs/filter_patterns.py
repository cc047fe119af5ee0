"""Filter patterns of terms: ``ERROR "out of memory" -DEBUG``, ``?WARN ?ERROR`` (CloudWatch Logs user guide)."""

from __future__ import annotations

import re
from collections.abc import Callable

from local_sagemaker.services.logs.names import InvalidParameter

_TERM = re.compile(r'([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))\s*')
_OTHER = {"{": "JSON", "[": "space-delimited", "%": "regular expression"}


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a message matches: all plain terms, or any with ``?`` when there are only such, and none with ``-``.

    Raises for the other kinds of patterns, which the local service does not have.
    """
    pattern = pattern.strip()
    if pattern[:1] in _OTHER:
        raise InvalidParameter(
            f"{_OTHER[pattern[0]]} filter patterns are not supported by the local service; "
            "terms and quoted phrases are."
        )
    required, optional, excluded = _terms(pattern)

    def matches(message: str) -> bool:
        if any(term in message for term in excluded) or not all(term in message for term in required):
            return False
        return bool(required) or not optional or any(term in message for term in optional)

    return matches


def longest_term(pattern: str) -> bytes:
    """The longest term that every matching message holds; empty where there is none."""
    required = _terms(pattern.strip())[0] if pattern.strip()[:1] not in _OTHER else []
    plain = [term for term in required if "\ufffd" not in term]  # which stands for what is no character
    return max(plain, key=len, default="").encode("utf-8", "replace")


def _terms(pattern: str) -> tuple[list[str], list[str], list[str]]:
    kinds: dict[str, list[str]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(pattern):
        match = _TERM.match(pattern, position)
        if not match or (match[2] is None and '"' in match[3]):
            raise InvalidParameter("Invalid filter pattern")
        phrase = match[2]
        kinds[match[1]].append(match[3] if phrase is None else re.sub(r"\\(.)", r"\1", phrase))
        position = match.end()
    return kinds[""], kinds["?"], kinds["-"]
