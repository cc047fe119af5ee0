"""The monitoring of a region for people: what `local-sagemaker monitor` shows and does."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.objects import uris
from local_sagemaker.records.own_members import own_monitoring_schedule
from local_sagemaker.records.status import MonitoringStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.object_reader import read_object
from local_sagemaker.services.sagemaker.monitoring.schedules import MonitoringSchedules

_LARGEST = 8 << 20
"""Bytes of a report of violations that are read."""


class Monitors:
    """Schedules and executions as texts."""

    def __init__(self, schedules: MonitoringSchedules, call: Call) -> None:
        self._schedules, self._call = schedules, call

    def overview(self) -> dict[str, Any]:
        """All schedules, as rows."""
        return {"monitors": [_row(body) for body in self._schedules.all()]}

    def run(self, schedule: str) -> dict[str, Any]:
        """Begins an execution of a schedule now."""
        return self.execution(self._schedules.run(schedule))

    def execution(self, key: str) -> dict[str, Any]:
        """An execution, with its key, its output and its violations."""
        body = self._schedules.execution(key)
        return {**body, "key": key, **self._reports(body)}

    def _reports(self, body: Body) -> dict[str, Any]:
        arn = body.get("ProcessingJobArn")
        if not arn:
            return {}
        job = self._call("sagemaker:DescribeProcessingJob", {"ProcessingJobName": arn.rpartition("/")[2]})
        output = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        overview: dict[str, Any] = {"output": output}
        if body["MonitoringExecutionStatus"] == MonitoringStatus.COMPLETED_WITH_VIOLATIONS:
            bucket, prefix = uris.split(output)
            try:
                key = f"{prefix.rstrip('/')}/constraint_violations.json"
                text = read_object(self._call, bucket, key, None, _LARGEST)
                overview["violations"] = load(text or b"")["violations"]
            except (ServiceError, ValueError, KeyError):
                overview["violations"] = []
        return overview


def _row(body: Body) -> dict[str, Any]:
    timing = body["MonitoringScheduleConfig"].get("ScheduleConfig", {})
    newest = body.get("LastMonitoringExecutionSummary")
    due = own_monitoring_schedule(body).get("_due")
    return {
        "name": body["MonitoringScheduleName"],
        "type": body["MonitoringType"],
        "status": body["MonitoringScheduleStatus"],
        "endpoint": body.get("EndpointName", ""),
        "expression": timing.get("ScheduleExpression", "once a day"),
        "next": iso(due)[:19] + "Z" if due else "",
        "newest": f"{newest['MonitoringExecutionStatus']} of {iso(newest['ScheduledTime'])[:19]}Z" if newest else "",
        "missed": own_monitoring_schedule(body).get("_missed", 0),
    }
