"""What is done with a regular expression of a client, in a worker: plain values in, plain values out."""

from __future__ import annotations

import re
from typing import Any


class Unbounded(Exception):
    """The result has more characters than allowed."""


def find(pattern: str, method: str, text: str, flags: int) -> dict[str, Any] | None:
    """The spans of a match by `match`, `fullmatch` or `search` (group 0 first, None for groups without part in it), and
    the numbers of the groups that have names; None for no match."""
    match = getattr(re.compile(pattern, flags), method)(text)
    if match is None:
        return None
    spans = [match.span(number) for number in range(match.re.groups + 1)]
    return {"spans": [span if span[0] >= 0 else None for span in spans], "names": dict(match.re.groupindex)}


def compiles(pattern: str, flags: int) -> bool:
    """Raises for what is no regular expression."""
    return re.compile(pattern, flags).groups >= 0


def replace(pattern: str, pieces: list[Any], text: str, count: int, most: int) -> str:
    """The text with what matches replaced by the pieces, of which numbers are groups."""
    left = most - len(text)

    def expand(match: re.Match[str]) -> str:
        nonlocal left
        new = "".join(piece if isinstance(piece, str) else match[piece] or "" for piece in pieces)
        left -= len(new)
        if left < 0:
            raise Unbounded
        return new

    return re.sub(pattern, expand, text, count=count)


def split(pattern: str, text: str, most: int) -> list[str]:
    """The parts of the text between matches, groups left out; `most` splits, or all for 0."""
    compiled = re.compile(pattern)
    parts = compiled.split(text, maxsplit=most)
    return [part or "" for part in parts[:: compiled.groups + 1]]
