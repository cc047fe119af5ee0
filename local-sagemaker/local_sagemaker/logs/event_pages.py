"""Pages of events: forwards from a place in a log file, or backwards from it, within CloudWatch's page limits."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker.logs.lines import Line, line_back, line_start, lines_with_times, pieces, read
from local_sagemaker.logs.timestamps import Marks

EVENTS, BYTES = 10_000, 1_048_576
"""Limits of one page (GetLogEvents reference); an event counts its bytes and 26 more."""

_SEARCHED = 1_048_576
_CONTROLS = bytes(code for code in (*range(32), 127) if code != ord("\n"))


@dataclass(frozen=True)
class LogPage:
    """Events in file order, and the offsets between which they are: the next pages begin there."""

    events: list[Line] = field(default_factory=list)
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class LogSource:
    """A log file up to what is complete of it, with its marks."""

    file: Path
    marks: Marks
    end: int

    def between(self, since: int | None, until: int | None) -> tuple[int, int]:
        """The offsets that hold the lines of [since, until), in milliseconds since the epoch."""
        first = self.cut(self.marks.size_before(since)) if since is not None else 0
        stop = min(self.end, self.marks.size_before(until)) if until is not None else self.end
        return first, self.cut(stop) if stop < self.end else stop

    def lines(self, start: int, end: int) -> Iterator[Line]:
        """All lines between two offsets, one block in memory at a time."""
        return lines_with_times(self.file, self.marks, start, end)

    def lines_with(self, term: bytes, start: int, end: int) -> Iterator[Line]:
        """All lines between two offsets that may hold the term; blocks that can't are passed over as bytes.

        What is shown of a control character is not what is in the file, so lines with one are never passed over.
        """
        at = start
        while at < end:
            block = read(self.file, at, min(_SEARCHED, end - at))
            size = len(block) if at + len(block) >= end else block.rfind(b"\n") + 1
            if not size:  # a line longer than a block
                yield from self.lines(at, end)
                return
            if term in block or len(block.translate(None, _CONTROLS)) < len(block):
                yield from self.lines(at, at + size)
            at += size

    def forwards(self, start: int, end: int, limit: int) -> LogPage:
        """The page that begins at `start`."""
        events: list[Line] = []
        size = 0
        for line in self.lines(start, end):
            size += _size(line)
            if events and (size > BYTES or len(events) == limit):
                break
            events.append(line)
        return LogPage(events, start, events[-1].end if events else start)

    def backwards(self, start: int, end: int, limit: int) -> LogPage:
        """The page that ends at `end`."""
        whole = max(start, line_start(self.file, max(start, end - BYTES)))
        near = max(whole, line_back(self.file, whole, end, limit))
        page = self._backwards(near, end, limit)
        return page if len(page.events) == limit or near == whole else self._backwards(whole, end, limit)

    def _backwards(self, begin: int, end: int, limit: int) -> LogPage:
        events: deque[Line] = deque()
        size = 0
        for line in self.lines(begin, end):
            events.append(line)
            size += _size(line)
            while len(events) > 1 and (size > BYTES or len(events) > limit):
                size -= _size(events.popleft())
        return LogPage(list(events), events[0].start if events else end, end)

    def cut(self, offset: int) -> int:
        """The start of the line or cut part that goes over the offset, or the offset when none does."""
        if offset >= self.end:
            return self.end
        begin = line_start(self.file, offset)
        for start, end, _ in pieces(self.file, begin, self.end):
            if end > offset:
                return start
        return offset


def _size(line: Line) -> int:
    return len(line.text.encode("utf-8", "replace")) + 26
