"""The model's patterns, which are Java's, as Python's regular expressions, compiled once."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_SIMPLE = {
    "Alnum": "a-zA-Z0-9",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "ASCII": r"\x00-\x7f",
    "Print": r"\x20-\x7e",
    "Graph": r"\x21-\x7e",
    "Upper": "A-Z",
    "Lower": "a-z",
    "Space": r" \t\n\x0b\f\r",
}
_TOKEN = re.compile(r"\\p\{(?P<property>\w+)\}|\\(?P<escaped>.)|(?P<bracket>[\[\]])|(?P<other>.)", re.DOTALL)
_SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
_SCANNED = ((0, 0x33500), (0xE0000, 0xE0200))
"""Where Unicode has assigned characters (private use apart)."""


_LINEAR = {
    r"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$": r"[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*",
}
"""Patterns (of ECR) that backtrack without an end on a text that does not fit, and what matches the same at once."""


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""A model's pattern. ``\d`` and ``\w`` are ASCII's, as in Java. To be used with `fullmatch`, as AWS does."""
    return re.compile(translate_pattern(_LINEAR.get(pattern, pattern)), re.ASCII)


def translate_pattern(pattern: str) -> str:
    """The same pattern in Python's syntax."""
    pattern = pattern.replace(_SURROGATES, r"\U00010000-\U0010FFFF")
    pattern = re.sub(r"\$\{\d+,\d+\}$", "$", pattern)  # two SageMaker patterns repeat their end
    parts: list[str] = []
    inside = False
    for token in _TOKEN.finditer(pattern):
        if token["property"]:
            ranges = _SIMPLE.get(token["property"]) or _category(token["property"])
            parts.append(ranges if inside else f"[{ranges}]")
        elif token["escaped"]:
            parts.append(r"\Z" if token["escaped"] == "z" else token[0])
        elif token["bracket"]:
            opens = token["bracket"] == "["
            parts.append(r"\[" if opens and inside else token[0])
            inside = opens or (inside and token["bracket"] != "]")
        elif token["other"] == "-" and inside and parts[-1] in (r"\w", r"\d", r"\s"):
            parts.append(r"\-")  # after a class it is no range
        else:
            parts.append(token[0])
    return "".join(parts)


@cache
def _categories() -> dict[str, str]:
    """The ranges of each major Unicode category, as text for a character class. Takes some 20 ms, once."""
    by_category: dict[str, list[tuple[int, int]]] = {}
    for first, last in _SCANNED:
        for code in range(first, last):
            ranges = by_category.setdefault(unicodedata.category(chr(code))[0], [])
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1] = (ranges[-1][0], code)
            else:
                ranges.append((code, code))
    return {name: "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges) for name, ranges in by_category.items()}


def _category(name: str) -> str:
    return _categories()[name.removeprefix("Is")[0]]
