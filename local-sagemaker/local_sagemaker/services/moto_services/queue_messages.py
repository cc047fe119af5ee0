"""Messages in SQS queues outlive a restart: each is a record from when it is sent until it is deleted.

moto keeps them in memory only, and may lose one that is sent while another is deleted. Calls that carry data are not in
the journal of changes, of which there may be very many.
"""

from __future__ import annotations

import base64
from typing import Any

from local_sagemaker.records import Records

KIND = "queue-message"
_KEPT = (
    "id", "body", "message_attributes", "system_attributes", "sender_id", "sent_timestamp", "deduplication_id",
    "group_id", "sequence_number", "delayed_until", "approximate_receive_count", "approximate_first_receive_timestamp",
)  # fmt: skip


class QueueMessages:
    """The records of all queues' messages. A message that was received but not deleted can be received at once."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def install(self) -> None:
        """Has moto's queues write down what they hold; to be called once moto is loaded."""
        from moto.sqs import models

        models.Queue = _stored_queue(models.Queue, self)  # type: ignore[misc]

    def restore(self) -> None:
        """Puts the messages back into their queues, which exist again; drops those of queues that do not."""
        from moto.sqs.models import Message, sqs_backends

        for key, record in self._records.items(KIND):
            queue = sqs_backends[record["account"]][record["region"]].queues.get(record["queue"])
            if queue is None:
                self._records.delete(KIND, key)
                continue
            message = Message(record["message"]["id"], record["message"]["body"])
            vars(message).update(_decode(record["message"]))
            queue._messages.append(message)

    def put(self, queue: Any, message: Any) -> None:
        """Writes down that a message is in a queue."""
        body = {"account": queue.account_id, "region": queue.region, "queue": queue.name}
        kept = {name: getattr(message, name) for name in _KEPT}
        self._records.put(KIND, message.id, {**body, "message": _encode(kept)})

    def drop(self, message_id: str) -> None:
        """Forgets a message."""
        self._records.delete(KIND, message_id)


def _stored_queue(queue: type[Any], messages: QueueMessages) -> type[Any]:
    """moto's class of queues, with its list of messages kept in records, too."""
    if hasattr(queue, "stored"):  # installed before: moto's state is global
        queue.stored = messages
        return queue

    class StoredQueue(queue):  # type: ignore[misc]
        """A queue whose messages are records. Deleting and sending exclude each other."""

        stored = messages

        @property
        def _messages(self) -> list[Any]:
            held: list[Any] = self._held
            return held

        @_messages.setter
        def _messages(self, left: list[Any]) -> None:
            before = getattr(self, "_held", [])
            self._held = left
            remaining = {message.id for message in left}
            for message in before:
                if message.id not in remaining:
                    self.stored.drop(message.id)

        def add_message(self, message: Any) -> None:
            """As moto's, which ignores a duplicate in a FIFO queue."""
            with self._messages_lock:
                super().add_message(message)
                if any(held is message for held in self._held[-1:]):
                    self.stored.put(self, message)

        def delete_message(self, receipt_handle: str) -> None:
            """As moto's."""
            with self._messages_lock:
                super().delete_message(receipt_handle)

    return StoredQueue


def _encode(value: Any) -> Any:
    """Bytes in a form that JSON has."""
    if isinstance(value, bytes):
        return {"_bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _encode(inner) for name, inner in value.items()}
    return value


def _decode(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"_bytes"}:
        return base64.b64decode(value["_bytes"])
    return {name: _decode(inner) for name, inner in value.items()}
