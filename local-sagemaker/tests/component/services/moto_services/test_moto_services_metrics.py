"""Data points of CloudWatch, spoken to by unmodified boto3 clients over a real socket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.services.cloudwatch import metric_data
from tests.component.services.moto_services.bridge import Bridge, Client

DIMENSION = {"Name": "Part", "Value": "a"}


def test_acknowledged_data_points_survive(bridge: Bridge, client: Client) -> None:
    metrics = client("cloudwatch")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [
        {"MetricName": "Errors", "Value": 2.0, "Timestamp": now - timedelta(minutes=3), "Dimensions": [DIMENSION]},
        {"MetricName": "Errors", "Values": [1.0, 5.0], "Counts": [2.0, 1.0], "Dimensions": [DIMENSION]},
    ]
    metrics.put_metric_data(Namespace="Kept", MetricData=data)

    def sums() -> list[float]:
        found = metrics.get_metric_statistics(
            Namespace="Kept", MetricName="Errors", Dimensions=[DIMENSION], Period=60, Statistics=["Sum"],
            StartTime=now - timedelta(minutes=10), EndTime=now + timedelta(minutes=10),
        )  # fmt: skip
        return sorted(row["Sum"] for row in found["Datapoints"])

    assert sums() == [2.0, 7.0]
    bridge.restart()
    assert sums() == [2.0, 7.0]
    with pytest.raises(ClientError):
        metrics.put_metric_data(Namespace="Kept", MetricData=[{"MetricName": "Errors", "Value": float("nan")}])
    bridge.restart()
    assert sums() == [2.0, 7.0]


def test_a_billion_of_a_value_is_one_point_and_the_oldest_points_are_dropped(
    bridge: Bridge, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_data, "KEPT_CALLS", 10)
    metrics, now = client("cloudwatch"), datetime.now(UTC).replace(microsecond=0)

    def found(name: str, stat: str) -> list[float]:
        metric = {"Metric": {"Namespace": "Bounded", "MetricName": name}, "Period": 3600, "Stat": stat}
        answer = metrics.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": metric}],
            StartTime=now - timedelta(minutes=30), EndTime=now + timedelta(minutes=30),
        )  # fmt: skip
        return list(answer["MetricDataResults"][0]["Values"])

    many = {"MetricName": "Many", "Values": [1.0, 5.0, 9.0], "Counts": [1e9, 1.0, 0.0], "Timestamp": now}
    half = {"SampleCount": 0.5, "Sum": 1.0, "Minimum": 2.0, "Maximum": 2.0}
    metrics.put_metric_data(Namespace="Bounded", MetricData=[many])
    metrics.put_metric_data(
        Namespace="Bounded", MetricData=[{"MetricName": "Half", "StatisticValues": half, "Timestamp": now}]
    )
    assert (found("Many", "SampleCount"), found("Many", "p99"), found("Many", "Maximum")) == ([1e9 + 1], [1.0], [5.0])
    assert (found("Half", "Average"), found("Half", "p50")) == ([2.0], [])
    for number in range(10):
        point = {"MetricName": "One", "Value": float(number), "Timestamp": now}
        metrics.put_metric_data(Namespace="Bounded", MetricData=[point])
    for bad in ({"Values": [1.0], "Counts": [1e308]}, {"Value": float("inf")}):
        with pytest.raises(ClientError, match="is invalid"):
            metrics.put_metric_data(Namespace="Bounded", MetricData=[{"MetricName": "Many", **bad}])
    expected = ([10.0], [], [])
    assert (found("One", "SampleCount"), found("Many", "Sum"), found("Half", "Sum")) == expected
    bridge.restart()
    assert (found("One", "SampleCount"), found("Many", "Sum"), found("Half", "Sum")) == expected
