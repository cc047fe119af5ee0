"""Acknowledged events: records until they are done, run by a few threads, tried again after a failure.

An event that was acknowledged survives a crash of the service, and so may reach its function more than once, as on AWS.
"""

from __future__ import annotations

import base64
import heapq
import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.records import Records

KIND = "function-event"
RETRIES = (60.0, 120.0)
"""Seconds before each retry of an event whose function failed (Lambda Developer Guide, "Asynchronous invocation")."""
OLDEST = 6 * 3600.0
THREADS = 8
log = logging.getLogger(__name__)
Attempt = Callable[[str, dict[str, Any], bytes], bool]
"""``attempt(id, record, event)``: runs an event and returns whether it is done."""
Limits = Callable[[dict[str, Any]], tuple[int, float]]
"""``limits(record)``: how often the event is tried again, and its greatest age in seconds."""


class EventSources:
    """The events that are to be run."""

    def __init__(self, *, records: Records, attempt: Attempt, limits: Limits) -> None:
        self._records, self._attempt, self._limits = records, attempt, limits
        self._due: list[tuple[float, str]] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._closed = False
        self._left = [key for key, _ in records.items(KIND)]

    def accept(self, name: str, qualifier: str | None, event: bytes) -> None:
        """Writes an event down and has it run."""
        key = str(uuid.uuid4())
        body = {
            "function": name,
            "qualifier": qualifier,
            "event": base64.b64encode(event).decode(),
            "accepted": now(),
            "failures": 0,
        }
        self._records.insert(KIND, key, body)
        self._schedule(key, 0.0)

    def resume(self) -> None:
        """Runs what an earlier service had acknowledged."""
        for key in self._left:
            self._schedule(key, 0.0)

    def clear(self) -> None:
        """Forgets all events; their records go by other means."""
        with self._changed:
            self._due.clear()

    def close(self) -> None:
        """Starts no more events; they are run at the next start."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _schedule(self, key: str, seconds: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, key))
            if self._busy == len(self._threads) < THREADS:
                thread = threading.Thread(target=self._work, name="function events", daemon=True)
                self._threads.append(thread)
                self._busy += 1
                thread.start()
            self._changed.notify()

    def _work(self) -> None:
        while (key := self._next()) is not None:
            with log_failure(log, "event %s", key):
                self._run(key)

    def _next(self) -> str | None:
        with self._changed:
            self._busy -= 1
            while not self._closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._busy += 1
                    return heapq.heappop(self._due)[1]
                self._changed.wait(wait)
            return None

    def _run(self, key: str) -> None:
        body = self._records.get(KIND, key)
        if body is None:
            return
        if self._is_too_old(body):
            log.warning("event %s of function %s is older than it may be and is dropped", key, body["function"])
            self._records.delete(KIND, key)
            return
        done = False
        with log_failure(log, "event %s of function %s", key, body["function"]):
            done = self._attempt(key, body, base64.b64decode(body["event"]))
        if self._closed:
            return  # its function may have ended with the service: it runs again at the next start
        failures = body["failures"] + 1
        most, _ = self._limits(body)
        if done or failures > most or self._is_too_old(body):
            self._records.delete(KIND, key)
        elif self._records.update(KIND, key, lambda event: event | {"failures": failures}):
            self._schedule(key, RETRIES[failures - 1])

    def _is_too_old(self, body: dict[str, Any]) -> bool:
        _, oldest = self._limits(body)
        return now() - float(body["accepted"]) > oldest
