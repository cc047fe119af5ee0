"""Schedule expressions: ``rate(...)``, ``cron(...)`` and ``at(...)``, and when they are due (Scheduler user guide)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|minutes|hour|hours|day|days)\)")
_CRON = re.compile(r"cron\(\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)}
LAST_YEAR = 2199


class InvalidSchedule(ValueError):
    """A text that is no schedule expression."""


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises `InvalidSchedule`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidSchedule(name) from error


@dataclass(frozen=True)
class Rate:
    """Every so many seconds from a start on."""

    seconds: int

    def next(self, after: float, start: float) -> float | None:
        """The first time behind `after`, counted from `start` (both in seconds since the epoch)."""
        if after < start:
            return start
        return start + (int((after - start) // self.seconds) + 1) * self.seconds


@dataclass(frozen=True)
class Once:
    """One local time."""

    text: str
    zone: tzinfo

    def next(self, after: float, _start: float) -> float | None:
        """The time, if it is behind `after`."""
        time = datetime.fromisoformat(self.text).replace(tzinfo=self.zone).timestamp()
        return time if time > after else None


Days = Callable[[int, int], set[int]]
"""The days of a month (year, month) that a field means."""


@dataclass(frozen=True)
class Cron:
    """Local times. `days` stands for both day fields: one of them is always ``?``."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: Days
    months: frozenset[int]
    years: frozenset[int]
    zone: tzinfo

    def next(self, after: float, _start: float) -> float | None:
        """The first time behind `after`. A local time that does not exist is skipped, one that comes twice is once."""
        local = datetime.fromtimestamp(after, self.zone).replace(tzinfo=None)
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for year in (year for year in sorted(self.years) if year >= day.year):
            for month in sorted(self.months):
                if (year, month) < (day.year, day.month):
                    continue
                for number in sorted(self.days(year, month)):
                    moment = self._on(datetime(year, month, number), after)  # local, as schedules are
                    if moment is not None:
                        return moment
        return None

    def _on(self, day: datetime, after: float) -> float | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                local = day.replace(hour=hour, minute=minute)
                time = local.replace(tzinfo=self.zone).timestamp()
                exists = datetime.fromtimestamp(time, self.zone).replace(tzinfo=None) == local
                if exists and time > after:
                    return time
        return None


Schedule = Rate | Once | Cron


def parse(text: str, timezone: str = "UTC", *, strict_units: bool = True, once: bool = False) -> Schedule:
    """The schedule of an expression. `strict_units` wants "minute" for 1 and "minutes" for more, as rules do; `once`
    allows ``at(...)``, as Scheduler does. Raises `InvalidSchedule`."""
    place = zone(timezone)
    if match := _RATE.fullmatch(text):
        value, unit = int(match[1]), match[2]
        if strict_units and (value == 1) == unit.endswith("s"):
            raise InvalidSchedule(text)
        return Rate(value * _SECONDS[unit.rstrip("s")])
    if once and (match := _AT.fullmatch(text)):
        try:
            datetime.fromisoformat(match[1])
        except ValueError as error:
            raise InvalidSchedule(text) from error
        return Once(match[1], place)
    if match := _CRON.fullmatch(text):
        return _cron(text, match.groups(), place)
    raise InvalidSchedule(text)


def _cron(text: str, fields: tuple[str, ...], place: tzinfo) -> Cron:
    minute, hour, day, month, weekday, year = (field.upper() for field in fields)
    if (day == "?") == (weekday == "?"):
        raise InvalidSchedule(text)
    days = _weekdays(weekday, text) if day == "?" else _days(day, text)
    return Cron(
        _numbers(minute, 0, 59, {}, text),
        _numbers(hour, 0, 23, {}, text),
        days,
        _numbers(month, 1, 12, {name.upper(): number for name, number in _MONTHS.items()}, text),
        _numbers(year, 1970, LAST_YEAR, {}, text),
        place,
    )


def _numbers(field: str, low: int, high: int, names: dict[str, int], text: str) -> frozenset[int]:
    numbers: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if step and not (step.isdecimal() and int(step) > 0):
            raise InvalidSchedule(text)
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(first, names, text)
            end = _number(last, names, text) if dash else high if step else begin
        if not low <= begin <= high or not low <= end <= high:
            raise InvalidSchedule(text)
        numbers |= set(range(begin, end + 1, int(step or 1)) if begin <= end else
                       [*range(begin, high + 1), *range(low, end + 1)][:: int(step or 1)])  # fmt: skip
    return frozenset(numbers)


def _number(word: str, names: dict[str, int], text: str) -> int:
    if word in names:
        return names[word]
    if not word.isdecimal():
        raise InvalidSchedule(text)
    return int(word)


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _days(field: str, text: str) -> Days:
    """Days of the month: numbers, ``L`` (the last), ``15W`` (the weekday nearest to it)."""
    if field == "L":
        return lambda year, month: {_length(year, month)}
    near = re.fullmatch(r"(\d{1,2})W", field)
    if near and 1 <= int(near[1]) <= 31:
        return lambda year, month: _nearest_weekday(year, month, int(near[1]))
    if field == "LW":
        return lambda year, month: _nearest_weekday(year, month, _length(year, month))
    numbers = _numbers(field, 1, 31, {}, text)
    return lambda year, month: {day for day in numbers if day <= _length(year, month)}


def _nearest_weekday(year: int, month: int, day: int) -> set[int]:
    length = _length(year, month)
    if day > length:
        return set()
    weekday = datetime(year, month, day, tzinfo=UTC).weekday()
    if weekday == 5:
        day = day - 1 if day > 1 else day + 2
    elif weekday == 6:
        day = day + 1 if day < length else day - 2
    return {day}


def _weekdays(field: str, text: str) -> Days:
    """Days of the week, 1 is Sunday: numbers and names, ``6L`` (the last Friday), ``3#2`` (the second Tuesday)."""
    last = re.fullmatch(r"(\w+?)L", field)
    nth = re.fullmatch(r"(\w+)#([1-5])", field)
    if field == "L":
        return _on_weekdays(frozenset({7}))
    if last or nth:
        number = _number((last or nth)[1], _DAYS, text)  # type: ignore[index]
        if not 1 <= number <= 7:
            raise InvalidSchedule(text)
        position = -1 if last else int(nth[2]) - 1  # type: ignore[index]
        return lambda year, month: _nth(year, month, number, position)
    return _on_weekdays(_numbers(field, 1, 7, _DAYS, text))


def _on_weekdays(numbers: frozenset[int]) -> Days:
    return lambda year, month: {day for number in numbers for day in _all(year, month, number)}


def _all(year: int, month: int, number: int) -> list[int]:
    """All days of a month that are this day of the week."""
    first = (datetime(year, month, 1, tzinfo=UTC) + timedelta(days=1)).weekday() + 1
    begin = 1 + (number - (first if first <= 7 else 1)) % 7
    return list(range(begin, _length(year, month) + 1, 7))


def _nth(year: int, month: int, number: int, position: int) -> set[int]:
    days = _all(year, month, number)
    return {days[position]} if -len(days) <= position < len(days) else set()
