"""What portable monitors take of a stage's configuration: the length of their window, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Mapping

from delivery.stages.configuration import ConfigurationError

HOURLY = "cron(0 * ? * * *)"
DAY = 24  # hours
OFFSETS = ("ModelQualityStartTimeOffset", "ModelQualityEndTimeOffset")
_CRON = re.compile(r"cron\(0 (\*|(\d{1,2})(?:/(\d{1,2}))?) \? \* \* \*\)")


def find_hours(parameters: Mapping[str, str]) -> int:
    """Hours from one run of the pipeline to the next, which are its window.

    :raises ConfigurationError: for an expression without one interval.
    """
    expression = parameters.get("DataQualityScheduleExpression") or HOURLY
    match = _CRON.fullmatch(expression)
    if match and match[1] == "*":
        return 1
    if match and int(match[2]) < DAY:
        if not match[3]:
            return DAY
        hours = int(match[3])
        if int(match[2]) < hours < DAY and DAY % hours == 0:
            return hours
    raise ConfigurationError(
        f"DataQualityScheduleExpression: portable monitors do not run at {expression}: every hour as {HOURLY}, every 6 "
        "hours as cron(0 0/6 ? * * *) (a number that divides 24, from an hour below it), or daily as cron(0 5 ? * * *)"
    )


def refuse_others(parameters: Mapping[str, str]) -> None:
    """Refuses what only Model Monitor does.

    :raises ConfigurationError: with one line per parameter.
    """
    expression = parameters.get("DataQualityScheduleExpression") or HOURLY
    mistakes = [f"{name}: labels are those of the window" for name in OFFSETS if parameters.get(name)]
    if parameters.get("FeaturesAttribute"):
        mistakes.append("FeaturesAttribute: all columns of the rows are features")
    if parameters.get("MonitoringJobInstanceCount", "1") != "1":
        mistakes.append("MonitoringJobInstanceCount: a job has one instance")
    for kind in ("ModelQuality", "ModelBias", "ModelExplainability"):
        name = f"{kind}ScheduleExpression"
        if parameters.get(name, expression) != expression:
            mistakes.append(f"{name}: all checks run at DataQualityScheduleExpression, {expression}")
    if mistakes:
        raise ConfigurationError("\n".join(f"portable monitors do not take {mistake}" for mistake in mistakes))
