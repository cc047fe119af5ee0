"""Times and durations as pages word them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

_UTC = "UTC"


def zone(name: str) -> ZoneInfo | None:
    """The time zone of a name (IANA), None for one that this machine does not know."""
    try:
        return ZoneInfo(name) if name and len(name) < 64 else None
    except (ValueError, OSError, KeyError):
        return None


def seconds(value: Any) -> float | None:
    """Seconds since the epoch of a time as operations give it."""
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, (int, float)) else None


def parse_time(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 text; None for every other text."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def stamp(value: Any, tz: str = "") -> str:
    """``2026-11-29 03:03:53``, in the viewer's zone."""
    at = seconds(value)
    if at is None:
        return "-"
    return datetime.fromtimestamp(at, zone(tz) or UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso(value: Any, tz: str = "") -> str:
    """To the millisecond, with the zone's offset."""
    at = seconds(value)
    if at is None:
        return ""
    return datetime.fromtimestamp(at, zone(tz) or UTC).isoformat(timespec="milliseconds")


def ago(value: Any, now: float) -> str:
    """``2 min ago``."""
    at = seconds(value)
    if at is None:
        return ""
    age = now - at
    if age < 0:
        return f"in {_rough(-age)}"
    return "just now" if age < 2 else f"{_rough(age)} ago"


def _rough(age: float) -> str:
    for size, unit in ((86400 * 2, "days"), (3600, "h"), (60, "min")):
        if age >= size:
            return f"{int(age // min(size, 86400))} {unit}"
    return f"{int(age)} s"


def duration(value: Any) -> str:
    """``0.8 s``, ``3 min 12 s``, ``2 h 05 min``; ``< 0.1 s`` for what is shorter."""
    if value is None:
        return "-"
    length = max(0.0, float(value))
    if 0 < length < 0.05:
        return "< 0.1 s"
    if length < 59.95:
        return f"{length:.1f} s"
    minutes, rest = divmod(round(length), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def between(start: Any, end: Any, now: float) -> float | None:
    """The length from a start to an end, to now while there is no end."""
    first = seconds(start)
    if first is None:
        return None
    last = seconds(end)
    return max(0.0, (now if last is None else last) - first)
