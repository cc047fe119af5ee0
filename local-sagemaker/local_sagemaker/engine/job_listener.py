"""Which execution waits for which job: one listener on the event bus, by the kind and key of the job's record."""

from __future__ import annotations

import threading
from collections.abc import Callable

from local_sagemaker.events import DELETED, Event, Events
from local_sagemaker.records.status import EndpointStatus, JobStatus

Wake = Callable[[], None]
FINAL = frozenset([DELETED, *(status for kind in (JobStatus, EndpointStatus) for status in kind if status.is_final)])
"""The statuses at which a job or an endpoint's change has ended."""


class Watch:
    """Wakes the execution that waits for a job when the job has ended."""

    def __init__(self, events: Events) -> None:
        self._wakes: dict[tuple[str, str], Wake] = {}
        self._lock = threading.Lock()
        self._unsubscribe = events.subscribe(self._on)

    def add(self, kind: str, name: str, wake: Wake) -> None:
        """Waits for a job, from before it is created, so that no event is missed."""
        with self._lock:
            self._wakes[kind, name.lower()] = wake

    def drop(self, kind: str, name: str) -> None:
        """Waits no longer."""
        with self._lock:
            self._wakes.pop((kind, name.lower()), None)

    def close(self) -> None:
        """Leaves the bus."""
        self._unsubscribe()

    def _on(self, event: Event) -> None:
        if event.status not in FINAL:
            return
        with self._lock:
            wake = self._wakes.get((event.kind, event.key.lower()))
        if wake:
            wake()
