"""EventBridge Scheduler through boto3: requests at their times, and what is refused (DEL-36)."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

ROLE = "arn:aws:iam::123456789012:role/scheduler"
OFF = {"Mode": "OFF"}


@pytest.fixture(scope="module")
def scheduler(service: Service) -> Any:
    return service.client("scheduler")


def queue(service: Service, name: str) -> tuple[str, str]:
    sqs = service.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def received(service: Service, url: str) -> str:
    def look() -> str | None:
        messages = service.client("sqs").receive_message(QueueUrl=url).get("Messages", [])
        return messages[0]["Body"] if messages else None

    return str(until(look, "a message arrives", seconds=240))


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_rate_without_a_start_is_due_at_once_with_its_attributes(service: Service, scheduler: Any) -> None:
    url, arn = queue(service, "rates")
    text = json.dumps({"at": "<aws.scheduler.scheduled-time>", "try": "<aws.scheduler.attempt-number>"})
    made = scheduler.create_schedule(
        Name="rates", ScheduleExpression="rate(1 hours)", FlexibleTimeWindow=OFF,
        Target={"Arn": arn, "RoleArn": ROLE, "Input": text},
    )  # fmt: skip
    body = json.loads(received(service, url))
    assert body["try"] == "1"
    assert body["at"].endswith("Z")
    schedule = scheduler.get_schedule(Name="rates")
    assert schedule["Arn"] == made["ScheduleArn"] == "arn:aws:scheduler:us-east-1:123456789012:schedule/default/rates"
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


def test_a_universal_target_calls_any_operation_once_and_the_schedule_ends(service: Service, scheduler: Any) -> None:
    scheduler.create_schedule(
        Name="once", ScheduleExpression="at(2020-01-01T00:00:00)", FlexibleTimeWindow=OFF,
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter", "RoleArn": ROLE, "Input": "{}"},
    )  # fmt: skip
    assert scheduler.get_schedule(Name="once")["State"] == "ENABLED"  # its time has passed: nothing is due
    request = {"Name": "by-schedule", "Value": "1", "Type": "String"}
    scheduler.create_schedule(
        Name="universal", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF,
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:ssm:putParameter", "RoleArn": ROLE, "Input": json.dumps(request)},
    )  # fmt: skip
    ssm = service.client("ssm")
    until(lambda: ssm.get_parameters(Names=["by-schedule"])["Parameters"], "the parameter is put", seconds=240)


def test_what_a_schedule_can_not_deliver_goes_to_its_dead_letters_and_a_one_time_schedule_ends(
    service: Service, scheduler: Any
) -> None:
    url, dead = queue(service, "scheduler-dead-letters")
    scheduler.create_schedule(
        Name="undeliverable", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, ActionAfterCompletion="DELETE",
        EndDate=time.time() + 3600,
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "RoleArn": ROLE, "Input": json.dumps({
            "QueueUrl": url.replace("dead-letters", "none"), "MessageBody": "hello"}),
            "DeadLetterConfig": {"Arn": dead}},
    )  # fmt: skip
    sqs = service.client("sqs")
    letter = until(
        lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages"), "a dead letter"
    )[0]
    assert json.loads(letter["Body"])["MessageBody"] == "hello"
    reason = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert reason["TARGET_ARN"] == "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
    assert (reason["RETRY_ATTEMPTS"], reason["IS_PAYLOAD_TRUNCATED"]) == ("0", "false")
    assert reason["SCHEDULE_ARN"].endswith(":schedule/default/undeliverable")
    assert refused(scheduler.get_schedule, Name="undeliverable")[0] == "ResourceNotFoundException"


def test_groups_hold_schedules_and_take_them_with_them(scheduler: Any) -> None:
    scheduler.create_schedule_group(Name="delivery")
    target = {"Arn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p", "RoleArn": ROLE}
    scheduler.create_schedule(
        Name="nightly", GroupName="delivery", ScheduleExpression="cron(0 3 * * ? *)", FlexibleTimeWindow=OFF,
        ScheduleExpressionTimezone="Europe/Berlin", Target=target, State="DISABLED",
    )  # fmt: skip
    assert [row["Name"] for row in scheduler.list_schedules(GroupName="delivery")["Schedules"]] == ["nightly"]
    first = scheduler.list_schedule_groups(MaxResults=1)
    second = scheduler.list_schedule_groups(MaxResults=1, NextToken=first["NextToken"])
    assert [row["Name"] for page in (first, second) for row in page["ScheduleGroups"]] == ["default", "delivery"]
    scheduler.delete_schedule_group(Name="delivery")
    assert refused(scheduler.get_schedule, Name="nightly", GroupName="delivery")[0] == "ResourceNotFoundException"


def test_a_request_sent_again_with_its_token_makes_nothing_more(scheduler: Any) -> None:
    request: dict[str, Any] = {
        "Name": "again", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": OFF, "State": "DISABLED",
        "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": ROLE}, "ClientToken": "first",
        "StartDate": datetime.now(UTC) - timedelta(minutes=4),
    }  # fmt: skip
    made = scheduler.create_schedule(**request)["ScheduleArn"]
    assert scheduler.create_schedule(**request)["ScheduleArn"] == made
    for other in ({"ClientToken": "second"}, {"ScheduleExpression": "rate(2 hours)"}):
        assert refused(scheduler.create_schedule, **{**request, **other}) == (
            "ConflictException", "Schedule again already exists.",
        )  # fmt: skip
    once = {**request, "Name": "bounds", "ScheduleExpression": "at(2040-01-01T00:00:00)"}
    scheduler.create_schedule(**{**once, "StartDate": datetime(2020, 1, 1, tzinfo=UTC)})
    group = scheduler.create_schedule_group(Name="again", ClientToken="first")["ScheduleGroupArn"]
    assert scheduler.create_schedule_group(Name="again", ClientToken="first")["ScheduleGroupArn"] == group
    assert refused(scheduler.create_schedule_group, Name="again", ClientToken="second")[0] == "ConflictException"


def test_what_means_nothing_is_refused(scheduler: Any) -> None:
    def create(**changes: Any) -> tuple[str, str]:
        request = {
            "Name": "wrong", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": OFF,
            "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": ROLE}, **changes,
        }  # fmt: skip
        return refused(scheduler.create_schedule, **request)

    assert create(ScheduleExpression="at(2026-13-01T00:00:00)") == (
        "ValidationException", "Invalid Schedule Expression at(2026-13-01T00:00:00).",
    )  # fmt: skip
    assert create(ScheduleExpressionTimezone="Mars/Base")[0] == "ValidationException"
    assert create(FlexibleTimeWindow={"Mode": "FLEXIBLE"})[1] == (
        "MaximumWindowInMinutes must be provided when FlexibleTimeWindowMode is set to FLEXIBLE."
    )
    assert create(FlexibleTimeWindow={**OFF, "MaximumWindowInMinutes": 5})[1] == (
        "MaximumWindowInMinutes must not be provided when FlexibleTimeWindowMode is set to OFF."
    )
    now = datetime.now(UTC)
    assert create(StartDate=now + timedelta(days=2), EndDate=now + timedelta(days=1))[1] == (
        "The StartDate you specify must come before the EndDate."
    )
    assert create(StartDate=now - timedelta(minutes=6))[1] == (
        "The StartDate you specify cannot be earlier than 5 minutes ago."
    )
    assert create(GroupName="unknown")[0] == "ResourceNotFoundException"
    assert (
        "is not executed" in create(Target={"Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/c", "RoleArn": ROLE})[1]
    )
    reading = {"Arn": "arn:aws:scheduler:::aws-sdk:s3:listBuckets", "RoleArn": ROLE}
    assert create(Target=reading)[1] == "listBuckets API is not supported"
    function = {"Arn": "arn:aws:lambda:us-east-1:123456789012:function:f", "RoleArn": ROLE, "Input": "{"}
    assert create(Target=function)[1] == "JSON syntax error in input for the target"
    elsewhere = {"Arn": "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", "RoleArn": ROLE}
    assert "is not executed by the local service" in create(Target=elsewhere)[1]
