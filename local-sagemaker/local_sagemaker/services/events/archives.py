"""Archives of the events of a bus."""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError
from local_sagemaker.eventbridge import patterns
from local_sagemaker.records.own_members import ArchiveRecord
from local_sagemaker.records.status import SwitchState
from local_sagemaker.records.store import Body
from local_sagemaker.services.events.archive_store import ARCHIVE, ArchiveStore, one_filter, passes
from local_sagemaker.services.pagination import page_rows

_SUMMARY = ("ArchiveName", "EventSourceArn", "State", "RetentionDays", "CreationTime")
_SHOWN = (*_SUMMARY, "ArchiveArn", "Description", "EventPattern")
_CREATED_MEMBERS = ("ArchiveArn", "State", "CreationTime")
_SETTINGS = ("Description", "EventPattern", "RetentionDays")


class Archives(Resource):
    """CreateArchive, DescribeArchive, ListArchives, UpdateArchive, DeleteArchive."""

    def __init__(self, *, store: ArchiveStore) -> None:
        self._store = store

    @operation("CreateArchive", atomic=True)
    def create(self, request: Request) -> Response:
        """Adds an archive; it receives what its bus receives from now on."""
        name = request["ArchiveName"]
        bus = self._store.rules.bus(request["EventSourceArn"])
        if self._store.records.get(ARCHIVE, name) is not None:
            text = f"Archive {name} already exists."
            raise ServiceError(text, code="ResourceAlreadyExistsException", status=400)
        body: Body = {
            "ArchiveName": name, "ArchiveArn": self._store.arn(name), "State": SwitchState.ENABLED,
            "EventSourceArn": self._store.rules.bus_arn(bus), "RetentionDays": 0, "CreationTime": now(),
            **ArchiveRecord(_id=str(uuid.uuid4())),
        }  # fmt: skip
        return self._write(body, request)

    def _write(self, body: Body, request: Request) -> Response:
        if request.get("EventPattern"):
            patterns.parse(request["EventPattern"])
        changed = {**body, **{member: request[member] for member in _SETTINGS if member in request}}
        self._store.put(changed)
        return {member: changed[member] for member in _CREATED_MEMBERS}

    @operation("DescribeArchive")
    def describe(self, request: Request) -> Response:
        """One archive."""
        body = self._store.require(request["ArchiveName"])
        return {**{member: body[member] for member in _SHOWN if body.get(member) not in (None, "")}, **self._size(body)}

    def _size(self, body: Body) -> dict[str, Any]:
        events = [kept["event"] for kept in self._store.kept(body)]
        return {"EventCount": len(events), "SizeBytes": sum(len(json.dumps(event).encode()) for event in events)}

    @operation("ListArchives")
    def list(self, request: Request) -> Response:
        """All archives, or those that one filter lets pass."""
        one_filter(request, "ListArchives")
        bodies = [body for body in self._store.records.list(ARCHIVE) if passes(body, body["ArchiveName"], request)]
        refuse = partial(ServiceError, code="ValidationException", status=400)
        chosen, more = page_rows(bodies, request, refuse, token="NextToken", size="Limit")
        rows = [{**{member: body[member] for member in _SUMMARY}, **self._size(body)} for body in chosen]
        return {"Archives": rows, **more}

    @operation("UpdateArchive", atomic=True)
    def update(self, request: Request) -> Response:
        """Changes what the request has; a new pattern is for new events, a shorter retention for all."""
        return self._write(self._store.require(request["ArchiveName"]), request)

    @operation("DeleteArchive", atomic=True)
    def delete(self, request: Request) -> Response:
        """Removes an archive with its events."""
        self._store.delete(self._store.require(request["ArchiveName"]))
        return {}
