"""The records of monitoring schedules and of their executions."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MONITORING_SCHEDULE
from local_sagemaker.records.status import MonitoringStatus
from local_sagemaker.records.store import Body, public

EXECUTION = "monitoring-execution"


def is_running(body: Body) -> bool:
    """Whether an execution has not ended."""
    return not MonitoringStatus(body["MonitoringExecutionStatus"]).is_final


class ExecutionRecords:
    """Executions by schedule, in the order in which they were made; they outlive their schedule, as on AWS."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def add(self, schedule: Body, scheduled: float, **own: Any) -> str:
        """A new execution, Pending; its key. `own` are members of the service's own."""
        moment, config = now(), schedule["MonitoringScheduleConfig"]
        key = f"{schedule['MonitoringScheduleName']}/{secrets.token_hex(12)}"
        body = {
            "MonitoringScheduleName": schedule["MonitoringScheduleName"], "ScheduledTime": scheduled,
            "CreationTime": moment, "LastModifiedTime": moment, "MonitoringExecutionStatus": MonitoringStatus.PENDING,
            "EndpointName": schedule.get("EndpointName"), "MonitoringType": schedule.get("MonitoringType"),
            "MonitoringJobDefinitionName": config.get("MonitoringJobDefinitionName"), **own,
        }  # fmt: skip
        with self.records.transaction():
            self.records.insert(EXECUTION, key, {name: value for name, value in body.items() if value is not None})
            self._show(key)
        return key

    def change(self, key: str, change: Callable[[Body], None]) -> Body | None:
        """Changes an execution, and what its schedule shows of it."""

        def apply(body: Body) -> None:
            change(body)
            body["LastModifiedTime"] = now()

        with self.records.transaction():
            body = self.records.update(EXECUTION, key, apply)
            if body is not None:
                self._show(key)
        return body

    def get(self, key: str) -> Body | None:
        """An execution."""
        return self.records.get(EXECUTION, key)

    def items(self, schedule: str = "") -> list[tuple[str, Body]]:
        """The executions of a schedule, or all; oldest first."""
        return self.records.items(EXECUTION, f"{schedule}/" if schedule else "")

    def list_unfinished(self) -> list[str]:
        """The keys of those that have not ended."""
        return [key for key, body in self.items() if is_running(body)]

    def busy(self, schedule: str) -> bool:
        """Whether an execution of a schedule has not ended."""
        return any(is_running(body) for _, body in self.items(schedule))

    def _show(self, key: str) -> None:
        body = self.get(key)
        if body is None:
            return

        def show(schedule: Body) -> None:
            schedule["LastMonitoringExecutionSummary"] = public(body)

        self.records.update(MONITORING_SCHEDULE.kind, body["MonitoringScheduleName"], show)
