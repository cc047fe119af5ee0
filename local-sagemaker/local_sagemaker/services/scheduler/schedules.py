"""Schedules: made, changed, described, listed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import own_schedule
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.pagination import page_rows
from local_sagemaker.services.scheduler.requests import check_target
from local_sagemaker.services.scheduler.schedule_runner import ScheduleRunner
from local_sagemaker.services.scheduler.store import DEFAULT, SCHEDULE, SchedulerError, ScheduleStore, already_exists
from local_sagemaker.services.scheduler.times import check_start, check_times, first_time


class Schedules(Resource):
    """The operations on schedules, whose thread begins and ends with the service."""

    def __init__(self, *, store: ScheduleStore, firing: ScheduleRunner, has: Callable[[str], bool]) -> None:
        """`has` says whether the service has an operation."""
        self._store, self._firing, self._has = store, firing, has

    def resume(self) -> None:
        """Begins to look at the clock; what a stop let pass is made up for."""
        self._firing.start()

    def reset(self) -> None:
        """Ends all work, for a service that continues empty."""
        self._firing.stop()
        self._firing.start()

    def close(self) -> None:
        """Ends all work; it is resumed at the next start."""
        self._firing.stop()

    @operation("CreateSchedule")
    def create(self, request: Request) -> Response:
        """Adds a schedule; the request that made it, sent again with its token, gets the same response."""
        group, name = request.get("GroupName", DEFAULT), request["Name"]
        self._store.group(group)
        tokens, scope = self._store.tokens, f"{group}/{name}"

        def exists(_: object = None) -> bool:
            return self._store.records.get(SCHEDULE, scope) is not None

        def refuse_another() -> None:
            if exists():
                raise already_exists("ClientToken", "CreateSchedule", request)

        def act() -> Response:
            self._store.group(group)
            refuse_another()
            return {"ScheduleArn": self._write(request, group, moment)}

        if earlier := tokens.earlier("CreateSchedule", request, scope=scope, exists=exists):
            return earlier
        refuse_another()
        moment = now()
        self._check(request)
        check_start(request, moment)
        response, _ = tokens.once("CreateSchedule", request, act, scope=scope, exists=exists)
        self._firing.wake()
        return response

    @operation("UpdateSchedule")
    def update(self, request: Request) -> Response:
        """Replaces a schedule: what the request lacks gets its default."""
        group, name = request.get("GroupName", DEFAULT), request["Name"]
        self._store.schedule(group, name)
        self._check(request)
        with self._store.records.transaction():
            arn = self._write(request, group, self._store.schedule(group, name)["CreationDate"])
        self._firing.wake()
        return {"ScheduleArn": arn}

    def _check(self, request: Request) -> None:
        """Outside of transactions: a target may need one of botocore's models, which takes up to a second to load."""
        check_times(request)
        check_target(request["Target"], self._has)

    def _write(self, request: Request, group: str, created: float) -> str:
        target = {
            **request["Target"],
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185,
                **request["Target"].get("RetryPolicy", {}),
            },
        }  # fmt: skip
        moment = now()
        body: Body = {
            "ActionAfterCompletion": "NONE", "ScheduleExpressionTimezone": "UTC", "State": SwitchState.ENABLED,
            **{key: value for key, value in request.items() if key != "ClientToken"}, "GroupName": group,
            "Arn": self._store.arn(group, request["Name"]), "Target": target, "CreationDate": created,
            "LastModificationDate": moment,
        }  # fmt: skip
        own_schedule(body)["_due"] = first_time(body, moment)
        self._store.put(body)
        return str(body["Arn"])

    @operation("GetSchedule")
    def get(self, request: Request) -> Response:
        """One schedule."""
        return public(self._store.schedule(request.get("GroupName", DEFAULT), request["Name"]))

    @operation("ListSchedules")
    def list(self, request: Request) -> Response:
        """All schedules (of a group, with a prefix, in a state)."""
        bodies = [
            body
            for body in self._store.schedules(request.get("GroupName"))
            if body["Name"].startswith(request.get("NamePrefix", "")) and request.get("State") in (None, body["State"])
        ]
        chosen, more = page_rows(
            bodies, request, partial(SchedulerError, code="ValidationException"), token="NextToken", size="MaxResults"
        )
        return {"Schedules": [_summary(body) for body in chosen], **more}

    @operation("DeleteSchedule", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a schedule; the request that removed it, sent again with its token, finds that done."""
        group, name = request.get("GroupName", DEFAULT), request["Name"]

        def act() -> Response:
            self._store.schedule(group, name)
            self._store.delete(group, name)
            return {}

        return self._store.tokens.once(
            "DeleteSchedule", {"ClientToken": request.get("ClientToken")}, act, scope=f"{group}/{name}",
            exists=lambda _: self._store.records.get(SCHEDULE, f"{group}/{name}") is None,
        )[0]  # fmt: skip


def _summary(body: Body) -> Body:
    members = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
    return {**{member: body[member] for member in members}, "Target": {"Arn": body["Target"]["Arn"]}}
