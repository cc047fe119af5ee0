"""When a schedule is due: expression, time zone, bounds, flexible window."""

from __future__ import annotations

import random

from local_sagemaker.api.operations import Request
from local_sagemaker.eventbridge import schedules
from local_sagemaker.records.own_members import own_schedule
from local_sagemaker.records.store import Body
from local_sagemaker.services.scheduler.store import SchedulerError

LATEST_START = 300.0
"""Seconds by which a new schedule's StartDate may have passed (seen: AWS's text)."""


def parse(body: Body) -> schedules.Schedule:
    """The schedule of a body. Raises `InvalidSchedule`."""
    zone = body.get("ScheduleExpressionTimezone", "UTC")
    return schedules.parse(body["ScheduleExpression"], zone, strict_units=False, once=True)


def check_times(request: Request) -> None:
    """Refuses expressions, zones, bounds and windows that mean nothing."""
    expression, zone = request["ScheduleExpression"], request.get("ScheduleExpressionTimezone", "UTC")
    try:
        schedules.zone(zone)
    except schedules.InvalidSchedule as error:
        text = f"The given ScheduleExpressionTimezone is not valid: {zone}."
        raise SchedulerError(text, code="ValidationException") from error
    try:
        parse(request)
    except schedules.InvalidSchedule as error:
        raise SchedulerError(f"Invalid Schedule Expression {expression}.", code="ValidationException") from error
    window = request["FlexibleTimeWindow"]
    minutes = window.get("MaximumWindowInMinutes")
    if (window["Mode"] == "FLEXIBLE") != (minutes is not None):
        must = "must be" if minutes is None else "must not be"
        text = f"MaximumWindowInMinutes {must} provided when FlexibleTimeWindowMode is set to {window['Mode']}."
        raise SchedulerError(text, code="ValidationException")
    start, end = request.get("StartDate"), request.get("EndDate")
    if start is not None and end is not None and start >= end:
        raise SchedulerError("The StartDate you specify must come before the EndDate.", code="ValidationException")


def check_start(request: Request, moment: float) -> None:
    """Refuses a recurring schedule that was to begin before now; one-time schedules have no bounds."""
    start = request.get("StartDate")
    if start is None or isinstance(parse(request), schedules.Once):
        return
    if start < moment - LATEST_START:
        text = "The StartDate you specify cannot be earlier than 5 minutes ago."
        raise SchedulerError(text, code="ValidationException")


def first_time(body: Body, moment: float) -> float | None:
    """When a schedule that is made or changed now is due first: a rate without a start at once.
    One-time schedules have no bounds (API reference, StartDate and EndDate)."""
    schedule = parse(body)
    if isinstance(schedule, schedules.Once):
        return schedule.next(moment, moment)
    begin = body.get("StartDate")
    if isinstance(schedule, schedules.Rate):
        return _within(body, max(begin, moment) if begin is not None and begin > moment else moment)
    return _within(body, schedule.next(max(moment, (begin or 0) - 1), moment))


def next_time(body: Body, after: float) -> float | None:
    """When it is due next, behind a time at which it was due."""
    schedule = parse(body)
    if isinstance(schedule, schedules.Rate):
        return _within(body, schedule.next(after, own_schedule(body).get("_first", after)))
    return _within(body, schedule.next(after, after))


def _within(body: Body, time: float | None) -> float | None:
    end = body.get("EndDate")
    return None if time is None or (end is not None and time > end) else time


def delay(body: Body) -> float:
    """Seconds within the flexible window."""
    window = body["FlexibleTimeWindow"]
    return random.uniform(0, 60.0 * window["MaximumWindowInMinutes"]) if window["Mode"] == "FLEXIBLE" else 0.0
