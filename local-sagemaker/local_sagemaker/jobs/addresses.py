"""Loopback addresses for job hosts: concurrent jobs all have an ``algo-1`` and use the same fixed ports."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST = (127 << 24) + (18 << 16) + 1  # 127.18.0.1; 127.0.0.x is left to everybody else
_COUNT = 1 << 20


class Addresses:
    """Gives out addresses of 127/8 in turn, each to one running host at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: set[int] = set()
        self._next = 0

    @contextmanager
    def borrowed(self) -> Iterator[str]:
        """An address that no other running host has."""
        with self._lock:
            while self._next in self._used:
                self._next = (self._next + 1) % _COUNT
            number, self._next = self._next, (self._next + 1) % _COUNT
            self._used.add(number)
        try:
            yield ".".join(str(part) for part in (_FIRST + number).to_bytes(4, "big"))
        finally:
            with self._lock:
                self._used.discard(number)
