"""The records of schedules, their groups, and the requests that they are to make."""

from __future__ import annotations

from local_sagemaker.api.operations import Request
from local_sagemaker.arns import Arns
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body
from local_sagemaker.services.request_tokens import RequestTokens, TokenRules

SCHEDULE, GROUP, FIRED = "scheduler-schedule", "scheduler-group", "scheduler-request"
DEFAULT = "default"


class SchedulerError(ServiceError):
    """An error of Scheduler's model."""

    status = 400


def already_exists(_member: str, operation: str, request: Request) -> SchedulerError:
    """The name that a request would give is taken, also by what its token made with other members."""
    noun = "Schedule group" if operation == "CreateScheduleGroup" else "Schedule"
    return SchedulerError(f"{noun} {request['Name']} already exists.", code="ConflictException", status=409)


class ScheduleStore:
    """Schedules by ``group/name``."""

    def __init__(self, records: Records, arns: Arns) -> None:
        self.records, self._arns = records, arns
        self.tokens = RequestTokens(records, TokenRules("ClientToken", mismatch=already_exists))

    def arn(self, group: str, name: str) -> str:
        """A schedule's ARN."""
        return self._arns.of("scheduler", f"schedule/{group}/{name}")

    def group_arn(self, name: str) -> str:
        """A group's ARN."""
        return self._arns.of("scheduler", f"schedule-group/{name}")

    def group(self, name: str) -> Body:
        """A group; the default one always exists. Raises ResourceNotFoundException."""
        body = self.records.get(GROUP, name)
        if body is None and name == DEFAULT:
            arn = self.group_arn(DEFAULT)
            return {"Name": DEFAULT, "Arn": arn, "State": "ACTIVE", "CreationDate": 0.0, "LastModificationDate": 0.0}
        if body is None:
            text = f"Schedule group {name} does not exist."
            raise SchedulerError(text, code="ResourceNotFoundException", status=404)
        return body

    def find(self, group: str, name: str) -> Body | None:
        """A schedule, None when there is none."""
        return self.records.get(SCHEDULE, f"{group}/{name}")

    def schedule(self, group: str, name: str) -> Body:
        """A schedule. Raises ResourceNotFoundException."""
        body = self.find(group, name)
        if body is None:
            text = f"Schedule {name} does not exist."
            raise SchedulerError(text, code="ResourceNotFoundException", status=404)
        return body

    def schedules(self, group: str | None = None) -> list[Body]:
        """All schedules (of a group)."""
        return self.records.list(SCHEDULE, f"{group}/" if group else "")

    def put(self, body: Body) -> None:
        """Writes a schedule."""
        self.records.put(SCHEDULE, f"{body['GroupName']}/{body['Name']}", body)

    def delete(self, group: str, name: str) -> None:
        """Removes a schedule."""
        self.records.delete(SCHEDULE, f"{group}/{name}")
