"""What alarms send: to topics, to functions, and as events (forms: CloudWatch User Guide)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.services.cloudwatch.alarm_evaluation import AlarmVerdict

Alarm = Mapping[str, Any]
SUPPRESSING = ("ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
"""The members of a composite alarm that has a suppressor."""
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def time_text(seconds: float) -> str:
    """A time as CloudWatch writes it: ``2026-01-31T12:00:00.000+0000``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def notification(alarm: Alarm, before: str, verdict: AlarmVerdict, moment: float, settings: Settings) -> dict[str, Any]:
    """The message to a topic."""
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": settings.account,
        "AlarmConfigurationUpdatedTimestamp": time_text(alarm.get("AlarmConfigurationUpdatedTimestamp", moment)),
        "NewStateValue": verdict.state,
        "NewStateReason": verdict.reason,
        "StateChangeTime": time_text(moment),
        "Region": region_name(settings.region),
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": before,
        **{name: list(alarm.get(name, ())) for name in _ACTIONS},
        **({"AlarmRule": alarm["AlarmRule"]} if alarm.get("AlarmRule") else {"Trigger": _trigger(alarm)}),
    }


def _trigger(alarm: Alarm) -> dict[str, Any]:
    return {
        "MetricName": alarm.get("MetricName"),
        "Namespace": alarm.get("Namespace"),
        "StatisticType": "Statistic",
        "Statistic": str(alarm.get("Statistic") or alarm.get("ExtendedStatistic") or "").upper(),
        "Unit": alarm.get("Unit"),
        "Dimensions": [{"name": one["Name"], "value": one["Value"]} for one in alarm.get("Dimensions", ())],
        "Period": alarm.get("Period"),
        "EvaluationPeriods": alarm.get("EvaluationPeriods"),
        "ComparisonOperator": alarm.get("ComparisonOperator"),
        "Threshold": alarm.get("Threshold"),
        "TreatMissingData": alarm.get("TreatMissingData") or "missing",
        "EvaluateLowSampleCountPercentile": alarm.get("EvaluateLowSampleCountPercentile") or "",
    }


def configuration(alarm: Alarm) -> dict[str, Any]:
    """The configuration in an event."""
    if alarm.get("AlarmRule"):
        rule = {"alarmRule": alarm["AlarmRule"], "description": alarm.get("AlarmDescription")}
        return rule | {name[0].lower() + name[1:]: alarm[name] for name in SUPPRESSING if name in alarm}
    metric = {
        "namespace": alarm.get("Namespace"), "name": alarm.get("MetricName"),
        "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", ())},
    }  # fmt: skip
    stat = {"metric": metric, "period": alarm.get("Period"), "stat": alarm.get("Statistic")}
    return {
        "description": alarm.get("AlarmDescription"),
        "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}],
    }


def invocation(alarm: Alarm, body: Mapping[str, Any], moment: float, settings: Settings) -> dict[str, Any]:
    """The event of a function that is an action."""
    data = {"alarmName": alarm["AlarmName"], **{name: body.get(name) for name in ("state", "previousState")}}
    return {
        "source": "aws.cloudwatch", "alarmArn": alarm["AlarmArn"], "accountId": settings.account,
        "time": time_text(moment), "region": settings.region,
        "alarmData": {**data, "configuration": body.get("configuration")},
    }  # fmt: skip


@lru_cache
def region_name(region: str) -> str:
    """The name of a region for people, e.g. ``US East (N. Virginia)``."""
    from botocore.loaders import Loader

    for partition in Loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region
