"""When monitoring schedules are due, which hours they look at, and which forms are refused (DEL-37)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local_sagemaker.errors import ValidationError
from local_sagemaker.monitoring.schedule_times import Timetable, check_now, duration, parse
from local_sagemaker.monitoring.windows import AnalysisWindow, text_of


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("expression", "following", "period"),
    [
        ("cron(0 * ? * * *)", "2026-01-09T14:00:00", 3600),
        ("cron(0 0 ? * * *)", "2026-01-10T00:00:00", 86_400),
        ("cron(0 17 ? * * *)", "2026-01-09T17:00:00", 86_400),
        ("cron(0 17/6 ? * * *)", "2026-01-09T17:00:00", 21_600),
        ("cron(0 0/1 ? * * *)", "2026-01-09T14:00:00", 3600),
        ("cron(0 00/12 ? * * *)", "2026-01-10T00:00:00", 43_200),
    ],
)
def test_the_forms_of_model_monitor(expression: str, following: str, period: int) -> None:
    timetable = parse({"ScheduleExpression": expression})
    assert isinstance(timetable, Timetable)
    assert text_of(timetable.next(at("2026-01-09T13:20:00"))) == f"{following}Z"
    assert timetable.period == period


def test_a_schedule_without_a_time_runs_once_a_day() -> None:
    timetable = parse(None)
    assert timetable is not None
    assert timetable.period == 86_400


@pytest.mark.parametrize(
    "expression",
    ["cron(5 * ? * * *)", "cron(0 24 ? * * *)", "cron(0 0/0 ? * * *)", "cron(0 0/25 ? * * *)", "rate(1 hour)", "now",
     "cron(0 * * * ? *)", "cron(0 1,2 ? * * *)"],
)  # fmt: skip
def test_other_forms_are_refused(expression: str) -> None:
    with pytest.raises(ValidationError, match="ScheduleExpression"):
        parse({"ScheduleExpression": expression})


@pytest.mark.parametrize(
    ("start", "end"), [("-PT1H", None), (None, "-PT0H"), ("-PT0H", "-PT1H"), ("-PT25H", "-PT0H"), ("x", "-PT0H")]
)
def test_now_needs_a_window_of_a_day_at_most(start: str | None, end: str | None) -> None:
    given = {"DataAnalysisStartTime": start, "DataAnalysisEndTime": end}
    config = {"ScheduleExpression": "NOW", **{name: text for name, text in given.items() if text}}
    with pytest.raises(ValidationError):
        parse(config)


def test_now_is_relative_to_its_run() -> None:
    assert check_now({"DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}) == (-3600, 0)


def test_the_newest_time_that_has_passed() -> None:
    timetable = Timetable((2, 14), 43_200)
    assert text_of(timetable.last(at("2026-01-09T01:00:00"))) == "2026-01-08T14:00:00Z"
    assert text_of(timetable.last(at("2026-01-09T14:00:00"))) == "2026-01-09T14:00:00Z"


def test_offsets_shift_the_window_as_the_guide_says() -> None:
    window = AnalysisWindow(at("2020-01-09T12:00:00"), at("2020-01-09T13:00:00"))
    moved = window.with_offsets({"StartTimeOffset": "-P8D", "EndTimeOffset": "-P1D"})
    assert (text_of(moved.start), text_of(moved.end)) == ("2020-01-01T13:00:00Z", "2020-01-08T13:00:00Z")


def test_the_hours_of_a_window() -> None:
    assert AnalysisWindow(at("2026-01-09T12:00:00"), at("2026-01-09T13:00:00")).hours() == ["2026/01/09/12"]
    assert AnalysisWindow(at("2026-01-09T12:20:00"), at("2026-01-09T13:20:00")).hours() == [
        "2026/01/09/12",
        "2026/01/09/13",
    ]


def test_a_window_that_ends_within_a_second_holds_the_records_of_that_second() -> None:
    """Records tell whole seconds, and so do the variables of jobs: half a second after a record, NOW must find it."""
    window = AnalysisWindow.of_whole_seconds(at("2026-01-09T12:00:10") + 0.5, at("2026-01-09T13:00:10") + 0.5)
    assert (text_of(window.start), text_of(window.end)) == ("2026-01-09T12:00:10Z", "2026-01-09T13:00:11Z")
    at_the_hour = AnalysisWindow.of_whole_seconds(at("2026-01-09T12:00:00"), at("2026-01-09T12:59:59") + 0.5)
    assert at_the_hour.hours() == ["2026/01/09/12"]


@pytest.mark.parametrize(("text", "seconds"), [("-P8D", -691_200), ("PT1H30M", 5400), ("-PT0H", 0), ("P1DT1S", 86_401)])
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds
