"""The records of stacks: the stack, its resources, its events, its exports.

A stack's key is ``NAME/UUID``: deleted stacks stay, found by id only; the live one of a name is the newest not deleted.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from local_sagemaker.arns import Arns
from local_sagemaker.clock import iso, now
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.records import Records
from local_sagemaker.records.delivery_members import own_stack
from local_sagemaker.records.delivery_status import StackStatus
from local_sagemaker.records.store import Body
from local_sagemaker.services.cloudformation.stack_notifications import StackNotifications

STACK, RESOURCE, EVENT, EXPORT = "stack", "stack-resource", "stack-event", "stack-export"


class StackStore:
    """Reads and writes what stacks are; every change of a status leaves an event."""

    def __init__(self, records: Records, arns: Arns) -> None:
        self._records, self._arns = records, arns
        self.notifications = StackNotifications(records, arns.account)
        self._listeners: list[Callable[[str], None]] = []

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """`listener` is called with the stack's id behind each event of a resource, outside of transactions."""
        self._listeners.append(listener)

    def new_id(self, name: str) -> str:
        """The ARN of a stack that is to be made."""
        return self._arns.of("cloudformation", f"stack/{name}/{uuid.uuid4()}")

    def insert(self, body: Body) -> None:
        """Adds a stack. Raises AlreadyExistsException when a live one has its name."""
        with self._records.transaction():
            if self.find(body["StackName"]) is not None:
                raise TemplateError(
                    f"Stack [{body['StackName']}] already exists", code="AlreadyExistsException", status=400
                )
            self._records.insert(STACK, key_of(body["StackId"]), body)

    def find(self, name_or_id: str) -> Body | None:
        """A stack by its id, or the live one of a name."""
        if name_or_id.startswith("arn:"):
            return self._records.get(STACK, key_of(name_or_id))
        for body in reversed(self._records.list(STACK, f"{name_or_id}/")):
            if body["StackStatus"] != StackStatus.DELETE_COMPLETE:
                return body
        return None

    def require(self, name_or_id: str, text: str = "Stack with id {} does not exist") -> Body:
        """The same; raises CloudFormation's error when there is none."""
        body = self.find(name_or_id)
        if body is None:
            raise TemplateError(text.format(name_or_id))
        return body

    def stacks(self) -> list[Body]:
        """All stacks, deleted ones too, newest first."""
        return self._records.list(STACK)[::-1]

    def update(self, stack_id: str, change: Callable[[Body], None]) -> Body:
        """Changes a stack in place."""
        body = self._records.update(STACK, key_of(stack_id), change)
        if body is None:
            raise TemplateError(f"Stack with id {stack_id} does not exist")
        return body

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one."""
        return self._records.transaction()

    def enter(self, stack_id: str, status: StackStatus, reason: str = "", **members: Any) -> Body:
        """Sets a stack's status, and leaves its event. Own members that are None are removed."""

        def change(body: Body) -> None:
            body.update({"StackStatus": status, "StackStatusReason": reason, **members})
            for name in [name for name, value in members.items() if value is None and name.startswith("_")]:
                del body[name]

        with self._records.transaction():
            body = self.update(stack_id, change)
            stack = {
                "LogicalResourceId": body["StackName"], "PhysicalResourceId": stack_id,
                "ResourceType": "AWS::CloudFormation::Stack",
            }  # fmt: skip
            self._add_event(body, stack, status, reason)
        return body

    def resources(self, stack_id: str) -> dict[str, Body]:
        """The resources by logical id, in the order they were first made."""
        bodies = self._records.list(RESOURCE, f"{key_of(stack_id)}/")
        return {body["LogicalResourceId"]: body for body in bodies}

    def resource(self, stack_id: str, logical: str) -> Body | None:
        """One resource."""
        return self._records.get(RESOURCE, f"{key_of(stack_id)}/{logical}")

    def put_resource(self, stack_id: str, resource: Body, status: StackStatus, reason: str = "") -> None:
        """Writes a resource with its new status, and leaves its event."""
        times = {"LastUpdatedTimestamp": now()}
        body = {**resource, **times, "ResourceStatus": status, "ResourceStatusReason": reason}
        with self._records.transaction():
            self._records.put(RESOURCE, f"{key_of(stack_id)}/{resource['LogicalResourceId']}", body)
            self._add_event(self.require(stack_id), body, status, reason)
        self._announce(stack_id)

    def keep_resource(self, stack_id: str, resource: Body) -> None:
        """Writes a resource whose status does not change; that is no event."""
        self._records.put(RESOURCE, f"{key_of(stack_id)}/{resource['LogicalResourceId']}", resource)

    def drop_resource(self, stack_id: str, logical: str) -> None:
        """Forgets a resource; its events stay."""
        self._records.delete(RESOURCE, f"{key_of(stack_id)}/{logical}")

    def note(self, stack_id: str, resource: Body, status: StackStatus, reason: str = "") -> None:
        """An event of a resource whose record does not change: of one that is replaced or skipped."""
        self._add_event(self.require(stack_id), resource, status, reason)
        self._announce(stack_id)

    def _announce(self, stack_id: str) -> None:
        for listener in self._listeners:
            listener(stack_id)

    def events(self, stack_id: str) -> list[Body]:
        """The events, newest first."""
        return self._records.list(EVENT, f"{key_of(stack_id)}/")[::-1]

    def _add_event(self, stack: Body, resource: Body, status: StackStatus, reason: str) -> None:
        time, logical = now(), resource["LogicalResourceId"]
        whole = resource.get("ResourceType") == "AWS::CloudFormation::Stack"
        unique = str(uuid.uuid4())
        identity = unique if whole else f"{logical}-{status}-{iso(time)}"
        event = {
            "StackId": stack["StackId"],
            "EventId": identity,
            "StackName": stack["StackName"],
            "LogicalResourceId": logical,
            "PhysicalResourceId": resource.get("PhysicalResourceId", ""),
            "ResourceType": resource["ResourceType"],
            "Timestamp": time,
            "ResourceStatus": status,
            "ClientRequestToken": own_stack(stack).get("_token"),
            "ResourceStatusReason": reason or None,
        }
        key, kept = key_of(stack["StackId"]), {k: v for k, v in event.items() if v}
        with self._records.transaction():
            self._records.put(EVENT, f"{key}/{unique}", kept)
            self.notifications.add(key, stack.get("NotificationARNs", []), kept)

    def exports(self) -> list[Body]:
        """All exports of the region."""
        return self._records.list(EXPORT)

    def export(self, name: str) -> str:
        """The value of an export. Raises CloudFormation's error for a name that no stack exports."""
        body = self._records.get(EXPORT, name)
        if body is None:
            raise TemplateError(f"No export named {name} found")
        return str(body["Value"])

    def put_exports(self, stack_id: str, values: dict[str, str]) -> None:
        """Replaces the exports of a stack."""
        with self._records.transaction():
            for body in self.exports():
                if body["ExportingStackId"] == stack_id and body["Name"] not in values:
                    self._records.delete(EXPORT, body["Name"])
            for name, value in values.items():
                body = {"ExportingStackId": stack_id, "Name": name, "Value": value}
                self._records.put(EXPORT, name, body)

    def importers(self, export: str) -> list[str]:
        """The names of live stacks that import an export."""
        live = (body for body in self.stacks() if body["StackStatus"] != StackStatus.DELETE_COMPLETE)
        return [body["StackName"] for body in live if export in own_stack(body).get("_imports", [])]


def key_of(stack_id: str) -> str:
    """The key of a stack's record: ``NAME/UUID``."""
    return stack_id.rsplit(":stack/", 1)[-1]
