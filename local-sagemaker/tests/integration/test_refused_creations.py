"""What is refused changes nothing: a creation with one bad member leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support import ROLE, Service, zipped

TOPIC, QUEUE = "arn:aws:sns:us-east-1:123456789012:refusals", "arn:aws:sqs:us-east-1:123456789012:refusals"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
RULE = {"EventPattern": '{"source": ["a"]}'}
PROJECT = {"source": {"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [x]}}"},
           "artifacts": {"type": "NO_ARTIFACTS"}, "serviceRole": ROLE,
           "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0",
                           "computeType": "BUILD_GENERAL1_SMALL"}}  # fmt: skip
FUNCTION = {"Runtime": "python3.12", "Role": ROLE, "Handler": "m.h", "Code": {"ZipFile": zipped(m="h = print")}}
APPROVAL = {"name": "B", "actionTypeId": {"category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}}
SOURCE = {"name": "A", "outputArtifacts": [{"name": "o"}],
          "configuration": {"RepositoryName": "x", "BranchName": "m"},
          "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"}}  # fmt: skip
PIPELINE = {"roleArn": ROLE, "artifactStore": {"type": "S3", "location": "refusals"},
            "stages": [{"name": "S", "actions": [SOURCE]}, {"name": "T", "actions": [APPROVAL]}]}  # fmt: skip
DUPLICATE = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
LONG = [{"Key": "k" * 200, "Value": "1"}]
SCHEDULE = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": QUEUE, "RoleArn": ROLE}}  # fmt: skip


def _lower(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name.lower(): value for name, value in tag.items()} for tag in tags]


Case = tuple[str, str, str | None, dict[str, Any], dict[str, dict[str, Any]], str, dict[str, Any]]
NAME = "never-made"
CASES: list[Case] = [
    ("sns", "subscribe", None, {"TopicArn": TOPIC, "Protocol": "http", "Endpoint": f"http://127.0.0.1:9/{NAME}"}, {
        name: {"Attributes": attributes} for name, attributes in {
            "delivery": {"DeliveryPolicy": "[]"}, "filter": {"FilterPolicy": "{"}, "rule": {"FilterPolicy": '{"a": 1}'},
            "redrive": {"RedrivePolicy": "x"}, "no queue": {"RedrivePolicy": '{"deadLetterTargetArn": "x"}'},
            "unknown": {"RawMessageDelivery": "true", "Nonsense": "x"},
        }.items()
    }, "list_subscriptions", {}),
    ("sns", "create_topic", "Name", {}, {
        "policy": {"Attributes": {"Policy": "x"}}, "delivery": {"Attributes": {"DeliveryPolicy": "[]"}},
    }, "list_topics", {}),
    ("sqs", "create_queue", "QueueName", {}, {
        name: {"Attributes": {name: value}} for name, value in {
            "VisibilityTimeout": "x", "RedrivePolicy": "x", "Policy": "x", "FifoQueue": "true",
        }.items()
    }, "list_queues", {}),
    ("iam", "create_role", "RoleName", {"AssumeRolePolicyDocument": TRUST}, {
        "tags": {"Tags": DUPLICATE}, "boundary": {"PermissionsBoundary": "x"},
    }, "list_roles", {"MaxItems": 1000}),
    ("ecr", "create_repository", "repositoryName", {}, {
        "mutability": {"imageTagMutability": "X"},
    }, "describe_repositories", {}),
    ("events", "put_rule", "Name", RULE, {
        "tags": {"Tags": LONG}, "state": {"State": "X"}, "schedule": {"ScheduleExpression": "x"},
    }, "list_rules", {}),
    ("cloudwatch", "put_composite_alarm", "AlarmName", {"AlarmRule": "TRUE"}, {
        "suppressor": {"ActionsSuppressor": "x"},
    }, "describe_alarms", {"AlarmTypes": ["CompositeAlarm"]}),
    ("codebuild", "create_project", "name", PROJECT, {
        "tags": {"tags": _lower(LONG)}, "timeout": {"timeoutInMinutes": 1}, "key": {"encryptionKey": ""},
    }, "list_projects", {}),
    ("codepipeline", "create_pipeline", None, {}, {
        "tags": {"pipeline": {"name": NAME, **PIPELINE}, "tags": _lower(LONG)},
        "role": {"pipeline": {"name": NAME, **PIPELINE, "roleArn": "x"}},
    }, "list_pipelines", {}),
    ("sagemaker", "create_model_package_group", "ModelPackageGroupName", {}, {
        "tags": {"Tags": DUPLICATE},
    }, "list_model_package_groups", {"MaxResults": 100}),
    ("sagemaker", "create_experiment", "ExperimentName", {}, {
        "tags": {"Tags": DUPLICATE},
    }, "list_experiments", {"MaxResults": 100}),
    ("lambda", "create_function", "FunctionName", FUNCTION, {
        "memory": {"MemorySize": 1}, "environment": {"Environment": {"Variables": {"1 bad": "x"}}},
    }, "list_functions", {}),
    ("scheduler", "create_schedule", "Name", SCHEDULE, {
        "state": {"State": "X"}, "zone": {"ScheduleExpressionTimezone": "x"}, "group": {"GroupName": "none"},
    }, "list_schedules", {}),
    ("s3", "create_bucket", "Bucket", {}, {
        "place": {"CreateBucketConfiguration": {"LocationConstraint": "x"}}, "list": {"ACL": "x"},
    }, "list_buckets", {}),
    ("ssm", "put_parameter", "Name", {"Value": "a"}, {
        "type": {"Type": "X"},
    }, "describe_parameters", {"MaxResults": 50}),
    ("logs", "create_log_group", "logGroupName", {}, {"class": {"logGroupClass": "X"}}, "describe_log_groups", {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def client(service: Service) -> Callable[[str], Any]:
    options = Config(retries={"max_attempts": 0}, parameter_validation=False)
    service.client("sns").create_topic(Name="refusals")
    return lambda name: service.client(name, config=options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}:{case[1]}")
def test_a_creation_with_a_bad_member_leaves_nothing(client: Callable[[str], Any], case: Case) -> None:
    service, operation, name, good, bad, listing, everything = case
    own = client(service)
    for what, members in bad.items():
        request = {**good, **members, **({name: NAME} if name else {})}
        with pytest.raises(ClientError) as raised:
            getattr(own, operation)(**request)
        status = raised.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert 400 <= status < 500, (what, raised.value)
        assert NAME not in json.dumps(getattr(own, listing)(**everything), default=str), what


def test_a_subscription_that_exists_is_not_changed_by_half(client: Callable[[str], Any]) -> None:
    sns = client("sns")
    kept = {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE, "ReturnSubscriptionArn": True}
    arn = sns.subscribe(**kept, Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"]
    before = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    with pytest.raises(ClientError):
        sns.subscribe(
            **kept, Attributes={"RawMessageDelivery": "false", "FilterPolicy": '{"a": ["b"]}', "Nonsense": "x"}
        )
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] == before
