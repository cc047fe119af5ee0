"""CloudWatch for the data plane, through the spine: metrics of jobs and endpoints, alarms of deployments."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ServiceError
from local_sagemaker.records.status import AlarmState

log = logging.getLogger(__name__)


class Metrics:
    """One region's metrics and alarms."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def put(self, namespace: str, data: Sequence[dict[str, Any]]) -> None:
        """PutMetricData. Metrics that are refused are in the service's log only: no job fails for them."""
        try:
            self._call("cloudwatch:PutMetricData", {"Namespace": namespace, "MetricData": list(data)})
        except ServiceError as error:
            log.warning("metrics were refused: %s: %s", error.code, error.message)

    def in_alarm(self, names: Sequence[str]) -> list[str]:
        """Which of these alarms are in ALARM. An alarm that does not exist is not."""
        response = self._call("cloudwatch:DescribeAlarms", {"AlarmNames": list(names)})
        states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in response.get("MetricAlarms", ())}
        return [name for name in names if states.get(name) == AlarmState.ALARM]
