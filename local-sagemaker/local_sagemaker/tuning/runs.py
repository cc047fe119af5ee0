"""The tuning jobs that run now: one thread each, started, resumed after a crash, and ended with the service."""

from __future__ import annotations

import threading

from local_sagemaker.tuning.run import TuningRun, TuningServices


class Runs:
    """Threads of running tuning jobs, by name."""

    def __init__(self, services: TuningServices) -> None:
        self._services = services
        self._running: dict[str, tuple[TuningRun, threading.Thread]] = {}
        self._lock = threading.Lock()

    def start(self, name: str) -> None:
        """Runs a tuning job whose record is written, from the beginning or from where its records say."""
        run = TuningRun(name, self._services)
        thread = threading.Thread(target=self._execute, args=(run,), name=f"tuning-{name}", daemon=True)
        with self._lock:
            self._running[name] = (run, thread)
        thread.start()

    def wake(self, name: str) -> None:
        """Notifies a tuning job that its record was changed."""
        with self._lock:
            entry = self._running.get(name)
        if entry:
            entry[0].wake()

    def end_all(self) -> None:
        """Ends all threads; the tuning jobs stay as they are written down."""
        with self._lock:
            running = list(self._running.values())
        for run, _ in running:
            run.close()
        for _, thread in running:
            thread.join(timeout=10)

    def _execute(self, run: TuningRun) -> None:
        try:
            run.execute()
        finally:
            with self._lock:
                if self._running.get(run.name, (None,))[0] is run:
                    del self._running[run.name]
