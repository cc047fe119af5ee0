"""The spine reaches the services that moto answers, in each of their protocols, region by region."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.app import Application
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported, ServiceError


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    made = Application(Settings(home=tmp_path_factory.mktemp("spine")), "http://127.0.0.1:1")
    yield made
    made.close()


@pytest.fixture(scope="module")
def call(application: Application) -> Any:
    return application.call


def test_a_queue_takes_and_gives_messages(call: Any) -> None:
    url = call("sqs:CreateQueue", {"QueueName": "callbacks"})["QueueUrl"]
    call("sqs:SendMessage", {"QueueUrl": url, "MessageBody": json.dumps({"token": "ä&<"})})
    received = call("sqs:ReceiveMessage", {"QueueUrl": url, "AttributeNames": ["All"]})
    assert json.loads(received["Messages"][0]["Body"]) == {"token": "ä&<"}
    assert set(received) == {"Messages"}


def test_a_topic_passes_messages_to_a_queue(call: Any) -> None:
    topic = call("sns:CreateTopic", {"Name": "drift"})["TopicArn"]
    url = call("sqs:CreateQueue", {"QueueName": "of-topic"})["QueueUrl"]
    arn = call("sqs:GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["QueueArn"]})["Attributes"]["QueueArn"]
    call("sns:Subscribe", {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn})
    call("sns:Publish", {"TopicArn": topic, "Message": "drifted"})
    body = json.loads(call("sqs:ReceiveMessage", {"QueueUrl": url})["Messages"][0]["Body"])
    assert body["Message"] == "drifted"


def test_times_are_seconds_since_the_epoch_both_ways(call: Any) -> None:
    datum = {"MetricName": "rmse", "Timestamp": now() - 30, "Value": 2.5, "Unit": "None"}
    call("cloudwatch:PutMetricData", {"Namespace": "abalone", "MetricData": [datum]})
    request = {
        "Namespace": "abalone", "MetricName": "rmse", "StartTime": now() - 600, "EndTime": now() + 60, "Period": 60,
        "Statistics": ["Average"],
    }  # fmt: skip
    points = call("cloudwatch:GetMetricStatistics", request)["Datapoints"]
    assert [point["Average"] for point in points] == [2.5]
    assert abs(points[0]["Timestamp"] - now()) < 120


def test_a_rule_and_its_targets(call: Any) -> None:
    pattern = json.dumps({"source": ["aws.sagemaker"]})
    arn = call("events:PutRule", {"Name": "approved", "EventPattern": pattern})["RuleArn"]
    assert arn == "arn:aws:events:us-east-1:123456789012:rule/approved"
    role = "arn:aws:iam::123456789012:role/r"
    target = {"Id": "t", "Arn": "arn:aws:codebuild:us-east-1:123456789012:project/deploy", "RoleArn": role}
    assert call("events:PutTargets", {"Rule": "approved", "Targets": [target]})["FailedEntryCount"] == 0
    assert call("events:ListTargetsByRule", {"Rule": "approved"})["Targets"] == [target]


def test_paths_of_rest_protocols(call: Any) -> None:
    target = {
        "Arn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p",
        "RoleArn": "arn:aws:iam::123456789012:role/x",
    }
    schedule = {"Name": "weekly", "ScheduleExpression": "rate(7 days)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    call("scheduler:CreateSchedule", {**schedule, "Target": target})
    described = call("scheduler:GetSchedule", {"Name": "weekly"})
    assert described["Target"]["Arn"] == target["Arn"]
    assert isinstance(described["CreationDate"], float)


def test_roles_and_identities(call: Any) -> None:
    assert call("iam:GetRole", {"RoleName": "LocalSageMakerRole"})["Role"]["RoleName"] == "LocalSageMakerRole"
    assert call("sts:GetCallerIdentity", {})["Account"] == "123456789012"


@pytest.mark.parametrize(
    ("name", "request_", "code", "status"),
    [
        ("sqs:GetQueueUrl", {"QueueName": "absent"}, "AWS.SimpleQueueService.NonExistentQueue", 400),
        ("events:DescribeRule", {"Name": "absent"}, "ResourceNotFoundException", 400),
        ("iam:GetRole", {"RoleName": "absent"}, "NoSuchEntity", 404),
        ("sns:Publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:absent", "Message": "m"}, "NotFound", 404),
    ],
)
def test_errors_are_the_services_own(call: Any, name: str, request_: dict[str, Any], code: str, status: int) -> None:
    with pytest.raises(ServiceError) as error:
        call(name, request_)
    assert (error.value.code, error.value.status) == (code, status)
    assert error.value.message


def test_a_malformed_request_is_refused_before_it_is_sent(call: Any) -> None:
    with pytest.raises(ServiceError, match="'queueUrl' failed to satisfy constraint: Member must not be null") as error:
        call("sqs:SendMessage", {"MessageBody": "m"})
    assert error.value.code == "ValidationException"


@pytest.mark.parametrize(
    "name", ["dynamodb:ListTables", "sagemaker:CreateNotebookInstance", "nosuch:Operation", "sqs:NoSuchOperation"]
)
def test_what_no_service_has_is_refused_by_name(call: Any, name: str) -> None:
    with pytest.raises(NotSupported, match=name):
        call(name, {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium", "RoleArn": "r" * 20})


def test_each_region_has_its_own(application: Application) -> None:
    application.call("sqs:CreateQueue", {"QueueName": "at-home"})
    away = application.regions.of("eu-west-1").call
    with pytest.raises(ServiceError):
        away("sqs:GetQueueUrl", {"QueueName": "at-home"})
    assert away("sqs:CreateQueue", {"QueueName": "away"})["QueueUrl"].startswith("http://sqs.eu-west-1.")


def test_changes_outlive_a_restart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    first = Application(settings, "http://127.0.0.1:1")
    first.call("sqs:CreateQueue", {"QueueName": "kept"})
    first.close()
    second = Application(settings, "http://127.0.0.1:1")
    assert second.call("sqs:GetQueueUrl", {"QueueName": "kept"})["QueueUrl"].endswith("/123456789012/kept")
    second.close()
