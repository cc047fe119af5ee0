"""Composite alarms over boto3: a suppressor holds their actions back until the extension after its ALARM is over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until


def soon(condition: Any, what: str) -> Any:
    return until(condition, what, seconds=120)


@pytest.fixture(scope="module")
def alarms(service: Service) -> Any:
    client = service.client("cloudwatch")
    for name in ("child", "maintenance"):
        client.put_metric_alarm(
            AlarmName=f"composite-{name}", Namespace="Composite", MetricName=name, Statistic="Sum", Period=60,
            EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    return client


def set_state(alarms: Any, name: str, value: str) -> None:
    alarms.set_alarm_state(AlarmName=f"composite-{name}", StateValue=value, StateReason="a test")


def test_actions_are_held_back_while_the_suppressor_is_in_alarm(service: Service, alarms: Any) -> None:
    sqs, sns = service.client("sqs"), service.client("sns")
    url = sqs.create_queue(QueueName="composite-alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="composite-alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    set_state(alarms, "maintenance", "ALARM")
    alarms.put_composite_alarm(
        AlarmName="composite", AlarmRule='ALARM("composite-child")', AlarmActions=[topic],
        ActionsSuppressor="composite-maintenance", ActionsSuppressorWaitPeriod=1, ActionsSuppressorExtensionPeriod=1,
    )  # fmt: skip

    def described() -> dict[str, Any]:
        return dict(
            alarms.describe_alarms(AlarmNames=["composite"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
        )

    assert described()["ActionsSuppressor"] == "composite-maintenance"
    soon(lambda: described()["StateValue"] == "OK", "the alarm is evaluated")
    set_state(alarms, "child", "ALARM")
    soon(lambda: described()["StateValue"] == "ALARM", "the alarm follows its child")
    assert described()["ActionsSuppressedBy"] == "Alarm"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    set_state(alarms, "maintenance", "OK")
    message = soon(lambda: sqs.receive_message(QueueUrl=url).get("Messages"), "the action after the extension")[0]
    sent = json.loads(json.loads(message["Body"])["Message"])
    assert (sent["AlarmName"], sent["NewStateValue"], sent["OldStateValue"]) == ("composite", "ALARM", "OK")
    soon(lambda: "ActionsSuppressedBy" not in described(), "nothing is suppressed any more")


def test_a_suppressor_needs_both_periods(alarms: Any) -> None:
    with pytest.raises(ClientError, match="ActionsSuppressorExtensionPeriod is required"):
        alarms.put_composite_alarm(
            AlarmName="half", AlarmRule="TRUE", ActionsSuppressor="composite-child", ActionsSuppressorWaitPeriod=1
        )
