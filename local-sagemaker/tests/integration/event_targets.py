"""Queues as targets of rules, and the events that tests send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until


class Queue:
    """A queue as a target, and what it received."""

    def __init__(self, service: Service, name: str) -> None:
        self._client = service.client("sqs")
        self.url = self._client.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = attributes["Attributes"]["QueueArn"]

    def messages(self) -> list[Any]:
        found = self._client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]

    def next(self) -> Any:
        return until(self.messages, "a message")[0]


def rule(events: Any, name: str, pattern: Any, **target: Any) -> None:
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "t", **target}])


def send(events: Any, **detail: Any) -> dict[str, Any]:
    entry = {"Source": "tests", "DetailType": "Test", "Detail": json.dumps(detail)}
    return dict(events.put_events(Entries=[entry]))


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    return str(raised.value.response["Error"]["Message"])
