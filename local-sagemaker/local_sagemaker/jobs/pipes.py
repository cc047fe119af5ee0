"""Pipe mode: named pipes ``<path>_0``, ``<path>_1``, ..., one per epoch, each sending the whole channel."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from local_sagemaker.jobs.spec import JobFailure


class Pipe:
    """Feeds one channel of one host from a thread until it is left; the next pipe is made when one is opened.

    `failure` says why the data could not be read to its end, which the reader of a pipe can't know.
    """

    def __init__(self, path: Path, data: Callable[[], Iterable[bytes]]) -> None:
        self.failure: JobFailure | None = None
        self._path, self._data = path, data
        self._epoch = 0
        self._over = False
        self._thread = threading.Thread(target=self._feed, name="pipe", daemon=True)

    def __enter__(self) -> Pipe:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._make()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        while self._thread.is_alive():
            # The feeder may be waiting for a reader: be one for a moment.
            with contextlib.suppress(OSError):
                os.close(os.open(self._name(), os.O_RDONLY | os.O_NONBLOCK))
            self._thread.join(0.02)

    def _name(self) -> Path:
        return self._path.with_name(f"{self._path.name}_{self._epoch}")

    def _make(self) -> None:
        os.mkfifo(self._name())

    def _feed(self) -> None:
        while not self._over:
            try:
                descriptor = os.open(self._name(), os.O_WRONLY)
            except OSError:
                return  # the job's folder no longer exists
            if self._over:
                os.close(descriptor)
                return
            self._epoch += 1
            with contextlib.suppress(OSError):
                self._make()
            try:
                with os.fdopen(descriptor, "wb", buffering=0) as pipe, contextlib.suppress(BrokenPipeError):
                    for piece in self._data():
                        view = memoryview(piece)
                        while view and not self._over:
                            view = view[pipe.write(view) :]
            except JobFailure as failure:
                self.failure = failure
