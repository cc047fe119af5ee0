"""Pauses between two looks at what takes seconds here and minutes on AWS."""

from __future__ import annotations

import time

SHORTEST, LONGEST = 0.1, 5.0  # seconds


class Pauses:
    """They grow with the time: an end after seconds is seen at once, one after minutes costs few calls."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def rest(self) -> None:
        """Waits for a twentieth of the time since the beginning."""
        time.sleep(min(LONGEST, max(SHORTEST, self.seconds / 20)))

    @property
    def seconds(self) -> float:
        """That time."""
        return time.monotonic() - self._start
