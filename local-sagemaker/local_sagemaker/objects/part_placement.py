"""Parts of an upload written straight to where they will be in the object.

Clients cut a file into parts of one size, and only the last is smaller. So part n of size `unit` goes to offset
(n - 1) * unit of one file, ``whole``; when the upload is completed as expected, that file is the object and nothing
is copied. A part that does not fit the pattern (sent again, larger, of unknown length) gets a file of its own, and
then the parts are joined by copying. Only parts with a row count, so a torn write is no part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

SMALLEST_UNIT = 5 << 20
"""No part but the last may be smaller (S3's own limit)."""
OWN_FILE = -1
"""The offset of a part that has a file of its own."""


class Placed(Protocol):
    """What an assembly knows of a finished part."""

    @property
    def number(self) -> int:
        """The part's number."""
        ...

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    @property
    def offset(self) -> int:
        """Where it is in ``whole``, or `OWN_FILE`."""
        ...


def length_of(data: Any) -> int | None:
    """How many bytes will come, if that is known before: bytes, or a request's body."""
    if isinstance(data, bytes):
        return len(data)
    length = getattr(data, "length", None)
    return length if isinstance(length, int) else None


def in_place(parts: Sequence[Placed]) -> bool:
    """Whether the parts, one after the other, are what ``whole`` begins with."""
    end = 0
    for part in parts:
        if part.offset != end:
            return False
        end += part.size
    return bool(parts)


class Assembly:
    """Which parts of which uploads are being written into their ``whole``, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._units: dict[str, int] = {}
        self._writing: dict[str, set[int]] = {}
        self._sealed: set[str] = set()

    @contextmanager
    def slot(
        self, upload: str, number: int, length: int | None, known: Callable[[], Sequence[Placed]]
    ) -> Iterator[int]:
        """The offset that a part is to be written at, reserved in the meantime; `OWN_FILE` if there is none for it."""
        offset = self._claim(upload, number, length, known)
        try:
            yield offset
        finally:
            if offset != OWN_FILE:
                with self._lock:
                    self._writing.get(upload, set()).discard(number)

    def _claim(self, upload: str, number: int, length: int | None, known: Callable[[], Sequence[Placed]]) -> int:
        with self._lock:
            writing = self._writing.setdefault(upload, set())
            parts = known()
            taken = number in writing or any(part.number == number for part in parts)
            if length is None or taken or upload in self._sealed:
                return OWN_FILE
            unit = self._units.get(upload) or _unit(parts) or (length if length >= SMALLEST_UNIT else 0)
            if not unit or length > unit:
                return OWN_FILE
            self._units[upload] = unit
            writing.add(number)
            return (number - 1) * unit

    def seal(self, upload: str) -> bool:
        """No part goes into ``whole`` from now on; says whether none is being written."""
        with self._lock:
            self._sealed.add(upload)
            return not self._writing.get(upload)

    def unseal(self, upload: str) -> None:
        """The upload was not completed and continues."""
        with self._lock:
            self._sealed.discard(upload)

    def forget(self, upload: str) -> None:
        """The upload has ended."""
        with self._lock:
            self._units.pop(upload, None)
            self._sealed.discard(upload)
            if not self._writing.get(upload):
                self._writing.pop(upload, None)


def _unit(known: Sequence[Placed]) -> int:
    """The unit of an upload that began before a restart; 0 if its parts do not tell."""
    for part in known:
        if part.offset > 0:
            return part.offset // (part.number - 1)
    return max((part.size for part in known if part.offset == 0), default=0)
