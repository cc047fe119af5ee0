"""Alarms over boto3: metric math, and composite ones, whose actions a suppressor holds back (DEL-40)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
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


@pytest.mark.parametrize("rule", ["Everything", "ALARM(", "TRUE AND", "ALARM(a) ALARM(b)", "(" * 500])
def test_a_rule_that_is_none_is_refused(alarms: Any, rule: str) -> None:
    with pytest.raises(ClientError, match="AlarmRule is not valid") as raised:
        alarms.put_composite_alarm(AlarmName="unruly", AlarmRule=rule)
    assert raised.value.response["Error"]["Code"] == "ValidationError"
    assert not alarms.describe_alarms(AlarmNames=["unruly"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]


def test_an_alarm_on_metric_math_sees_its_own_metrics_only(service: Service, alarms: Any) -> None:
    def query(name: str, stat: str = "Sum") -> dict[str, Any]:
        metric = {"Namespace": "Math", "MetricName": name}
        return {"Id": name.lower(), "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, "ReturnData": False}

    rate = {"Id": "rate", "Expression": "100 * errors / requests", "ReturnData": True}
    queries = [query("Errors"), query("Requests"), rate]
    alarms.put_metric_alarm(
        AlarmName="math", Metrics=queries, EvaluationPeriods=1, Threshold=40,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    host = [{"Name": "Host", "Value": "other"}]
    data = [{"MetricName": "Errors", "Value": 5}, {"MetricName": "Requests", "Values": [1, 3], "Counts": [4, 2]},
            {"MetricName": "Requests", "Value": 1000, "Dimensions": host}]  # fmt: skip
    alarms.put_metric_data(Namespace="Elsewhere", MetricData=data)
    alarms.put_metric_data(Namespace="Math", MetricData=data)
    state = soon(
        lambda: [
            one for one in alarms.describe_alarms(AlarmNames=["math"])["MetricAlarms"] if one["StateValue"] == "ALARM"
        ],
        "the alarm on the rate of errors",
    )[0]
    assert "[50.0 (" in state["StateReason"]
    clock = datetime.fromisoformat(json.loads(service.run(
        "local-sagemaker", "--home", str(service.home), "clock", "--json").stdout)["now"])  # fmt: skip
    percentile = {**query("Requests", "p50"), "ReturnData": True}
    found = alarms.get_metric_data(
        MetricDataQueries=[percentile], StartTime=clock - timedelta(hours=1), EndTime=clock + timedelta(minutes=1)
    )["MetricDataResults"][0]
    assert found["Values"] == [1.0]
    band = {"Id": "rate", "Expression": "ANOMALY_DETECTION_BAND(errors, 2)"}
    with pytest.raises(ClientError, match="ANOMALY_DETECTION_BAND is not executed"):
        alarms.put_metric_alarm(
            AlarmName="band", Metrics=[query("Errors"), band], EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
