"""Events of stacks that are published to the topics of the stack (NotificationARNs).

An event and its notifications are written down together; they are sent in order, outside of transactions.
"""

from __future__ import annotations

import logging
import threading
import uuid

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import iso
from local_sagemaker.errors import ServiceError
from local_sagemaker.records import Records
from local_sagemaker.records.store import Body

log = logging.getLogger(__name__)
KIND = "stack-notification"
SUBJECT = "AWS CloudFormation Notification"
_MEMBERS = ("LogicalResourceId", "PhysicalResourceId", "ResourceStatus", "ResourceStatusReason", "ResourceType",
            "StackName", "ClientRequestToken")  # fmt: skip


class StackNotifications:
    """What is to be published of a region's stacks."""

    def __init__(self, records: Records, account: str) -> None:
        self._records, self._account = records, account
        self._lock = threading.Lock()

    def add(self, key: str, topics: list[str], event: Body) -> None:
        """Writes down that an event of the stack with that key is to be published."""
        for topic in topics:
            body = {"topic": topic, "message": self._text(event)}
            self._records.put(KIND, f"{key}/{uuid.uuid4()}", body)

    def publish(self, call: Call, key: str = "") -> None:
        """Publishes what is written down (of one stack), each once though several threads do so; never to be called
        inside a transaction. A topic that does not exist fails no stack."""
        with self._lock:
            for name, body in self._records.items(KIND, f"{key}/" if key else ""):
                try:
                    request = {"TopicArn": body["topic"], "Subject": SUBJECT, "Message": body["message"]}
                    call("sns:Publish", request)
                except ServiceError as error:
                    log.warning("an event of stack %s was not published: %s", key, error.message)
                self._records.delete(KIND, name)

    def _text(self, event: Body) -> str:
        """One line a member, as CloudFormation's messages are in public records of them."""
        values = {
            "StackId": event["StackId"], "Timestamp": iso(event["Timestamp"]), "EventId": event["EventId"],
            "Namespace": self._account, **{name: event.get(name, "") for name in _MEMBERS},
        }  # fmt: skip
        return "".join(f"{name}='{value}'\n" for name, value in values.items())
