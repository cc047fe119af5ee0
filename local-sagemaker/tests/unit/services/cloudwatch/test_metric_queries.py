"""Which data a metric has, and its statistics."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import CloudWatchBackend

from local_sagemaker.services.cloudwatch import alarms
from local_sagemaker.services.cloudwatch.metric_queries import get_metric_data, get_metric_statistics

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


def expression(text: str, name: str = "e", **members: Any) -> dict[str, Any]:
    return {"Id": name, "Expression": text, **members}


M = {"Id": "m", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 1, "Stat": "Sum"}}


def test_what_functions_make_of_nothing_is_bounded(backend: Any) -> None:
    """400 days of seconds; without such functions there is nothing to be bounded."""
    for text in ("FILL(m, REPEAT)", "FILL(m, 0)", "TIME_SERIES(1)", "SUM([FILL(m, 0), m])"):
        with pytest.raises(ValidationError, match="LocalUnsupported: more than"):
            get_metric_data(backend, [M, expression(text)], START, START + timedelta(days=400))
    found = get_metric_data(backend, [M, expression("m * 2")], START, START + timedelta(days=400))
    assert [row["values"] for row in found] == [[6, 1], [12, 2]]
    found = get_metric_data(backend, [M, expression("FILL(m, REPEAT)")], START, START + timedelta(days=3))
    assert len(found[1]["values"]) == 3 * 86_400


def test_an_expression_may_use_another_whatever_that_is(backend: Any) -> None:
    queries = [expression("FILL(m, k)"), expression("2 + 3", "k", ReturnData=False), M]
    found = get_metric_data(backend, queries, START, START + timedelta(seconds=3), "TimestampAscending")
    assert found[0]["values"] == [1, 5, 5]


@pytest.mark.parametrize("text", ["SUM(m)", "METRICS()", "RATE(METRICS())", "5"])
def test_alarms_are_of_one_series(text: str) -> None:
    stat = SimpleNamespace(stat="Sum")
    metric = SimpleNamespace(id="m", expression=None, metric_stat=stat, return_data="false")
    queries = [metric, SimpleNamespace(id="e", expression=text, metric_stat=None, return_data="true")]
    with pytest.raises(ValidationError, match="must return a single time series"):
        alarms._check_alarm({"metric_data_queries": queries})
    queries[1].expression = "TIME_SERIES(1) + 0 * m"
    alarms._check_alarm({"metric_data_queries": queries})
