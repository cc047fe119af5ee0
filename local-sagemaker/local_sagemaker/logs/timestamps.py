"""When which part of a log was written: a side file of (size, time) pairs, noted while a process writes.

A process writes its file directly, so no line carries a time. The time of a line is that of the first mark at or
after its end. Entries have a fixed width, so that a search needs no more memory for a week of marks than for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_WIDTH = 32
_BLOCK = 128  # Entries read at once.


@dataclass(frozen=True)
class Mark:
    """The log had `size` bytes at `time` (milliseconds since the epoch)."""

    size: int
    time: int


class Marks:
    """The marks of one stream, and a last one for what was written since (the log file's own time)."""

    def __init__(self, file: Path, end: Mark) -> None:
        self._file = file
        self._block, self._entries = -1, b""
        self._near = 0
        try:
            self._count = file.stat().st_size // _WIDTH
        except FileNotFoundError:
            self._count = 0
        last = self._entry(self._count - 1) if self._count else Mark(0, 0)
        self._end = Mark(max(end.size, last.size), max(end.time, last.time) if end.size > last.size else last.time)

    @property
    def last(self) -> Mark:
        """The size and time of all that exists."""
        return self._end

    def at(self, offset: int) -> Mark:
        """The mark that says the time of a line that ends at the offset."""
        for index in range(self._near, min(self._near + 3, self._count)):  # Lines are requested in order.
            if self._entry(index).size >= offset > (self._entry(index - 1).size if index else -1):
                self._near = index
                return self._entry(index)
        self._near = self._search(lambda mark: mark.size >= offset)
        return self._entry(self._near) if self._near < self._count else self._end

    def size_before(self, time: int) -> int:
        """How many bytes are known to be written before the time: lines that end there or earlier are older."""
        if self._end.time < time:
            return self._end.size
        low = self._search(lambda mark: mark.time >= time)
        return self._entry(low - 1).size if low else 0

    def _search(self, holds: Callable[[Mark], bool]) -> int:
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if holds(self._entry(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def _entry(self, index: int) -> Mark:
        block, place = divmod(index, _BLOCK)
        if block != self._block:
            with self._file.open("rb") as file:
                file.seek(block * _BLOCK * _WIDTH)
                self._entries = file.read(_BLOCK * _WIDTH)
            self._block = block
        size, time = self._entries[place * _WIDTH : (place + 1) * _WIDTH].split()
        return Mark(int(size), int(time))


def append(file: Path, mark: Mark) -> None:
    """Adds a mark; one that a crash left half-written is overwritten."""
    with file.open("ab") as out:
        torn = out.tell() % _WIDTH
        if torn:
            out.truncate(out.tell() - torn)
        out.write(f"{mark.size:15d} {mark.time:15d}\n".encode())
