"""Monitoring: which endpoints drift; schedules with their executions, violations and trends."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.states import MONITORS
from local_sagemaker.studio.views.times import seconds

_BY_HAND = re.compile(r"(.+-now-)\d+")
_LONGEST_BASE = 63 - len("-now-1234567890123456")
"""What of a schedule's name fits into those of its runs by hand."""
KINDS = tuple(MONITORS.items())


@dataclass(frozen=True)
class MonitorRow:
    """A schedule with its newest execution."""

    name: str
    href: str
    kind: str
    endpoint: str
    status: str
    newest: str
    at: float | None
    schedule: str


@dataclass(frozen=True)
class MonitoringContext:
    """What the overview of monitoring shows."""

    rows: list[MonitorRow] = field(metadata={"help": "schedules"})
    matrix: list[tuple[str, list[tuple[str, str]]]] = field(metadata={"help": "endpoint x monitor: state and address"})
    kinds: tuple[tuple[str, str], ...] = field(metadata={"help": "the four monitors"})


def load(visit: Visit) -> MonitoringContext:
    """ListMonitoringSchedules with the newest execution of each."""
    rows = schedule_rows(visit)
    names = [
        item["EndpointName"] for item in items_or_none(visit, "sagemaker:ListEndpoints", "Endpoints", 50, MaxResults=50)
    ]
    names += [row.endpoint for row in rows if row.endpoint and row.endpoint not in names]
    matrix = []
    for name in dict.fromkeys(names):
        cells = []
        for kind, _ in KINDS:
            own = [row for row in rows if row.endpoint == name and row.kind == kind]
            newest = max(own, key=lambda row: (bool(row.newest), row.at or 0.0), default=None)
            cells.append((newest.newest or newest.status, newest.href) if newest else ("", ""))
        matrix.append((name, cells))
    return MonitoringContext(rows, matrix, KINDS)


def schedule_rows(visit: Visit, **wanted: str) -> list[MonitorRow]:
    """ListMonitoringSchedules (with these filters), and the newest execution of each."""
    listed = list_schedules(visit, **wanted)
    names = [item["MonitoringScheduleName"] for item in listed]
    return [_row(visit, item, names) for item in listed]


def list_schedules(visit: Visit, **wanted: str) -> list[dict[str, Any]]:
    """ListMonitoringSchedules, with these filters."""
    return items_or_none(
        visit, "sagemaker:ListMonitoringSchedules", "MonitoringScheduleSummaries", 300, MaxResults=100, **wanted
    )


def _row(visit: Visit, item: dict[str, Any], schedules: Collection[str]) -> MonitorRow:
    name = item["MonitoringScheduleName"]
    executions = executions_of(visit, name, 1)
    newest = executions[0] if executions else {}
    return MonitorRow(
        name, urls.to("monitoring", name), item.get("MonitoringType", ""), item.get("EndpointName", ""),
        item.get("MonitoringScheduleStatus", ""), newest.get("MonitoringExecutionStatus", ""),
        seconds(newest.get("ScheduledTime") or item.get("CreationTime")), schedule_of(name, schedules),
    )  # fmt: skip


def run_prefix(schedule: str) -> str:
    """How the names of a schedule's runs by hand begin: with its name, of a long one the beginning and a hash."""
    if len(schedule) > _LONGEST_BASE:
        digest = hashlib.sha256(schedule.encode()).hexdigest()[:8]
        schedule = f"{schedule[: _LONGEST_BASE - len(digest) - 1]}-{digest}"
    return f"{schedule}-now-"


def schedule_of(name: str, schedules: Collection[str]) -> str:
    """Which of the schedules a run by hand was made of; other names as they are."""
    run = _BY_HAND.fullmatch(name)
    return next((one for one in schedules if run and run_prefix(one) == run[1]), name)


def executions_of(visit: Visit, schedule: str, most: int) -> list[dict[str, Any]]:
    """The newest executions of a schedule."""
    return items_or_none(
        visit, "sagemaker:ListMonitoringExecutions", "MonitoringExecutionSummaries", most,
        MonitoringScheduleName=schedule, SortBy="ScheduledTime", SortOrder="Descending", MaxResults=min(most, 100),
    )  # fmt: skip


PAGE = Page(
    "/monitoring", load, "monitoring.html", "Monitoring",
    live=lambda _visit, _context: ("processing-job:", "endpoint:", "monitoring-schedule:"),
)  # fmt: skip
