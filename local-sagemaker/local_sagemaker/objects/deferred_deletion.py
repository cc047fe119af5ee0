"""Deletes or reuses replaced files in the background.

To give back the pages of an overwritten file takes about as long as to write a tenth of them, and a caller who waits
for the new object has no reason to wait for the end of the old one. Small files are kept for the next writes: ext4
does not give an inode away again within a minute, and searches long for another one where many were freed.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from contextlib import suppress

PAUSE = 0.02
"""Seconds in which files are gathered: a change of threads for each would cost more than its deletion."""
SPARES, SMALL = 64, 1 << 20


class Sweeper:
    """The thread that deletes files in the background. A crash leaves them in a temporary folder, emptied at start."""

    def __init__(self) -> None:
        self._paths: deque[str] = deque()
        self._spares: deque[str] = deque()
        self._sweeping, self._starting = threading.Lock(), threading.Lock()
        self._waiting, self._closed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, path: str) -> None:
        """Does away with a temporary file soon; that it no longer exists already is no error."""
        self._paths.append(path)
        if not self._waiting.is_set():
            self._waiting.set()
            with self._starting:
                if self._thread is None and not self._closed.is_set():
                    self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
                    self._thread.start()

    def spare(self) -> str | None:
        """An empty temporary file, if there is one."""
        try:
            return self._spares.popleft()
        except IndexError:
            return None

    def finish(self) -> bool:
        """Does away with all at once; says whether there was anything: the disk may have room now."""
        waiting = bool(self._paths) or self._sweeping.locked()
        self._sweep()
        return waiting

    def close(self) -> None:
        """Ends the thread and deletes what is left."""
        self._closed.set()
        self._waiting.set()
        if self._thread is not None:
            self._thread.join()
        self._sweep()
        while spare := self.spare():
            os.unlink(spare)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._waiting.wait()
            self._closed.wait(PAUSE)
            self._waiting.clear()
            self._sweep()

    def _sweep(self) -> None:
        with self._sweeping:
            while self._paths:
                path = self._paths.popleft()
                with suppress(OSError):
                    if len(self._spares) < SPARES and _try_empty(path):
                        self._spares.append(path)
                    else:
                        os.unlink(path)


def _try_empty(path: str) -> bool:
    """Empties a small file that has no other name and that no one has open; says whether it did.

    The kernel grants a lease to write only where nothing else has the file open (fcntl(2), "Leases").
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        facts = os.fstat(descriptor)
        if facts.st_nlink != 1 or facts.st_size > SMALL:
            return False
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError:
            return False
        os.ftruncate(descriptor, 0)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return True
    finally:
        os.close(descriptor)
