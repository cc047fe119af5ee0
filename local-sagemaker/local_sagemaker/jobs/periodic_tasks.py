"""One thread that does small things for all running jobs at intervals, and sleeps while no job runs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from local_sagemaker.background import log_failure

INTERVAL = 0.2  # seconds
log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Duty:
    action: Callable[[], None]
    every: float
    due: float
    busy: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False


class Ticker:
    """Calls actions at intervals. After `calling` has been left, its action is not running and not called again."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._duties: list[_Duty] = []
        self._closed = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def calling(self, action: Callable[[], None], every: float = INTERVAL) -> Iterator[None]:
        """Has the action called every so many seconds."""
        duty = _Duty(action, every, time.monotonic() + every)
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="job-ticker", daemon=True)
                self._thread.start()
            self._duties.append(duty)
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._duties.remove(duty)
            with duty.busy:
                duty.over = True

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._duties or self._closed)
                if self._closed:
                    return
                pause = min(duty.due for duty in self._duties) - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                due = [duty for duty in self._duties if duty.due <= time.monotonic()]
            for duty in due:
                self._do(duty)

    def _do(self, duty: _Duty) -> None:
        with duty.busy:
            if duty.over:
                return
            with log_failure(log, "a job's regular duty failed"):
                duty.action()
        duty.due = time.monotonic() + duty.every
