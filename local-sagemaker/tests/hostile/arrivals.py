"""What arrives once it was acknowledged, whatever is killed: messages of queues and topics, lines of logs."""

from __future__ import annotations

import time
from typing import Any

from tests.hostile.ledgers import Ledger


class Messages(Ledger):
    """SQS, half of them through a topic: a message that was acknowledged arrives, once it is deleted it stays away."""

    def connect(self) -> None:
        self.sqs, self.sns = self.service.client("sqs"), self.service.client("sns")

    def prepare(self) -> None:
        self.queue = self.sqs.create_queue(QueueName="ledger-messages")["QueueUrl"]
        self.topic = self.sns.create_topic(Name="ledger-messages")["TopicArn"]
        arn = "arn:aws:sqs:us-east-1:123456789012:ledger-messages"
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
        self.sent: set[str] = set()

    def step(self) -> None:
        self.written += 1
        text = f"m{self.written}"
        self.under_way = ("message", text)
        if self.written % 2:
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=text)
        else:
            self.sns.publish(TopicArn=self.topic, Message=text)
        self.sent.add(text)
        self.under_way = None

    def check(self) -> list[str]:
        self.connect()
        self.queue = self.sqs.get_queue_url(QueueName="ledger-messages")["QueueUrl"]
        arrived: set[str] = set()
        request = {"QueueUrl": self.queue, "MaxNumberOfMessages": 10}
        for wait in (0, 1, 5):
            while messages := self.sqs.receive_message(**request, WaitTimeSeconds=wait).get("Messages", []):
                arrived |= {message["Body"] for message in messages}
                for message in messages:
                    self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
            if self.sent <= arrived:
                break
        unknown = arrived - self.sent - ({self.under_way[1]} if self.under_way else set())
        faults = [f"Messages: {sorted(self.sent - arrived)} are lost"] if self.sent - arrived else []
        faults += [f"Messages: {sorted(unknown)} came again after their deletion"] if unknown else []
        self.sent, self.under_way = set(), None
        return faults


class Lines(Ledger):
    """CloudWatch Logs: lines that were acknowledged stay, in their order, each once."""

    def connect(self) -> None:
        self.logs = self.service.client("logs")

    def prepare(self) -> None:
        self.logs.create_log_group(logGroupName="ledger")
        self.logs.create_log_stream(logGroupName="ledger", logStreamName="lines")
        self.lines: list[str] = []

    def step(self) -> None:
        self.written += 1
        text = f"line {self.written}"
        self.under_way = ("line", text)
        event = {"timestamp": int(time.time() * 1000), "message": text}
        self.logs.put_log_events(logGroupName="ledger", logStreamName="lines", logEvents=[event])
        self.lines.append(text)
        self.under_way = None

    def check(self) -> list[str]:
        self.connect()
        present: list[str] = []
        request: dict[str, Any] = {"logGroupName": "ledger", "logStreamName": "lines", "startFromHead": True}
        while True:
            page = self.logs.get_log_events(**request)
            present += [event["message"] for event in page["events"]]
            if page["nextForwardToken"] == request.get("nextToken"):
                break
            request["nextToken"] = page["nextForwardToken"]
        more = [self.under_way[1]] if self.under_way else []
        right = present in (self.lines, self.lines + more)
        faults = [] if right else [f"Lines: {len(present)} of {len(self.lines)}: {present[-3:]}, {self.lines[-3:]}"]
        self.lines, self.under_way = present, None
        return faults
