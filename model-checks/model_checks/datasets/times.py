"""Times of captured records."""

from __future__ import annotations

from datetime import datetime, timezone


def utc(text: str) -> datetime:
    """A time in ISO 8601, in UTC where it says nothing else. Raises ValueError."""
    moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text)  # Python 3.10 knows no Z
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
