"""Requests to the services that moto serves which AWS refuses and moto takes; texts as recorded of AWS or reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support import Service

PLAIN = Config(parameter_validation=False, retries={"max_attempts": 1})
ALARM = {
    "AlarmName": "a", "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
    "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})  # fmt: skip
VIOLATED = "failed to satisfy constraint: Member must"


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as failure:
        call(**request)
    assert failure.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return failure.value.response["Error"]["Code"], failure.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("name", "operation", "request_", "code", "text"),
    [
        ("cloudwatch", "put_metric_alarm", {**ALARM, "Statistic": "Median"}, "ValidationError",
         f"Value 'Median' at 'statistic' {VIOLATED} satisfy enum value set: [SampleCount, Average, Sum, Minimum"),
        ("cloudwatch", "put_metric_alarm", {**ALARM, "EvaluationPeriods": 0}, "ValidationError",
         f"Value '0' at 'evaluationPeriods' {VIOLATED} have value greater than or equal to 1"),
        ("cloudwatch", "put_metric_alarm", {**ALARM, "Period": 61}, "ValidationError",
         "Period must be "),
        ("cloudwatch", "put_metric_alarm", {**ALARM, "DatapointsToAlarm": 2}, "ValidationError",
         "DatapointsToAlarm must be less than or equal to EvaluationPeriods"),
        ("iam", "create_role", {"RoleName": "a b", "AssumeRolePolicyDocument": TRUST}, "ValidationError",
         f"Value at 'roleName' {VIOLATED} satisfy regular expression pattern: "),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": 1},
         "ValidationError", f"Value at 'maxSessionDuration' {VIOLATED} have value greater than or equal to 3600"),
        ("ssm", "put_parameter", {"Name": "p", "Value": "v", "Type": "String", "Tier": "x"}, "ValidationException",
         f"Value 'x' at 'tier' {VIOLATED} satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]"),
        ("sns", "publish", {"TopicArn": "t", "Message": "m", "MessageAttributes": {"a": {"StringValue": "x"}}},
         "ValidationError", f"Value null at 'messageAttributes.a.member.dataType' {VIOLATED} not be null"),
    ],
)  # fmt: skip
def test_the_model_is_kept(service: Service, name: str, operation: str, request_: Any, code: str, text: str) -> None:
    found = refused(getattr(service.client(name, config=PLAIN), operation), **request_)
    assert found[0] == code and text in found[1]


def test_an_alarm_may_have_a_period_of_less_than_a_minute(service: Service) -> None:
    """API reference, PutMetricAlarm: 10, 20, 30, and any multiple of 60."""
    cloudwatch = service.client("cloudwatch")
    for period in (10, 20, 30):
        cloudwatch.put_metric_alarm(**{**ALARM, "AlarmName": "short", "Period": period})
        assert cloudwatch.describe_alarms(AlarmNames=["short"])["MetricAlarms"][0]["Period"] == period
    cloudwatch.delete_alarms(AlarmNames=["short"])


@pytest.mark.parametrize(
    ("attributes", "code", "text"),
    [
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue", "Invalid value for the parameter VisibilityTimeout."),
        ({"DelaySeconds": "x"}, "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
        ({"Policy": "{"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
        ({"Nope": "1"}, "InvalidAttributeName", "Unknown Attribute Nope."),
        ({"QueueArn": "x"}, "InvalidAttributeName", "Unknown Attribute QueueArn."),
        ({"ContentBasedDeduplication": "true"}, "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."),
        ({"DeduplicationScope": "queue"}, "InvalidAttributeName",
         "You can specify the DeduplicationScope only when FifoQueue is set to true."),
    ],
)  # fmt: skip
def test_attributes_of_queues_have_names_and_ranges(
    service: Service, attributes: dict[str, str], code: str, text: str
) -> None:
    """When a queue is made, and when it is changed."""
    sqs = service.client("sqs")
    assert refused(sqs.create_queue, QueueName="never", Attributes=attributes) == (code, text)
    url = sqs.create_queue(QueueName="plain")["QueueUrl"]
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes) == (code, text)


def test_a_queue_keeps_its_kind_and_its_policy(service: Service) -> None:
    sqs = service.client("sqs")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = sqs.create_queue(QueueName="kept", Attributes={"Policy": policy})["QueueUrl"]
    unknown = ("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "true"}) == unknown
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900"})
    names = ["Policy", "DelaySeconds"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert found == {"Policy": policy, "DelaySeconds": "900"}
    assert sqs.create_queue(QueueName="kept", Attributes={"DelaySeconds": "900"})["QueueUrl"] == url
    assert refused(sqs.create_queue, QueueName="kept", Attributes={"DelaySeconds": "1"}) == (
        "QueueAlreadyExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )
    same = {"Policy": policy, "RedrivePolicy": _redrive(sqs, url)}
    failing = sqs.create_queue(QueueName="refuses", Attributes=same)["QueueUrl"]
    assert sqs.create_queue(QueueName="refuses", Attributes=same)["QueueUrl"] == failing
    turned = json.dumps(dict(reversed(json.loads(same["RedrivePolicy"]).items())))
    other = {"Policy": json.dumps({"Version": "2012-10-17", "Statement": []}),
             "RedrivePolicy": same["RedrivePolicy"].replace('"5"', "6"), "DelaySeconds": "1"}  # fmt: skip
    for name, value in other.items():
        for document in (same["RedrivePolicy"], turned) if name == "DelaySeconds" else (same["RedrivePolicy"],):
            text = f"A queue already exists with the same name and a different value for attribute {name}"
            attributes = {**same, "RedrivePolicy": document, name: value}
            assert refused(sqs.create_queue, QueueName="refuses", Attributes=attributes) == ("QueueAlreadyExists", text)
    fifo = sqs.create_queue(QueueName="kept.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    code, text = refused(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoQueue": "false"})
    assert (code, "Modifying queue type is not supported" in text) == ("InvalidAttributeValue", True)
    assert refused(sqs.create_queue, QueueName="no.fifo")[0] == "InvalidParameterValue"
    text = "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
    assert refused(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11) == ("InvalidParameterValue", text)
    text = "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
    assert refused(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=21) == ("InvalidParameterValue", text)
    empty = service.client("sqs", config=PLAIN).send_message
    missing = ("MissingParameter", "The request must contain the parameter MessageBody.")
    assert refused(empty, QueueUrl=url, MessageBody="") == missing


def _redrive(sqs: Any, url: str) -> str:
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})


@pytest.mark.parametrize(
    ("operation", "request_", "text"),
    [
        ("create_topic", {"Name": "new", "Attributes": {"Nope": "1"}}, "Attributes Reason: Unknown attribute Nope"),
        ("create_topic", {"Name": "new", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
         "Duplicated keys are not allowed."),
        ("create_topic", {"Name": "asked", "Tags": [{"Key": "k", "Value": "1"}]},
         "Tags Reason: Topic already exists with different tags"),
        ("tag_resource", {"ResourceArn": "TOPIC", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
         "Duplicated keys are not allowed."),
        ("set_topic_attributes", {"TopicArn": "TOPIC", "AttributeName": "Owner", "AttributeValue": "1"},
         "AttributeName"),
        ("set_topic_attributes", {"TopicArn": "TOPIC", "AttributeName": "Policy", "AttributeValue": "{}"}, "Policy"),
        ("set_topic_attributes", {"TopicArn": "TOPIC", "AttributeName": "Policy", "AttributeValue": "[]"}, "Policy"),
        ("set_topic_attributes", {"TopicArn": "TOPIC", "AttributeName": "Policy", "AttributeValue": "not json"},
         "Policy"),
        ("publish", {"TopicArn": "TOPIC", "Message": ""}, "Empty message"),
        ("publish", {"TopicArn": "TOPIC", "Message": "m", "Subject": ""}, "Subject"),
        ("publish", {"TopicArn": "t", "Message": "m"},
         "TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        ("publish", {"Message": "m"}, "TopicArn or TargetArn Reason: no value for required parameter"),
        ("publish", {"TopicArn": "TOPIC", "Message": "{", "MessageStructure": "json"},
         "Message Structure - JSON message body failed to parse"),
        ("publish", {"TopicArn": "TOPIC", "Message": "{}", "MessageStructure": "json"},
         "Message Structure - No default entry in JSON message body"),
        ("subscribe", {"TopicArn": "TOPIC", "Protocol": "nope", "Endpoint": "e"},
         "Amazon SNS does not support this protocol string: nope"),
    ],
)  # fmt: skip
def test_topics_refuse(service: Service, operation: str, request_: dict[str, Any], text: str) -> None:
    sns = service.client("sns")
    topic = sns.create_topic(Name="asked")["TopicArn"]
    filled = {name: topic if value == "TOPIC" else value for name, value in request_.items()}
    assert refused(getattr(sns, operation), **filled) == ("InvalidParameter", f"Invalid parameter: {text}")
    assert "new" not in [row["TopicArn"].rpartition(":")[2] for row in sns.list_topics()["Topics"]]
