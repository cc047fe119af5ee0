"""CloudWatch for the service itself: puts the metrics of endpoints and asks for alarms, as any client would."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from local_sagemaker.http import RawRequest, RawResponse

Ask = Callable[[str, RawRequest], RawResponse]
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
            _flatten(f"MetricData.member.{number}", datum, parameters)
        response = self._query("PutMetricData", parameters)
        if response.status >= 300:
            log.warning("metrics were refused: %s", response.body[:500])

    def in_alarm(self, names: Sequence[str]) -> list[str]:
        """Which of these alarms are in ALARM; one that is not there is not."""
        parameters: dict[str, str] = {}
        _flatten("AlarmNames", list(names), parameters)
        response = self._query("DescribeAlarms", parameters)
        alarms = ElementTree.fromstring(response.body).iterfind(f".//{_SPACE}MetricAlarms/{_SPACE}member")
        states = {alarm.findtext(f"{_SPACE}AlarmName"): alarm.findtext(f"{_SPACE}StateValue") for alarm in alarms}
        return [name for name in names if states.get(name) == "ALARM"]

    def _query(self, action: str, parameters: Mapping[str, str]) -> RawResponse:
        body = urlencode({"Action": action, "Version": _VERSION, **parameters}).encode()
        credential = f"Credential=local/20200101/{self._region}/monitoring/aws4_request"
        headers = {
            "host": f"monitoring.{self._region}.amazonaws.com",
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
        }
        return self._ask("monitoring", RawRequest("POST", "/", "", headers, body))


def _flatten(path: str, value: Any, into: dict[str, str]) -> None:
    """The query protocol's names of a structure's parts."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _flatten(f"{path}.{name}", part, into)
    elif isinstance(value, list):
        for number, part in enumerate(value, 1):
            _flatten(f"{path}.member.{number}", part, into)
    elif path.endswith(".Timestamp"):
        into[path] = datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    else:
        into[path] = str(value)
