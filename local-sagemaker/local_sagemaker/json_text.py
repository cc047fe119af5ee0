"""JSON that users wrote: requests, definitions, property files, what functions return. Bounded in depth."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 200
"""Levels of arrays and objects within each other. AWS's own bound is not published; Java's Jackson has 1000, and the
SDKs' definitions stay below 40."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonError(ValueError):
    """The text is no JSON, or JSON that is not read here; the message says why."""


def load(text: str | bytes, *, constants: bool = True) -> Any:
    """The value that the text stands for. Raises `JsonError`, for too deep a nesting as well.

    `constants` allows NaN and Infinity, which Python's own writer puts into reports.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(text, parse_constant=None if constants else _refuse_constant)
    except RecursionError as error:
        raise JsonError(f"it is nested deeper than {MAX_DEPTH} levels") from error
    except JsonError:
        raise
    except ValueError as error:
        raise JsonError(str(error)) from error
    _check(value)
    return value


def _refuse_constant(name: str) -> Any:
    raise JsonError(f"{name} is no JSON value")


def _check(value: Any) -> None:
    """Level by level, so that the check itself needs no depth of calls."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, dict):
                for key in item:
                    _check_text(key)
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not following:
            return
        level = following
    raise JsonError(f"it is nested deeper than {MAX_DEPTH} levels")


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise JsonError("it has half of a surrogate pair, which no text can hold")
