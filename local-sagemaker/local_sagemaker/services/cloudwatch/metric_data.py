"""CloudWatch's data points outlive a restart: what PutMetricData acknowledged is a record.

moto keeps them in memory only. They are not in the journal of changes, of which every entry is made again: here the
oldest are dropped.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.records import Records

KIND = "metric-data"
KEPT_SECONDS = 15 * 24 * 3600.0
"""How long points are kept; as long as AWS keeps those of a minute."""
_GREATEST = 2.0**360
MOST_DATA, MOST_VALUES = 1_000, 150
OLDEST, NEWEST = 14 * 24 * 3600.0, 2 * 3600.0
"""Seconds before and after now."""
KEPT_CALLS = 20_000
"""Calls of PutMetricData that are kept, the newest."""


class MetricData:
    """The records of all data points. Points without a time are of the service's clock."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._count = 0
        self._lock = threading.Lock()
        """Points are in the order of their records, of which the oldest are dropped."""

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
            backend.put_data_plainly(record["namespace"], _spread(data))
            self._count += 1

    def _take_in(self, backend: Any, namespace: str, data: Sequence[dict[str, Any]]) -> None:
        moment = _moment(now())
        _check_counts(data)
        points = [{**point, "Timestamp": point.get("Timestamp") or moment} for point in data]
        for number, point in enumerate(points, 1):
            backend._validate_parameters_put_metric_data(point, number)
            _check_dimensions(point)
            _check_range(point, number)
            _check_time(point, number)
        kept = [{**point, "Timestamp": _seconds(point["Timestamp"])} for point in points]
        body = {"account": backend.account_id, "region": backend.region_name, "namespace": namespace,
                "time": now(), "data": kept}  # fmt: skip
        with self._lock:
            backend.put_data_plainly(namespace, _spread(points))
            self._records.put(KIND, secrets.token_hex(12), body)
            self._count += 1
            if self._count > KEPT_CALLS + KEPT_CALLS // 10:
                self._trim()

    def _trim(self) -> None:
        """Drops the oldest points, from memory, too: each request for metrics looks at all of them."""
        from moto.cloudwatch.models import cloudwatch_backends

        items = list(self._records.items(KIND))
        dropped: Counter[tuple[str, str]] = Counter()
        for key, record in items[:-KEPT_CALLS]:
            self._records.delete(KIND, key)
            dropped[record["account"], record["region"]] += len(_spread(record["data"]))
        for (account, region), count in dropped.items():
            backend: Any = cloudwatch_backends[account][region]
            backend.metric_data = backend.metric_data[count:]
        self._count = min(len(items), KEPT_CALLS)


def _check_counts(data: Sequence[dict[str, Any]]) -> None:
    """Refuses more data than AWS takes at once (API reference, PutMetricData and MetricDatum)."""
    from moto.cloudwatch.exceptions import InvalidParameterValue

    sizes = {"": (len(data), MOST_DATA)}
    sizes |= {f".member.{number}.Values": (len(point.get("Values") or ()), MOST_VALUES)
              for number, point in enumerate(data, 1)}  # fmt: skip
    for name, (size, most) in sizes.items():
        if size > most:
            raise InvalidParameterValue(f"The collection MetricData{name} must not have a size greater than {most}.")


def _check_time(point: dict[str, Any], number: int) -> None:
    """Refuses times that AWS does not take, by the service's clock."""
    from moto.cloudwatch.exceptions import InvalidParameterValue

    seconds = _seconds(point["Timestamp"])
    for wrong, text in (
        (seconds < now() - OLDEST, "no more than two weeks in the past"),
        (seconds > now() + NEWEST, "no more than two hours in the future"),
    ):
        if wrong:
            name = f"MetricData.member.{number}.Timestamp"
            raise InvalidParameterValue(f"The parameter {name} must specify a time {text}.")


def _check_dimensions(point: dict[str, Any]) -> None:
    """Refuses a name of two dimensions, in the words of AWS (jdamick/dropwizard-metrics-cloudwatch#3)."""
    from moto.cloudwatch.exceptions import InvalidParameterValue

    names = [dimension["Name"] for dimension in point.get("Dimensions") or ()]
    if len(set(names)) < len(names):
        raise InvalidParameterValue("No metric may specify the same dimension name twice.")


def _check_range(point: dict[str, Any], number: int) -> None:
    """Refuses numbers beyond those that CloudWatch takes (API reference, MetricDatum)."""
    from moto.cloudwatch.exceptions import InvalidParameterValue

    values = {name: point[name] for name in ("Value", "Values", "Counts") if name in point}
    for name, numbers in {**values, **(point.get("StatisticValues") or {})}.items():
        for value in numbers if isinstance(numbers, list) else [numbers]:
            if not abs(float(value)) <= _GREATEST:
                text = f"The value {value} for parameter MetricData.member.{number}.{name} is invalid."
                raise InvalidParameterValue(text)


def _spread(points: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Points of one value or one set of statistics each: as many as the client wrote, however large its counts are."""
    data = []
    for point in points:
        values = point.get("Values") or ()
        rest = {name: value for name, value in point.items() if name not in ("Values", "Counts")} if values else point
        counts = point.get("Counts") or [1.0] * len(values)
        data += [{**rest, **_set(*pair)} for pair in zip(values, counts, strict=True) if float(pair[1]) > 0]
        if not values:
            data.append(rest)
    return data


def _set(value: float, count: float) -> dict[str, Any]:
    """A value that was seen so many times."""
    if float(count) == 1:
        return {"Value": value}
    return {
        "StatisticValues": {
            "SampleCount": count,
            "Sum": float(value) * float(count),
            "Minimum": value,
            "Maximum": value,
        }
    }


def _moment(seconds: float) -> datetime:
    """A time as moto has it: UTC, which it does not say."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
