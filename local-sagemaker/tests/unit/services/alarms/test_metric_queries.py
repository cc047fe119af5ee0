"""Which data a metric has, and its statistics."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend

from local_sagemaker.services.moto_services.metric_queries import get_metric_data, get_metric_statistics

START = datetime(2026, 1, 1)
HOST = [{"Name": "Host", "Value": "a"}]


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Points in memory only, also after a test that had them written into its records."""
    plainly = getattr(CloudWatchBackend, "put_data_plainly", CloudWatchBackend.put_metric_data)
    monkeypatch.setattr(CloudWatchBackend, "put_metric_data", plainly)
    made = CloudWatchBackend("us-east-1", "123456789012")
    times = {"Timestamp": START + timedelta(seconds=90)}
    made.put_metric_data("N", [
        {"MetricName": "M", "Value": 1, "Timestamp": START}, {"MetricName": "M", "Values": [2, 4], **times},
        {"MetricName": "M", "Value": 100, "Dimensions": HOST, **times},
    ])  # fmt: skip
    made.put_metric_data("Other", [{"MetricName": "M", "Value": 1000, **times}])
    return made


def values(backend: Any, stat: str, dimensions: Any = ()) -> list[float]:
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": dimensions}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
    found = get_metric_data(backend, [query], START, START + timedelta(minutes=5), "TimestampAscending")
    return list(found[0]["values"])


def test_a_metric_is_its_namespace_its_name_and_its_dimensions(backend: Any) -> None:
    assert values(backend, "Sum") == [1, 6]
    assert values(backend, "Sum", HOST) == [100]
    assert (values(backend, "Average"), values(backend, "p50"), values(backend, "SampleCount")) == (
        [1, 3], [1, 3], [1, 2],
    )  # fmt: skip
    end = START + timedelta(minutes=5)
    old = get_metric_statistics(backend, "N", "M", START, end, 60, ["Sum", "Maximum"], [])
    assert [(one.timestamp, one.sum, one.maximum) for one in old] == [
        (START, 1, 1), (START + timedelta(minutes=1), 6, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [{"Id": "q", "Expression": "SELECT AVG(M) FROM N"}, {"Id": "q", "Expression": "SEARCH('x', 'Sum')"},
     {"Id": "q", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "tm90"}}],
)  # fmt: skip
def test_what_is_refused_by_name(backend: Any, query: Any) -> None:
    with pytest.raises(ValidationError, match="LocalUnsupported"):
        get_metric_data(backend, [query], START, START + timedelta(minutes=5))
