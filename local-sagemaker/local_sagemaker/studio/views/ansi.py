"""Colours of a terminal in log lines, as tones of the pages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"(?:\x1b|#033)\[([0-9;?]{0,30})([A-Za-z])")
_TONES = {"31": "bad", "91": "bad", "32": "ok", "92": "ok", "33": "warn", "93": "warn", "34": "run", "94": "run",
          "36": "run", "96": "run", "90": "idle"}  # fmt: skip


@dataclass(frozen=True)
class Span:
    """A part of a line and its tone, "" for none."""

    tone: str
    text: str


def spans_of(text: str) -> tuple[Span, ...]:
    """The parts of a line; codes that are no colours are dropped. CloudWatch writes the escape character as #033."""
    spans: list[Span] = []
    tone, place = "", 0
    for match in _CODE.finditer(text):
        _add(spans, tone, text[place : match.start()])
        place = match.end()
        if match[2] == "m":
            codes = match[1].split(";")
            tone = next((_TONES[code] for code in reversed(codes) if code in _TONES), "" if _ends(codes) else tone)
    _add(spans, tone, text[place:])
    return tuple(spans)


def _ends(codes: list[str]) -> bool:
    return any(code in ("", "0", "00", "39") for code in codes)


def _add(spans: list[Span], tone: str, text: str) -> None:
    if text:
        spans.append(Span(tone, text))
