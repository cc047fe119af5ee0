"""The alarms and alerts of a monitoring schedule, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.times import seconds

_CHANGES = 50
_ALARMS = 1_000


@dataclass(frozen=True)
class AlarmRow:
    """An alarm on the monitor's metrics."""

    name: str
    state: str
    metric: str
    condition: str
    reason: str


@dataclass(frozen=True)
class AlarmChange:
    """Something that became of an alarm or an alert. `status` is empty where it is no change of the state."""

    time: float | None
    name: str
    status: str
    text: str


def alarms_of(visit: Visit, schedule: str, endpoint: str) -> list[AlarmRow]:
    """The alarms one of whose dimensions is this schedule, or this endpoint."""
    rows = []
    for item in items_or_none(visit, "cloudwatch:DescribeAlarms", "MetricAlarms", _ALARMS, MaxRecords=100):
        values = {pair["Name"]: pair["Value"] for pair in item.get("Dimensions", [])}
        own = values.get("MonitoringSchedule") == schedule
        others = "MonitoringSchedule" not in values and endpoint in (values.get("Endpoint"), values.get("EndpointName"))
        if own or (others and endpoint):
            sign = _SIGNS.get(item.get("ComparisonOperator", ""), item.get("ComparisonOperator", ""))
            condition = f"{item.get('Statistic', '')} {sign} {item.get('Threshold', '')}".strip()
            rows.append(
                AlarmRow(
                    item["AlarmName"], item.get("StateValue", ""), item.get("MetricName", ""), condition,
                    item.get("StateReason", ""),
                )
            )  # fmt: skip
    return rows


_SIGNS = {
    "GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": "≥", "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "≤",
}  # fmt: skip


def history_of(visit: Visit, schedule: str, alarms: Sequence[AlarmRow]) -> list[AlarmChange]:
    """DescribeAlarmHistory of each alarm, and ListMonitoringAlertHistory; the newest 50 together."""
    changes = []
    for alarm in alarms:
        request = {"AlarmName": alarm.name, "MaxRecords": _CHANGES}
        response = visit.optional("cloudwatch:DescribeAlarmHistory", request) or {}
        changes += [_to_change(item) for item in response.get("AlarmHistoryItems", [])]
    alerts = items_or_none(
        visit, "sagemaker:ListMonitoringAlertHistory", "MonitoringAlertHistory", _CHANGES, MaxResults=_CHANGES,
        MonitoringScheduleName=schedule,
    )  # fmt: skip
    changes += [
        AlarmChange(seconds(item["CreationTime"]), item["MonitoringAlertName"], item["AlertStatus"], "")
        for item in alerts
    ]
    return sorted(changes, key=lambda item: -(item.time or 0.0))[:_CHANGES]


def _to_change(item: Mapping[str, Any]) -> AlarmChange:
    """An item of an alarm's history; that of another state has it, with its reason, as JSON."""
    state: Any = {}
    if item.get("HistoryItemType") == "StateUpdate":
        try:
            state = json.loads(item.get("HistoryData") or "{}").get("newState", {})
        except ValueError:
            state = {}
    text = state.get("reason") or item.get("HistorySummary", "")
    return AlarmChange(seconds(item.get("Timestamp")), item["AlarmName"], state.get("value", ""), text)
