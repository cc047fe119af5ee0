"""Time, in one place. AWS-shaped records hold times as seconds since the epoch (UTC) with milliseconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """The current time in seconds since the epoch, to the millisecond, as AWS answers give it."""
    return round(time.time(), 3)


def iso(seconds: float) -> str:
    """ISO-8601 UTC text of a time, e.g. ``2026-01-02T03:04:05.678Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
