"""A composite alarm's suppressor over time: the wait for it, its ALARM, the extension (CloudWatch user guide)."""

from __future__ import annotations

import pytest

from local_sagemaker.services.cloudwatch.alarm_suppression import Suppression, suppressor

ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:maintenance"


def times(wait: int, extension: int, *steps: tuple[float, bool, bool]) -> list[str]:
    """What holds the actions back at each step: (time, whether the suppressor is in ALARM, whether actions are due)."""
    alarm = {"ActionsSuppressorWaitPeriod": wait, "ActionsSuppressorExtensionPeriod": extension}
    state, found = Suppression(), []
    for moment, in_alarm, due in steps:
        state = Suppression(**state.advance(alarm, in_alarm=in_alarm, due=due, moment=moment).dump())
        found.append(state.by)
    return found


@pytest.mark.parametrize(
    ("periods", "steps", "expected"),
    [
        ((60, 60), [(0, False, False), (1, False, True), (60, False, True), (61, False, True)],
         ["", "WaitPeriod", "WaitPeriod", ""]),
        ((60, 60), [(0, False, True), (30, True, True), (99, True, True), (100, False, True), (159, False, True),
                    (160, False, True)],
         ["WaitPeriod", "Alarm", "Alarm", "ExtensionPeriod", "ExtensionPeriod", ""]),
        ((60, 60), [(0, True, False), (10, False, False), (20, True, False), (30, False, False), (90, False, False)],
         ["Alarm", "ExtensionPeriod", "Alarm", "ExtensionPeriod", ""]),
        ((0, 0), [(0, False, True), (1, True, True), (2, False, True)], ["", "Alarm", ""]),
    ],
)  # fmt: skip
def test_what_suppresses_actions(
    periods: tuple[int, int], steps: list[tuple[float, bool, bool]], expected: list[str]
) -> None:
    assert times(*periods, *steps) == expected


def test_suppressors_are_named_by_name_or_arn() -> None:
    assert [suppressor({"ActionsSuppressor": value}) for value in (ARN, "maintenance", "", None)] == [
        "maintenance", "maintenance", "", "",
    ]  # fmt: skip
