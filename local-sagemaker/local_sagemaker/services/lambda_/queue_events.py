"""What a function gets of a queue's messages, and which it has done (Lambda guide, "Using Lambda with Amazon SQS")."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.eventbridge.patterns import InvalidPattern, Pattern, parse
from local_sagemaker.json_text import JsonError, load
from local_sagemaker.services.lambda_.errors import InvalidValue

QueueMessage = Mapping[str, Any]
"""A message as ReceiveMessage has it."""


def records_of(messages: Sequence[QueueMessage], queue: str) -> list[dict[str, Any]]:
    """The ``Records`` of an event. `queue` is the ARN."""
    return [
        {
            "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            **({"md5OfMessageAttributes": message["MD5OfMessageAttributes"]}
               if "MD5OfMessageAttributes" in message else {}),
            "eventSource": "aws:sqs", "eventSourceARN": queue, "awsRegion": queue.split(":")[3],
        }
        for message in messages
    ]  # fmt: skip


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        shown["binaryValue"] = base64.b64encode(value["BinaryValue"]).decode()
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def failed_ids(payload: bytes, sent: Sequence[str]) -> set[str]:
    """The messages that a function reports as failed (ReportBatchItemFailures); all where its response is not valid."""
    try:
        response = load(payload or b"null")
    except JsonError:
        return set(sent)
    failures = (response or {}).get("batchItemFailures") if isinstance(response, dict | None) else None
    if not failures:
        return set()
    ids = {str(item.get("itemIdentifier")) if isinstance(item, dict) else "" for item in failures}
    return ids if ids <= set(sent) else set(sent)


def read_filters(criteria: Mapping[str, Any] | None) -> list[Pattern]:
    """The patterns of a FilterCriteria. Raises InvalidValue."""
    try:
        return [parse(one.get("Pattern", "{}")) for one in (criteria or {}).get("Filters", ())]
    except InvalidPattern as error:
        raise InvalidValue(f"Invalid filter pattern definition. {error}") from error


def passes(record: Mapping[str, Any], filters: Sequence[Pattern]) -> bool:
    """Whether one of the filters lets a record pass. A body is looked into where it is JSON."""
    if not filters:
        return True
    try:
        body: Any = load(record["body"].encode())
    except JsonError:
        body = record["body"]
    return any(one.matches({**record, "body": body}) for one in filters)


def event_of(records: Sequence[Mapping[str, Any]]) -> bytes:
    """The event as JSON."""
    return json.dumps({"Records": list(records)}).encode()
