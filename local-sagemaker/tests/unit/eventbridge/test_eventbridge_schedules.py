"""Schedule expressions (DEL-36): when they are due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local_sagemaker.eventbridge.schedules import InvalidSchedule, parse


def due(text: str, after: str, zone: str = "UTC", **options: bool) -> str | None:
    seconds = datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()
    found = parse(text, zone, **options).next(seconds, 0.0)
    return None if found is None else datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("text", "after", "time"),
    [
        ("cron(0 * ? * * *)", "2026-11-29T10:00:00", "2026-11-29T11:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-28T10:00:00", "2026-11-30T18:00"),
        ("cron(15 10 ? * 6L *)", "2026-11-01T00:00:00", "2026-11-27T10:15"),
        ("cron(0 9 ? * 2#1 *)", "2026-11-03T00:00:00", "2026-12-07T09:00"),
        ("cron(0/15 8-17 L * ? 2026)", "2026-11-01T00:00:00", "2026-11-30T08:00"),
        ("cron(0 0 15W * ? *)", "2026-11-01T00:00:00", "2026-11-16T00:00"),
        ("cron(0 0 1 JAN ? *)", "2026-11-01T00:00:00", "2027-01-01T00:00"),
        ("cron(0 0 29 2 ? *)", "2026-11-01T00:00:00", "2028-02-29T00:00"),
        ("cron(0 0 1 1 ? 2026)", "2026-11-01T00:00:00", None),
        ("cron(5,35 14 * * ? *)", "2026-11-29T14:05:00", "2026-11-29T14:35"),
        ("cron(0 2 ? * SAT#3 *)", "2026-11-01T00:00:00", "2026-11-21T02:00"),
        ("cron(0 0 LW * ? *)", "2026-05-01T00:00:00", "2026-05-29T00:00"),
        ("cron(0 0 1W * ? *)", "2026-08-01T00:00:00", "2026-08-03T00:00"),
        ("cron(0 0 ? * L *)", "2026-11-29T10:00:00", "2026-12-05T00:00"),
        ("cron(0 0 ? * FRI-MON *)", "2026-11-24T10:00:00", "2026-11-27T00:00"),
        ("cron(0 22-2/2 * * ? *)", "2026-11-29T22:30:00", "2026-11-30T00:00"),
        ("cron(0-59/10 0-23/2 ? * * *)", "2026-11-29T01:00:00", "2026-11-29T02:00"),
        ("cron(15 10 ? * 6L 2002-2005)", "2026-11-29T01:00:00", None),
        ("rate(5 minutes)", "2026-11-29T10:01:00", "2026-11-29T10:05"),
        ("rate(1 day)", "2026-11-29T10:01:00", "2026-11-30T00:00"),
    ],
)
def test_the_next_time(text: str, after: str, time: str | None) -> None:
    assert due(text, after) == time


def test_local_times_that_do_not_exist_are_skipped_and_those_that_come_twice_are_once() -> None:
    new_york = "America/New_York"
    assert due("cron(30 2 * 3 ? *)", "2026-03-07T12:00:00", new_york) == "2026-03-09T06:30"
    assert due("cron(30 1 1 11 ? *)", "2026-11-01T00:00:00", new_york) == "2026-11-01T05:30"
    assert due("cron(30 1 1 11 ? 2026)", "2026-11-01T05:30:00", new_york) is None
    assert due("at(2026-07-01T09:00:00)", "2026-01-01T00:00:00", new_york, once=True) == "2026-07-01T13:00"


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "rate(5 seconds)", "cron(0 0 * * * *)",
        "cron(0 0 ? * ? *)", "cron(60 0 * * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 1 1 ?)", "at(2026-01-01T00:00:00)",
        "every day", "", "rate( 10 minutes )", " rate(10 minutes)", "rate(10 MINUTES)", "rate(-10 minutes)", "rate(10)",
        "cron(7 20 * * NOT *)", "cron(71 8 1 * ? *)", "cron()", "cron(0 0 ? * 3#6 *)", "cron(0 0 32W * ? *)",
    ],
)  # fmt: skip
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(InvalidSchedule):
        parse(text)
