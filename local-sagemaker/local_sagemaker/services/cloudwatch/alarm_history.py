"""The history of alarms, as DescribeAlarmHistory shows it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records import Records

KIND = "alarm-history"
KEPT = 500
"""Items that are kept of an alarm; AWS keeps them for 30 days."""


class AlarmHistory:
    """Items by alarm, in the order in which they were added."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, alarm: Mapping[str, Any], kind: str, summary: str, data: Mapping[str, Any]) -> None:
        """Adds an item: a ConfigurationUpdate, StateUpdate or Action."""
        name = alarm["AlarmName"]
        body = {
            "AlarmName": name, "AlarmType": "CompositeAlarm" if alarm.get("AlarmRule") else "MetricAlarm",
            "Timestamp": now(), "HistoryItemType": kind, "HistorySummary": summary,
            "HistoryData": json.dumps({"version": "1.0", **data}),
        }  # fmt: skip
        with self._records.transaction():
            self._records.insert(KIND, f"{name}/{secrets.token_hex(8)}", body)
            for key, _ in self._records.items(KIND, f"{name}/")[:-KEPT]:
                self._records.delete(KIND, key)
