"""The lines of a log file, read in blocks: memory stays flat however long the file or a line is.

A line longer than CloudWatch takes in one event is cut into several. What is shown of a line is what CloudWatch shows:
control characters as octal numbers (a TAB as ``#011``), of a progress bar's carriage returns the last state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.logs.timestamps import Mark, Marks

LONGEST = 262_118
"""Bytes of one event at most: 256 KiB less the 26 that CloudWatch adds to each (PutLogEvents reference)."""

_BLOCK = 65_536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Line:
    """One event: where it is in the file, when it was written (milliseconds since the epoch), and its text."""

    start: int
    end: int
    time: int
    text: str


def to_text(raw: bytes) -> str:
    """The text of a line as CloudWatch shows it."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part), "")
    return _CONTROL.sub(lambda match: f"#{ord(match[0]):03o}", text) if _CONTROL.search(text) else text


def pieces(file: Path, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, bytes) of each line between two offsets; `start` must be the start of a line or of a cut part.

    The last one has no newline when the range ends within a line.
    """
    held, position = b"", start
    while position < end:
        block = read(file, position, min(_BLOCK, end - position))
        if not block:
            break
        position += len(block)
        held += block
        used = 0
        while size := _size(held, used):
            yield start, start + size, held[used : used + size]
            start += size
            used += size
        held = held[used:]
    if held:
        yield start, start + len(held), held


def _size(held: bytes, used: int) -> int:
    """The size of the complete line or cut part that begins at an index, 0 if its end does not exist yet."""
    newline = held.find(b"\n", used, used + LONGEST)
    if newline >= 0:
        return newline + 1 - used
    if len(held) - used < LONGEST:
        return 0
    cut = used + LONGEST
    for back in range(1, 5):  # Not within a character: back to its first byte if it goes over the cut.
        byte = held[cut - back]
        if byte & 0xC0 == 0x80:
            continue
        length = 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
        return LONGEST if length <= back else LONGEST - back
    return LONGEST


def line_start(file: Path, offset: int) -> int:
    """The start of the line that holds the byte at the offset."""
    while offset > 0:
        begin = max(0, offset - _BLOCK)
        newline = read(file, begin, offset - begin).rfind(b"\n")
        if newline >= 0:
            return begin + newline + 1
        offset = begin
    return 0


def line_back(file: Path, start: int, end: int, count: int) -> int:
    """Where the last `count` lines between two offsets begin; `start` where there are fewer."""
    data = read(file, start, end - start)
    at = len(data) - 1 if data.endswith(b"\n") else len(data)
    for _ in range(count):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return start
    return start + at + 1


def lines_with_times(file: Path, marks: Marks, start: int, end: int) -> Iterator[Line]:
    """The lines between two offsets with their times; `start` as for `pieces`. CloudWatch has no empty events."""
    mark = Mark(-1, 0)
    for begin, stop, raw in pieces(file, start, end):
        if stop > mark.size:
            mark = marks.at(stop)
        if text := to_text(raw):
            yield Line(begin, stop, mark.time, text)


def read(file: Path, offset: int, size: int) -> bytes:
    """Bytes of a file from an offset on, fewer at its end."""
    with file.open("rb") as opened:
        opened.seek(offset)
        return opened.read(size)
