"""Event source mappings with unmodified boto3: messages of queues invoke functions."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, create_function, until

KEEPING = """
import json, os, boto3
def handler(event, context):
    s3 = boto3.client("s3")
    bodies = [record["body"] for record in event["Records"]]
    s3.put_object(Bucket="mappings", Key=f"{context.function_name}/{context.aws_request_id}", Body=json.dumps(event))
    if "break" in bodies:
        raise ValueError("broken")
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""
BUCKET = "mappings"


class Mapped:
    """A queue, a function that writes down its events, and their mapping."""

    def __init__(self, service: Service, name: str, hidden: int = 60, **options: Any) -> None:
        """`hidden` is the queue's visibility timeout, and the function's timeout, in seconds."""
        self.service, self.name = service, name
        self.functions, self.queues, self.s3 = (service.client(one) for one in ("lambda", "sqs", "s3"))
        self.s3.create_bucket(Bucket=BUCKET)
        self.url = self.queues.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(hidden)})["QueueUrl"]
        attributes = self.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.queue = attributes["Attributes"]["QueueArn"]
        self.function = create_function(self.functions, name, KEEPING, Timeout=hidden)
        self.functions.invoke(FunctionName=name, Payload=b'{"Records": []}')  # it is warm, so no timeout hits a start
        self.mapping = self.functions.create_event_source_mapping(
            EventSourceArn=self.queue, FunctionName=name, **options
        )

    def send(self, *bodies: str) -> None:
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        self.queues.send_message_batch(QueueUrl=self.url, Entries=entries)

    def events(self) -> list[list[dict[str, Any]]]:
        """The records of each event so far."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.name}/").get("Contents", [])
        bodies = [self.s3.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed]
        return [records for body in bodies if (records := json.loads(body)["Records"])]

    def seen(self) -> list[str]:
        return sorted(record["body"] for event in self.events() for record in event)

    def left(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def end(self) -> None:
        self.functions.delete_event_source_mapping(UUID=self.mapping["UUID"])


def test_messages_invoke_the_function_and_are_deleted(service: Service) -> None:
    mapped = Mapped(service, "queue-mapped")
    assert (mapped.mapping["State"], mapped.mapping["BatchSize"]) == ("Creating", 10)
    mapped.queues.send_message(
        QueueUrl=mapped.url, MessageBody="one",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "first"}},
    )  # fmt: skip
    until(lambda: mapped.seen() == ["one"] and mapped.left() == 0, "the message's end")
    (record,) = mapped.events()[0]
    assert (record["eventSource"], record["eventSourceARN"], record["awsRegion"]) == (
        "aws:sqs", mapped.queue, "us-east-1",
    )  # fmt: skip
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["messageAttributes"]["kind"] == {
        "stringValue": "first", "stringListValues": [], "binaryListValues": [], "dataType": "String",
    }  # fmt: skip
    found = mapped.functions.get_event_source_mapping(UUID=mapped.mapping["UUID"])
    assert (found["State"], found["FunctionArn"]) == ("Enabled", mapped.function)
    listed = mapped.functions.list_event_source_mappings(FunctionName="queue-mapped")["EventSourceMappings"]
    assert [one["UUID"] for one in listed] == [mapped.mapping["UUID"]]
    changed = mapped.functions.update_event_source_mapping(UUID=mapped.mapping["UUID"], Enabled=False)
    assert changed["State"] == "Disabling"
    mapped.send("two")
    mapped.functions.update_event_source_mapping(UUID=mapped.mapping["UUID"], Enabled=True, BatchSize=1)
    name = {"Resource": mapped.mapping["EventSourceMappingArn"]}
    mapped.functions.tag_resource(**name, Tags={"a": "1", "b": "2"})
    mapped.functions.untag_resource(**name, TagKeys=["a"])
    assert mapped.functions.list_tags(**name)["Tags"] == {"b": "2"}
    until(lambda: mapped.seen() == ["one", "two"] and mapped.left() == 0, "the second message's end")
    mapped.end()
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        mapped.functions.get_event_source_mapping(UUID=mapped.mapping["UUID"])


def test_what_fails_becomes_visible_again_and_what_a_filter_holds_back_is_deleted(service: Service) -> None:
    patterns = [
        {"Pattern": json.dumps({"body": {"wanted": [True]}})},
        {"Pattern": json.dumps({"body": ["bad", "good"]})},
    ]
    mapped = Mapped(
        service, "filtered", 6, FunctionResponseTypes=["ReportBatchItemFailures"], FilterCriteria={"Filters": patterns},
        MaximumBatchingWindowInSeconds=1, BatchSize=100,
    )  # fmt: skip
    mapped.send('{"wanted": true}', '{"wanted": false}', "bad", "good", "unwanted")
    until(lambda: mapped.seen().count("bad") > 1, "the failed message's second time")
    assert {*mapped.seen()} == {"bad", "good", '{"wanted": true}'}
    assert mapped.seen().count("good") == 1
    assert mapped.left() == 1
    mapped.end()


def test_a_batch_whose_function_fails_comes_again(service: Service) -> None:
    mapped = Mapped(service, "failing", 4)
    mapped.send("break")
    until(lambda: len(mapped.events()) >= 2, "the second attempt")
    counts = sorted(event[0]["attributes"]["ApproximateReceiveCount"] for event in mapped.events())
    assert counts[:2] == ["1", "2"]
    mapped.end()


def test_of_changes_at_once_none_is_lost(service: Service) -> None:
    """Each changes another member."""
    mapped = Mapped(service, "queue-changing", 3, Enabled=False)
    for turn in range(5):
        changes: list[dict[str, Any]] = [
            {"BatchSize": turn + 2}, {"MaximumBatchingWindowInSeconds": turn + 1},
            {"ScalingConfig": {"MaximumConcurrency": turn + 2}},
            {"KMSKeyArn": f"arn:aws:kms:us-east-1:{turn:012}:key/k"},
        ]  # fmt: skip
        with ThreadPoolExecutor(len(changes)) as pool:
            for change in changes:
                pool.submit(mapped.functions.update_event_source_mapping, UUID=mapped.mapping["UUID"], **change)
        found = mapped.functions.get_event_source_mapping(UUID=mapped.mapping["UUID"])
        assert {name: found[name] for change in changes for name in change} == {
            name: value for change in changes for name, value in change.items()
        }
    mapped.end()


def test_mappings_that_are_refused(service: Service) -> None:
    mapped = Mapped(service, "refusing-mappings", 3, Enabled=False)
    create = mapped.functions.create_event_source_mapping
    for text, request in {
        "already exists. Please update or delete the existing mapping with UUID": {"EventSourceArn": mapped.queue},
        "Maximum batch window in seconds must be greater than 0": {"EventSourceArn": mapped.queue, "BatchSize": 11},
        "SQS Error Code: AWS.SimpleQueueService.NonExistentQueue": {"EventSourceArn": f"{mapped.queue}-none"},
        "no SQS queue": {"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"},
    }.items():
        with pytest.raises(ClientError, match=text):
            create(FunctionName="refusing-mappings", **request)
    mapped.end()
    mapped.functions.update_function_configuration(FunctionName="refusing-mappings", Timeout=60)
    with pytest.raises(
        ClientError, match="Queue visibility timeout: 3 seconds is less than Function timeout: 60 seconds"
    ):
        create(FunctionName="refusing-mappings", EventSourceArn=mapped.queue)
