"""Time, in one place. AWS-shaped records hold times as seconds since the epoch (UTC) with milliseconds.

The service's clock can be ahead of the machine's: what happens on the hour need not be waited for. It never goes back.
Signatures and credentials, which clients and the service make with the machine's clock, are checked with that one.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_lock = threading.Lock()
_listeners: list[Callable[[], None]] = []
_ahead = 0.0


def now() -> float:
    """The service's time in seconds since the epoch, to the millisecond, as AWS responses give it."""
    return round(time.time() + _ahead, 3)


def machine_time() -> float:
    """The machine's time in seconds since the epoch, to the millisecond."""
    return round(time.time(), 3)


def ahead() -> float:
    """Seconds that the service's clock is ahead of the machine's."""
    return _ahead


def move_ahead(seconds: float) -> None:
    """Makes the service's clock at least so many seconds ahead of the machine's, and wakes who waits for a time."""
    global _ahead
    with _lock:
        _ahead = max(_ahead, seconds)
        listeners = list(_listeners)
    for listener in listeners:
        listener()


def seconds_ahead(text: str, since: float = 0.0) -> float:
    """How far ahead of the machine's a clock is that shows a time (``2026-01-31T12:59:50Z``, UTC where it says nothing
    else), or that is `since` plus a duration (``90m``, ``1h``, ``2d``, ``PT1H``) ahead. Raises ValueError."""
    match = _DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text)
    if match and any(match.groups()):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return since + days * 86_400 + hours * 3600 + minutes * 60 + seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"'{text}' is neither a time such as 2026-01-31T12:59:50Z nor a duration such as 90m, 1h or 2d."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - time.time()


def on_move(listener: Callable[[], None]) -> Callable[[], None]:
    """Calls a function whenever the clock was moved. Returns what ends that."""
    with _lock:
        _listeners.append(listener)

    def end() -> None:
        with _lock, contextlib.suppress(ValueError):
            _listeners.remove(listener)

    return end


def iso(seconds: float) -> str:
    """ISO-8601 UTC text of a time, e.g. ``2026-01-02T03:04:05.678Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
