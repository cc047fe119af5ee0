"""What happened inside the service: status changes, told to whoever waits for them.

The engine waits here for the end of a job instead of polling; rules and pages can listen the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """A resource changed. `kind` is the record kind (`training-job`), `status` its new AWS status."""

    arn: str
    kind: str
    status: str
    detail: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


class Events:
    """A synchronous in-process bus. Listeners are called in the publisher's thread and must be quick."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; the returned function removes it."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tells every listener."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)
