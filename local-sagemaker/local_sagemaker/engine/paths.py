"""Paths into responses: ``ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri`` and JsonGet's ``a.b[0]``.

A quoted key selects from a map, or from a list the element whose identifying member has that value, as SageMaker
does for outputs, inputs, channels and final metrics. Strings that hold JSON are opened when a path goes into them.
"""

from __future__ import annotations

import re
from typing import Any

from local_sagemaker.json_text import load

IDENTIFYING = ("OutputName", "InputName", "MetricName", "ChannelName", "Name")
_TOKEN = re.compile(r"""\.?([^.\[\]'"]+)|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[\s*(\d+)\s*\]|\.?\['([^']*)'\]""")
_STEP = re.compile(r"Steps\.([A-Za-z0-9\-_]+)(.*)", re.DOTALL)

Token = str | int


class ReferencePathError(Exception):
    """The path is malformed or leads nowhere; the message says where it broke."""


def tokens(path: str) -> tuple[Token, ...]:
    """Splits a path into keys (str) and positions (int)."""
    parts: list[Token] = []
    position = 0
    while position < len(path):
        match = _TOKEN.match(path, position)
        if not match:
            raise ReferencePathError(f"'{path}' is not a path (at '{path[position:]}')")
        if match[4] is not None:
            parts.append(int(match[4]))
        else:
            parts.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    return tuple(parts)


def json_tokens(path: str) -> tuple[Token, ...]:
    """Like `tokens`, for JsonGet: a leading ``$`` or ``$.`` is allowed."""
    return tokens(path[1:] if path.startswith("$") else path)


def step_reference(path: str) -> tuple[str, tuple[Token, ...]] | None:
    """(step, tokens) of ``Steps.<step>...``, or None for another root."""
    match = _STEP.fullmatch(path)
    return (match[1], tokens(match[2])) if match else None


def descend(value: Any, path: tuple[Token, ...]) -> Any:
    """Follows the tokens. Raises `ReferencePathError` naming the token that doesn't exist."""
    for token in path:
        value = _child(value, token)
    return value


def _child(value: Any, token: Token) -> Any:
    if isinstance(value, str):
        try:
            value = load(value)
        except ValueError as error:
            raise ReferencePathError(f"a string has no '{token}'") from error
    if isinstance(value, dict) and str(token) in value:
        return value[str(token)]
    if isinstance(value, list):
        if isinstance(token, int) and token < len(value):
            return value[token]
        for item in value:
            if isinstance(item, dict) and any(item.get(member) == token for member in IDENTIFYING):
                return item
    known = f" (there are: {', '.join(map(str, value))})" if isinstance(value, dict) and value else ""
    raise ReferencePathError(f"'{token}' does not exist{known}")
