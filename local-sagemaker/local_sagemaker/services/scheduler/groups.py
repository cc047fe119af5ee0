"""Groups of schedules."""

from __future__ import annotations

from functools import partial

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import ScheduleGroupRecord, own_schedule_group
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.pagination import page_rows
from local_sagemaker.services.scheduler.store import (
    DEFAULT,
    GROUP,
    SCHEDULE,
    SchedulerError,
    ScheduleStore,
    already_exists,
)


class ScheduleGroups(Resource):
    """CreateScheduleGroup, GetScheduleGroup, ListScheduleGroups, DeleteScheduleGroup, and tags of groups."""

    def __init__(self, *, store: ScheduleStore) -> None:
        self._store = store

    @operation("CreateScheduleGroup", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds a group; the request that made it, sent again with its token, gets the same response."""
        name = request["Name"]
        return self._store.tokens.once(
            "CreateScheduleGroup", request, partial(self._create, request), scope=name, exists=lambda _: self._has(name)
        )[0]

    def _has(self, name: str) -> bool:
        return name == DEFAULT or self._store.records.get(GROUP, name) is not None

    def _create(self, request: Request) -> Response:
        name, moment = request["Name"], now()
        if self._has(name):
            raise already_exists("ClientToken", "CreateScheduleGroup", request)
        body = {
            "Name": name, "Arn": self._store.group_arn(name), "State": "ACTIVE", "CreationDate": moment,
            "LastModificationDate": moment, **ScheduleGroupRecord(
                _tags={tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
            ),
        }  # fmt: skip
        self._store.records.put(GROUP, name, body)
        return {"ScheduleGroupArn": body["Arn"]}

    @operation("GetScheduleGroup")
    def get(self, request: Request) -> Response:
        """One group."""
        return public(self._store.group(request["Name"]))

    @operation("ListScheduleGroups")
    def list(self, request: Request) -> Response:
        """All groups, the default one first."""
        bodies = [self._store.group(DEFAULT), *self._store.records.list(GROUP)]
        prefix = request.get("NamePrefix", "")
        groups = [public(body) for body in bodies if body["Name"].startswith(prefix)]
        refuse = partial(SchedulerError, code="ValidationException")
        chosen, more = page_rows(groups, request, refuse, token="NextToken", size="MaxResults")
        return {"ScheduleGroups": chosen, **more}

    @operation("DeleteScheduleGroup", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes a group with its schedules; the same request again, with its token, finds that done."""
        name = request["Name"]
        if name == DEFAULT:
            raise SchedulerError("The default schedule group can't be deleted.", code="ValidationException")

        def act() -> Response:
            self._store.group(name)
            self._store.records.delete_all(SCHEDULE, f"{name}/")
            self._store.records.delete(GROUP, name)
            return {}

        return self._store.tokens.once(
            "DeleteScheduleGroup", request, act, scope=name, exists=lambda _: not self._has(name)
        )[0]

    def _by_arn(self, arn: str) -> Body:
        return self._store.group(arn.rpartition("schedule-group/")[2])

    @operation("TagResource", atomic=True)
    def tag(self, request: Request) -> Response:
        """Adds tags."""
        body = self._by_arn(request["ResourceArn"])
        tags = {**own_schedule_group(body).get("_tags", {}), **{tag["Key"]: tag["Value"] for tag in request["Tags"]}}
        self._store.records.put(GROUP, body["Name"], {**body, **ScheduleGroupRecord(_tags=tags)})
        return {}

    @operation("UntagResource", atomic=True)
    def untag(self, request: Request) -> Response:
        """Takes tags away."""
        body = self._by_arn(request["ResourceArn"])
        tags = {
            key: value
            for key, value in own_schedule_group(body).get("_tags", {}).items()
            if key not in request["TagKeys"]
        }
        self._store.records.put(GROUP, body["Name"], {**body, **ScheduleGroupRecord(_tags=tags)})
        return {}

    @operation("ListTagsForResource")
    def tags(self, request: Request) -> Response:
        """The tags of a group."""
        tags = own_schedule_group(self._by_arn(request["ResourceArn"])).get("_tags", {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
