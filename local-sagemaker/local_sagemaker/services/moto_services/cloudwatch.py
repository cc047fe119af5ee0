"""CloudWatch for the service itself: puts the metrics of endpoints and asks for alarms, as any client would."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from local_sagemaker.http import RawResponse
from local_sagemaker.services.moto_services.query_calls import Ask, flatten, query

_VERSION = "2010-08-01"
_SPACE = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"
log = logging.getLogger(__name__)


class CloudWatch:
    """The two operations that hosting needs, in the query protocol. `ask` is `Neighbours.answer`."""

    def __init__(self, ask: Ask, region: str) -> None:
        self._ask, self._region = ask, region

    def put_metrics(self, namespace: str, data: Sequence[Mapping[str, Any]]) -> None:
        """PutMetricData; times in seconds since the epoch."""
        parameters: dict[str, str] = {"Namespace": namespace}
        for number, datum in enumerate(data, 1):
            flatten(f"MetricData.member.{number}", datum, parameters)
        response = self._query("PutMetricData", parameters)
        if response.status >= 300:
            log.warning("metrics were refused: %s", response.body[:500])

    def in_alarm(self, names: Sequence[str]) -> list[str]:
        """Which of these alarms are in ALARM; one that is not there is not."""
        parameters: dict[str, str] = {}
        flatten("AlarmNames", list(names), parameters)
        response = self._query("DescribeAlarms", parameters)
        alarms = ElementTree.fromstring(response.body).iterfind(f".//{_SPACE}MetricAlarms/{_SPACE}member")
        states = {alarm.findtext(f"{_SPACE}AlarmName"): alarm.findtext(f"{_SPACE}StateValue") for alarm in alarms}
        return [name for name in names if states.get(name) == "ALARM"]

    def _query(self, action: str, parameters: Mapping[str, str]) -> RawResponse:
        return query(self._ask, "monitoring", _VERSION, self._region, action, parameters)
