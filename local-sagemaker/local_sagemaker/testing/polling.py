"""Polling, for tests that wait for what happens in the service."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_SHORTEST, _LONGEST = 0.02, 0.1
"""Seconds between two looks. Each look is a request, which keeps a core busy for most of ten milliseconds."""


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Polls until `condition()` is truthy and returns that value. Raises AssertionError naming `what` otherwise.

    The time between two looks grows with the time that has passed: a wait is at most a fifth longer than need be.
    """
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        value = condition()
        if value:
            return value
        time.sleep(min(_LONGEST, max(_SHORTEST, passed / 5)))
    raise AssertionError(f"not within {seconds} s: {what}")
