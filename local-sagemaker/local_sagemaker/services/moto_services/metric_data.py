"""CloudWatch's data points outlive a restart: what PutMetricData acknowledged is a record.

moto keeps them in memory only. They are not in the journal of changes, of which every entry is made again: here the
oldest are dropped.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records import Records

KIND = "metric-data"
KEPT_SECONDS = 15 * 24 * 3600.0
"""How long points are kept; as long as AWS keeps those of a minute."""
KEPT_CALLS = 20_000
"""Calls of PutMetricData that are kept, the newest."""


class MetricData:
    """The records of all data points. Points without a time are of the service's clock."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._count = 0

    def install(self) -> None:
        """Has moto's backends write down what they take in; done again for another state folder."""
        from moto.cloudwatch.models import CloudWatchBackend

        backend: Any = CloudWatchBackend
        if not hasattr(backend, "put_data_plainly"):
            backend.put_data_plainly = backend.put_metric_data

        def put_metric_data(own: Any, namespace: str, metric_data: Sequence[dict[str, Any]]) -> None:
            self._take_in(own, namespace, metric_data)

        backend.put_metric_data = put_metric_data

    def restore(self) -> None:
        """Puts the points back; drops those that are too old."""
        from moto.cloudwatch.models import cloudwatch_backends

        self._count = 0
        for key, record in self._records.items(KIND):
            if record["time"] < now() - KEPT_SECONDS:
                self._records.delete(KIND, key)
                continue
            data = [{**point, "Timestamp": _moment(point["Timestamp"])} for point in record["data"]]
            backend: Any = cloudwatch_backends[record["account"]][record["region"]]
            backend.put_data_plainly(record["namespace"], data)
            self._count += 1

    def _take_in(self, backend: Any, namespace: str, data: Sequence[dict[str, Any]]) -> None:
        moment = _moment(now())
        points = [{**point, "Timestamp": point.get("Timestamp") or moment} for point in data]
        backend.put_data_plainly(namespace, points)  # refuses what is not valid
        kept = [{**point, "Timestamp": _seconds(point["Timestamp"])} for point in points]
        body = {"account": backend.account_id, "region": backend.region_name, "namespace": namespace,
                "time": now(), "data": kept}  # fmt: skip
        self._records.put(KIND, secrets.token_hex(12), body)
        self._count += 1
        if self._count > KEPT_CALLS + KEPT_CALLS // 10:
            self._trim()

    def _trim(self) -> None:
        keys = [key for key, _ in self._records.items(KIND)]
        for key in keys[:-KEPT_CALLS]:
            self._records.delete(KIND, key)
        self._count = min(len(keys), KEPT_CALLS)


def _moment(seconds: float) -> datetime:
    """A time as moto has it: UTC, which it does not say."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
