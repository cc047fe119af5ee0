"""When a monitoring schedule is due: the few cron forms that Model Monitor takes, and NOW (contracts: delivery 6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ValidationError

NOW = "NOW"
HOUR, DAY = 3600, 86_400
LONGEST = DAY
"""Seconds that the analysis of a NOW schedule may cover."""
_HOURS = re.compile(r"cron\(0 (\*|(\d{1,2})(/(\d{1,2}))?) \? \* \* \*\)")
_DURATION = re.compile(r"([+-]?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True)
class Timetable:
    """The hours of a day (UTC) at which a schedule runs. `period` are the seconds of data that a run looks at."""

    hours: tuple[int, ...]
    period: int

    def next(self, after: float) -> float:
        """The first time behind `after`."""
        day = after - after % DAY
        times = [day + days * DAY + hour * HOUR for days in (0, 1) for hour in self.hours]
        return min(time for time in times if time > after)

    def last(self, until: float) -> float:
        """The newest time that is not behind `until`."""
        day = until - until % DAY
        times = [day - days * DAY + hour * HOUR for days in (0, 1) for hour in self.hours]
        return max(time for time in times if time <= until)


def parse(config: Mapping[str, Any] | None) -> Timetable | None:
    """The timetable of a ScheduleConfig; None for NOW. Without one a schedule runs daily, here at midnight.

    Raises ValidationError for every other form.
    """
    if not config:
        return Timetable((0,), DAY)
    text = config["ScheduleExpression"]
    if text == NOW:
        check_now(config)
        return None
    match = _HOURS.fullmatch(text)
    if match is None:
        raise _invalid(text)
    if match[1] == "*":
        return Timetable(tuple(range(24)), HOUR)
    hour = int(match[2])
    every = int(match[4]) if match[4] else 0
    if hour > 23 or (match[4] and not 1 <= every <= 24):
        raise _invalid(text)
    if not every or every == 24:
        return Timetable((hour,), DAY)
    return Timetable(tuple(range(hour, 24, every)), every * HOUR)


def _invalid(text: str) -> ValidationError:
    return ValidationError(
        f"Invalid ScheduleExpression {text}. Supported are cron(0 * ? * * *), cron(0 [00-23] ? * * *), "
        "cron(0 [00-23]/[01-24] ? * * *) and NOW."
    )


def check_now(config: Mapping[str, Any]) -> tuple[float, float]:
    """Start and end of a NOW schedule's analysis in seconds relative to its run. Raises ValidationError."""
    texts = [config.get(name) for name in ("DataAnalysisStartTime", "DataAnalysisEndTime")]
    if not all(texts):
        raise ValidationError(
            "DataAnalysisStartTime and DataAnalysisEndTime are required when ScheduleExpression is NOW."
        )
    start, end = (duration(str(text)) for text in texts)
    if start >= end or end - start > LONGEST:
        raise ValidationError(
            "DataAnalysisStartTime must be before DataAnalysisEndTime, by 24 hours at most, when ScheduleExpression "
            "is NOW."
        )
    return start, end


def duration(text: str) -> float:
    """Seconds of an ISO 8601 duration such as ``-PT1H`` or ``-P8D``. Raises ValidationError."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise ValidationError(f"Invalid duration {text}: an ISO 8601 duration such as -PT1H or -P1D is expected.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    total = days * DAY + hours * HOUR + minutes * 60 + seconds
    return -total if match[1] == "-" else total
