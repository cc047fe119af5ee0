"""In-process event bus for resource status changes.

Published in one place, the record layer, after the change is committed (`records/store.py`). Every event has a number;
the newest are kept in the state file, so that a reader continues where it was after a restart (`records/event_log.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CREATED, DELETED = "Created", "Deleted"
"""The status in the event of a resource without a status of its own that was created, and of any that was deleted."""


@dataclass(frozen=True)
class Event:
    """A resource was created or deleted, or changed its status.

    `kind` is the record kind (`training-job`), `key` the record's key in it, `status` the new AWS status (a model
    package's approval), `previous` the one before (None for a new resource), `body` the record without private members
    but its stage, as it was at `time` (seconds since the epoch). `previous` is `status` where only a stage changed.
    """

    arn: str
    kind: str
    status: str
    name: str = ""
    key: str = ""
    region: str = ""
    previous: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    time: float = 0.0
    number: int = 0


Listener = Callable[[Event], None]


class Events:
    """A synchronous bus. Listeners are called in the publisher's thread, must be quick and must not raise.

    Two events of different threads may arrive in the other order than their numbers: a reader that needs the order
    takes the event as a signal and reads the log.
    """

    def __init__(self, parent: Events | None = None) -> None:
        """What is published here is also published in `parent`: a region's events in those of all regions."""
        self._parent = parent
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

    def __len__(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def publish(self, event: Event) -> None:
        """Notifies every listener."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)
        if self._parent is not None:
            self._parent.publish(event)
