"""Monitoring schedules: made, changed, started, stopped, deleted, listed; with the list of their executions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceInUse, ResourceNotFound, ValidationError, WrongStatus
from local_sagemaker.monitoring import schedule_times
from local_sagemaker.monitoring.definition import DATA_QUALITY, from_schedule
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MONITORING_SCHEDULE
from local_sagemaker.records.own_members import MonitoringScheduleRecord
from local_sagemaker.records.status import ScheduleStatus
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.monitoring.execution_records import ExecutionRecords
from local_sagemaker.services.sagemaker.monitoring.execution_steps import definition_of
from local_sagemaker.services.sagemaker.monitoring.job_definitions import check_definition, check_source
from local_sagemaker.services.sagemaker.monitoring.schedule_runs import ScheduleRuns
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags

_SUMMARY = (
    "MonitoringScheduleName", "MonitoringScheduleArn", "CreationTime", "LastModifiedTime", "MonitoringScheduleStatus",
    "EndpointName", "MonitoringJobDefinitionName", "MonitoringType",
)  # fmt: skip


class MonitoringSchedules(Resource):
    """The operations on schedules. `flush` writes out what endpoints have captured so far."""

    def __init__(
        self, *, settings: Settings, records: Records, tags: Tags, call: Call, flush: Callable[[], None]
    ) -> None:
        self._call = call
        self._schedules = ResourceRecords(
            MONITORING_SCHEDULE, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: ResourceNotFound(f"Monitoring Schedule {arn} not found"),
            taken=lambda _, arn: ResourceInUse(f'Cannot create already existing monitoring schedule "{arn}".'),
        )  # fmt: skip
        self._executions = ExecutionRecords(records)
        self._runs = ScheduleRuns(settings=settings, executions=self._executions, call=call, flush=flush)
        self._runs.adopt()

    @operation("CreateMonitoringSchedule")
    def create(self, request: Request) -> Response:
        """Adds a schedule, which begins at once."""
        name, config = request["MonitoringScheduleName"], request["MonitoringScheduleConfig"]
        self._schedules.refuse_taken(name)
        moment = now()
        body = {
            "MonitoringScheduleName": name, "MonitoringScheduleArn": self._schedules.arn(name),
            "MonitoringScheduleStatus": ScheduleStatus.PENDING, "CreationTime": moment, "LastModifiedTime": moment,
            **self._members_of(config), **MonitoringScheduleRecord(_due=due_of(config, moment)),
        }  # fmt: skip
        self._schedules.insert(body, request.get("Tags"))
        self._runs.wake()
        return {"MonitoringScheduleArn": body["MonitoringScheduleArn"]}

    @operation("UpdateMonitoringSchedule")
    def update(self, request: Request) -> Response:
        """Gives a schedule another configuration; its next time is counted anew."""
        body = self._require_settled(request)
        config = request["MonitoringScheduleConfig"]
        members = self._members_of(config)

        def change(schedule: Body) -> None:
            schedule.pop("MonitoringType", None)
            schedule.pop("EndpointName", None)
            schedule.update(members, LastModifiedTime=now(), _due=due_of(config, now()))

        self._schedules.update(body["MonitoringScheduleName"], change)
        self._runs.wake()
        return {"MonitoringScheduleArn": body["MonitoringScheduleArn"]}

    @operation("DescribeMonitoringSchedule")
    def describe(self, request: Request) -> Response:
        """The schedule with its newest execution."""
        return public(self._schedules.require(request["MonitoringScheduleName"]))

    @operation("StartMonitoringSchedule", atomic=True)
    def start(self, request: Request) -> Response:
        """Lets a stopped schedule run again, from now on."""
        body = self._require_settled(request)
        if body["MonitoringScheduleStatus"] != ScheduleStatus.SCHEDULED:
            due = due_of(body["MonitoringScheduleConfig"], now())
            self._set(body, MonitoringScheduleStatus=ScheduleStatus.SCHEDULED, _due=due)
        self._runs.wake()
        return {}

    @operation("StopMonitoringSchedule", atomic=True)
    def stop(self, request: Request) -> Response:
        """Stops a schedule; an execution that has begun continues."""
        body = self._require_settled(request)
        self._set(body, MonitoringScheduleStatus=ScheduleStatus.STOPPED, _due=None)
        return {}

    @operation("DeleteMonitoringSchedule", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets a schedule; the history of its executions stays (API reference)."""
        body = self._require_settled(request)
        self._schedules.delete(body["MonitoringScheduleName"])
        return {}

    @operation("ListMonitoringSchedules")
    def list_schedules(self, request: Request) -> Response:
        """Newest first unless the request says otherwise."""
        bodies = [_flat(body) for body in self._executions.records.list(MONITORING_SCHEDULE.kind)]
        bodies = _match(bodies, request)
        bodies = select(bodies, request, name="MonitoringScheduleName", status="MonitoringScheduleStatus")
        members = {"Name": "MonitoringScheduleName", "Status": "MonitoringScheduleStatus"}
        chosen, token = page(order(bodies, request, members=members), request)
        return {"MonitoringScheduleSummaries": [pick(body, *_SUMMARY) for body in chosen], **token}

    @operation("ListMonitoringExecutions")
    def list_executions(self, request: Request) -> Response:
        """Newest first unless the request says otherwise."""
        schedule = request.get("MonitoringScheduleName", "")
        bodies = _match([public(body) for _, body in self._executions.items(schedule)], request)
        before, after = request.get("ScheduledTimeBefore"), request.get("ScheduledTimeAfter")
        bodies = [body for body in bodies if before is None or body["ScheduledTime"] < before]
        bodies = [body for body in bodies if after is None or body["ScheduledTime"] > after]
        bodies = select(bodies, request, name="MonitoringScheduleName", status="MonitoringExecutionStatus")
        members = {"ScheduledTime": "ScheduledTime", "Status": "MonitoringExecutionStatus"}
        chosen, token = page(order(bodies, request, members=members), request)
        return {"MonitoringExecutionSummaries": chosen, **token}

    def all(self) -> list[Body]:
        """All schedules as they are kept."""
        return self._executions.records.list(MONITORING_SCHEDULE.kind)

    def execution(self, key: str) -> Body:
        """An execution by its key."""
        return public(self._executions.get(key) or {})

    def run(self, name: str) -> str:
        """Begins an execution now, whatever the schedule's times; its key."""
        body = self._schedules.require(name)
        if self._executions.busy(body["MonitoringScheduleName"]):
            raise WrongStatus(f"An execution of {name} is running; see 'local-sagemaker monitor list'.")
        key = self._runs.begin(body, now())
        self._runs.wake()
        return key

    def resume(self) -> None:
        """Begins to look at the clock, and takes up executions that a crash interrupted."""
        self._runs.start()

    def reset(self) -> None:
        """Ends the thread before the records are removed, and lets it look again at what will be new."""
        self._runs.stop()
        self._runs.start()

    def close(self) -> None:
        """Ends the thread."""
        self._runs.close()

    def _members_of(self, config: dict[str, Any]) -> Body:
        """The members of a schedule that follow from its configuration. Raises what Create and Update refuse."""
        schedule_times.parse(config.get("ScheduleConfig"))
        if ("MonitoringJobDefinition" in config) == ("MonitoringJobDefinitionName" in config):
            raise ValidationError(
                "Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName must be specified."
            )
        if "MonitoringJobDefinition" in config:
            check_source(config["MonitoringJobDefinition"]["MonitoringInputs"][0])
            definition = from_schedule(config)
            check_definition(definition, self._call)
        elif "MonitoringType" not in config:
            raise ValidationError("MonitoringType is required with MonitoringJobDefinitionName.")
        else:
            definition = definition_of(config, self._call)
        body = {"MonitoringScheduleConfig": config, "MonitoringType": definition.type or DATA_QUALITY}
        return {**body, "EndpointName": definition.endpoint} if definition.endpoint else body

    def _require_settled(self, request: Request) -> Body:
        body = self._schedules.require(request["MonitoringScheduleName"])
        if body["MonitoringScheduleStatus"] == ScheduleStatus.PENDING:
            raise WrongStatus("Monitoring schedule in status Pending")  # recorded of DeleteMonitoringSchedule
        return body

    def _set(self, body: Body, **members: Any) -> None:
        self._schedules.update(
            body["MonitoringScheduleName"], lambda latest: {**latest, **members, "LastModifiedTime": now()}
        )


def due_of(config: dict[str, Any], moment: float) -> float:
    """When a schedule that begins at a moment is due first."""
    timetable = schedule_times.parse(config.get("ScheduleConfig"))
    return moment if timetable is None else timetable.next(moment)


def _flat(body: Body) -> Body:
    """A schedule as lists show it: with the name of its job definition."""
    config = body["MonitoringScheduleConfig"]
    name = config.get("MonitoringJobDefinitionName")
    return {**body, "MonitoringJobDefinitionName": name} if name else body


def _match(bodies: list[Body], request: Request) -> list[Body]:
    for member, wanted in (
        ("EndpointName", "EndpointName"),
        ("MonitoringJobDefinitionName", "MonitoringJobDefinitionName"),
        ("MonitoringType", "MonitoringTypeEquals"),
    ):
        if wanted in request:
            bodies = [body for body in bodies if body.get(member) == request[wanted]]
    return bodies
