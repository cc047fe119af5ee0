"""The time that an execution looks at, and the hours in which its data lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.monitoring.schedule_times import HOUR, duration


@dataclass(frozen=True)
class AnalysisWindow:
    """From `start` to `end` (seconds since the epoch): its start included, its end not."""

    start: float
    end: float

    @classmethod
    def of_whole_seconds(cls, start: float, end: float) -> AnalysisWindow:
        """The window as jobs and records tell time: a record of the second in which it ends is from before its end."""
        return cls(math.floor(start), math.ceil(end))

    def with_offsets(self, source: Mapping[str, Any]) -> AnalysisWindow:
        """The window that a source's StartTimeOffset and EndTimeOffset make of it: both count from its end.

        Without them it is the same (Developer Guide, "Schedule model quality monitoring jobs").
        """
        start, end = source.get("StartTimeOffset"), source.get("EndTimeOffset")
        return AnalysisWindow(
            self.end + duration(start) if start else self.start,
            self.end + duration(end) if end else self.end,
        )

    def hours(self) -> list[str]:
        """The hours that it touches, as captured data's keys name them: ``2026/01/31/23``."""
        first = int(self.start // HOUR)
        last = max(first + 1, math.ceil(self.end / HOUR))
        return [key_of(hour * HOUR) for hour in range(first, last)]


def key_of(time: float) -> str:
    """The part of a key that stands for an hour."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y/%m/%d/%H")


def text_of(time: float) -> str:
    """A time as jobs are given it, e.g. ``2026-01-31T23:00:00Z``."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
