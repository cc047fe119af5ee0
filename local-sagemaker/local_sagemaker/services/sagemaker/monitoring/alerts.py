"""Alerts of monitoring schedules: how many of the newest executions were bad (contracts: delivery 6.4)."""

from __future__ import annotations

import secrets

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.errors import ResourceNotFound
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MONITORING_SCHEDULE
from local_sagemaker.records.status import AlertStatus, MonitoringStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.monitoring.execution_records import ExecutionRecords, is_running

ALERT, HISTORY = "monitoring-alert", "monitoring-alert-history"
_BAD = (MonitoringStatus.FAILED, MonitoringStatus.COMPLETED_WITH_VIOLATIONS)
_LONGEST = 63  # of an alert's name


class MonitoringAlerts(Resource):
    """ListMonitoringAlerts, UpdateMonitoringAlert, ListMonitoringAlertHistory. A schedule has one alert."""

    def __init__(self, *, records: Records) -> None:
        self._records, self._executions = records, ExecutionRecords(records)

    @operation("ListMonitoringAlerts")
    def list_alerts(self, request: Request) -> Response:
        """The alert of a schedule."""
        chosen, token = page([self._alert(request)], request)
        return {"MonitoringAlertSummaries": chosen, **token}

    @operation("UpdateMonitoringAlert", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes how many executions make an alert, and of how many."""
        alert = self._alert(request)
        if request["MonitoringAlertName"] != alert["MonitoringAlertName"]:
            raise ResourceNotFound(f"Monitoring alert {request['MonitoringAlertName']} not found")
        name = request["MonitoringScheduleName"]
        changed = pick(request, "DatapointsToAlert", "EvaluationPeriod")
        self._records.put(ALERT, name, {**alert, **changed, "LastModifiedTime": now()})
        self.look(name)
        schedule = self._records.find(MONITORING_SCHEDULE.kind, name)
        assert schedule is not None
        return {
            "MonitoringScheduleArn": schedule[1]["MonitoringScheduleArn"],
            "MonitoringAlertName": alert["MonitoringAlertName"],
        }

    @operation("ListMonitoringAlertHistory")
    def list_history(self, request: Request) -> Response:
        """Changes of the alerts' statuses, newest first unless the request says otherwise."""
        bodies = self._records.list(HISTORY)
        for member in ("MonitoringScheduleName", "MonitoringAlertName"):
            if member in request:
                bodies = [body for body in bodies if body[member] == request[member]]
        bodies = select(bodies, request, name="MonitoringAlertName", status="AlertStatus")
        chosen, token = page(order(bodies, request, members={"Status": "AlertStatus"}), request)
        return {"MonitoringAlertHistory": chosen, **token}

    def look(self, schedule: str) -> None:
        """Counts a schedule's executions anew; called when one has ended."""
        alert = self._alert({"MonitoringScheduleName": schedule})
        ended = [body for _, body in self._executions.items(schedule) if not is_running(body)]
        newest = sorted(ended, key=lambda body: body["ScheduledTime"])[-alert["EvaluationPeriod"] :]
        bad = sum(body["MonitoringExecutionStatus"] in _BAD for body in newest)
        status = AlertStatus.IN_ALERT if bad >= alert["DatapointsToAlert"] else AlertStatus.OK
        if status == alert["AlertStatus"]:
            return
        moment = now()
        with self._records.transaction():
            self._records.put(ALERT, schedule, {**alert, "AlertStatus": status, "LastModifiedTime": moment})
            entry = {"MonitoringScheduleName": schedule, "MonitoringAlertName": alert["MonitoringAlertName"]}
            self._records.insert(
                HISTORY, f"{schedule}/{secrets.token_hex(8)}", {**entry, "CreationTime": moment, "AlertStatus": status}
            )

    def _alert(self, request: Request) -> Body:
        """The alert of a schedule that exists; one that was never changed follows from the schedule."""
        name = request["MonitoringScheduleName"]
        row = self._records.find(MONITORING_SCHEDULE.kind, name)
        if row is None:
            raise ResourceNotFound(f"Monitoring Schedule {name} not found")
        created = row[1]["CreationTime"]
        alert = self._records.get(ALERT, name)
        if alert is not None and alert["CreationTime"] == created:
            return alert
        return {
            "MonitoringAlertName": f"{name[: _LONGEST - 6]}-alert", "CreationTime": created,
            "LastModifiedTime": created, "AlertStatus": AlertStatus.OK, "DatapointsToAlert": 1, "EvaluationPeriod": 1,
            "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
        }  # fmt: skip
