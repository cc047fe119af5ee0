"""The state of an alarm by its data points (CloudWatch User Guide, "Evaluating an alarm", "Configuring how CloudWatch
alarms treat missing data")."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.records.status import AlarmState

MORE = 2
"""Periods that are looked at beside EvaluationPeriods, where data is missing."""
COMPARISONS: dict[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", operator.gt),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}
Point = tuple[float, float]
"""The start of a period (seconds since the epoch), and the statistic's value in it."""


@dataclass(frozen=True)
class AlarmVerdict:
    """A state, why, and the points that it follows from."""

    state: AlarmState
    reason: str
    points: tuple[Point, ...] = ()


def is_executed(alarm: Mapping[str, Any]) -> bool:
    """Whether an alarm is of a kind that is evaluated here: one metric, compared with a number."""
    return alarm.get("ComparisonOperator") in COMPARISONS and alarm.get("Threshold") is not None


def evaluate(alarm: Mapping[str, Any], points: Sequence[Point], end: float, period: float) -> AlarmVerdict | None:
    """The state by the points of its evaluation range, oldest first; None where it stays as it is.

    `end` is when the newest period of `period` seconds ends. As few points as possible count as missing.
    """
    periods = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    words, compare = COMPARISONS[alarm["ComparisonOperator"]]
    threshold = float(alarm["Threshold"])
    recent = tuple(points[-periods:])
    breaching = [point for point in recent if compare(point[1], threshold)]
    missing = periods - len(recent)
    treatment = alarm.get("TreatMissingData") or "missing"
    if not recent and treatment in ("missing", "ignore"):
        return AlarmVerdict(AlarmState.INSUFFICIENT_DATA, _absent(periods)) if treatment == "missing" else None
    count = len(breaching) + (missing if treatment == "breaching" else 0)
    alarms = count >= needed
    if not alarms and missing and treatment in ("missing", "ignore") and len(breaching) == len(recent):
        # Nothing but breaching points: an alarm once the oldest is as old as the points that are needed.
        if treatment == "ignore" or (end - recent[0][0]) / period < needed:
            return None
        alarms = True
    state = AlarmState.ALARM if alarms else AlarmState.OK
    return AlarmVerdict(state, _reason(recent, breaching, periods, needed, words, threshold, missing, state), recent)


def _absent(periods: int) -> str:
    noun = "datapoint was" if periods == 1 else "datapoints were"
    return f"Insufficient Data: {periods} {noun} unknown."


def _reason(
    recent: Sequence[Point], breaching: Sequence[Point], periods: int, needed: int, words: str, threshold: float,
    missing: int, state: AlarmState,
) -> str:  # fmt: skip
    """The reason as CloudWatch words it."""
    minimum = f"(minimum {needed} datapoint{'' if needed == 1 else 's'} for "
    way = f"{minimum}{'OK -> ALARM' if state == AlarmState.ALARM else 'ALARM -> OK'} transition)."
    if not recent:
        treated = "Breaching" if state == AlarmState.ALARM else "NonBreaching"
        noun = "no datapoints were received"
        return f"Threshold Crossed: {noun} for {periods} period{'' if periods == 1 else 's'} and {periods} missing " \
               f"datapoint{'' if periods == 1 else 's'} were treated as [{treated}]."  # fmt: skip
    shown = breaching if state == AlarmState.ALARM else [point for point in recent if point not in breaching]
    listed = ", ".join(f"{value} ({_text(start)})" for start, value in reversed(shown))
    verb = "was" if len(shown) == 1 else "were"
    negation = "" if state == AlarmState.ALARM else " not"
    count = len(shown) + (missing if state == AlarmState.ALARM and not breaching else 0)
    noun = "datapoint" if periods == 1 else "datapoints"
    return (
        f"Threshold Crossed: {count} out of the last {periods} {noun} [{listed}] {verb}{negation} {words} the "
        f"threshold ({threshold}) {way}"
    )


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d/%m/%y %H:%M:%S")
