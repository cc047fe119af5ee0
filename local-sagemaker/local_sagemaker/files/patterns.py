"""Patterns of file and branch names, in the dialects of AWS's services.

In each, ``*`` and ``?`` stay within a folder and ``**`` crosses folders; ``**/`` also stands for no folder at all.
"""

from __future__ import annotations

import re
from enum import Enum

_COMMON = r"\*\*/|\*\*|\*|\?"
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class PatternDialect(Enum):
    """Whose patterns they are; the value is the regular expression of what only this one has."""

    BUILD = r"\[[^\]]+\]"
    """``artifacts`` and ``cache`` of a build specification: ``[a-z]``, ``[!a-z]`` (or ``[^a-z]``), a leading ``./``."""
    TRIGGER = r"\{[^}]*\}"
    """Filters of a pipeline's triggers: ``{a,b}``."""


def compile_pattern(pattern: str, dialect: PatternDialect) -> re.Pattern[str]:
    """The regular expression that whole names match (``fullmatch``)."""
    if dialect is PatternDialect.BUILD:
        pattern = pattern.removeprefix("./")
    parts = re.split(rf"({_COMMON}|{dialect.value})", pattern)
    return re.compile("".join(map(_translate, parts[::2], [*parts[1::2], ""])), re.DOTALL)


def _translate(literal: str, special: str) -> str:
    text = re.escape(literal)
    if special.startswith("["):
        return text + _character_class(special)
    if special.startswith("{"):
        return text + "(?:" + "|".join(map(re.escape, special[1:-1].split(","))) + ")"
    return text + _WILDCARDS.get(special, "")


def _character_class(special: str) -> str:
    """``[!a-z]`` as a regular expression; one without meaning, such as ``[z-a]``, stands for itself."""
    inner = re.sub(r"([\\\[&~|])", r"\\\1", special[1:-1])
    text = f"[^/{inner[1:]}]" if inner[0] in "!^" and len(inner) > 1 else f"[{inner}]"
    try:
        re.compile(text)
    except re.error:
        return re.escape(special)
    return text
