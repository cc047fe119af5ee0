"""Deletes what nothing refers to any more, beside the work of others.

To give back the pages of an overwritten file takes about as long as to write a tenth of them, and a caller who waits
for the new object has no reason to wait for the end of the old one.
"""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress


class Sweeper:
    """One thread that unlinks files in the order they were given. What a crash leaves is in the temporary folder,
    which is emptied at start."""

    def __init__(self) -> None:
        self._paths: queue.Queue[str | None] = queue.Queue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def take(self, path: str) -> None:
        """Deletes a file soon; that it is gone already is no error."""
        self._paths.put(path)
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
                    self._thread.start()

    def finish(self) -> bool:
        """Waits until everything given so far is gone; says whether there was anything to wait for: the disk may have
        room now."""
        waiting = self._paths.unfinished_tasks > 0
        self._paths.join()
        return waiting

    def close(self) -> None:
        """Deletes what is left and ends the thread."""
        if self._thread is not None:
            self._paths.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (path := self._paths.get()) is not None:
            with suppress(OSError):
                os.unlink(path)
            self._paths.task_done()
        self._paths.task_done()
