"""GetMetricData and GetMetricStatistics instead of moto's: a metric is its namespace, name and exactly its dimensions.

There are percentiles and metric math, too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, overload

from local_sagemaker.services.cloudwatch.metric_math import (
    SAMPLE,
    MetricMathError,
    MetricScope,
    Series,
    Value,
    check,
    evaluate,
)

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
Query = Mapping[str, Any]


def install() -> None:
    """Changes moto's class."""
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    backend: Any = CloudWatchBackend
    backend.get_metric_data = get_metric_data
    backend.get_metric_statistics = get_metric_statistics
    responses: Any = CloudWatchResponse
    if not hasattr(responses, "get_statistics_plainly"):
        responses.get_statistics_plainly = responses.get_metric_statistics
    responses.get_metric_statistics = _without_percentiles


def _without_percentiles(response: Any) -> Any:
    if response._get_param("ExtendedStatistics"):
        raise _refusal("LocalUnsupported: GetMetricStatistics has no ExtendedStatistics here; GetMetricData has them.")
    return response.get_statistics_plainly()


def get_metric_statistics(
    backend: Any, namespace: str, metric_name: str, start_time: datetime, end_time: datetime, period: int,
    stats: list[str], dimensions: Sequence[Query], unit: str | None = None,
) -> list[Any]:  # fmt: skip
    """The periods that have data, in moto's form."""
    from moto.cloudwatch.exceptions import InvalidParameterValue
    from moto.cloudwatch.models import Statistics

    start = start_time.replace(microsecond=0)
    if start >= end_time:
        raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
    metric = {"Namespace": namespace, "MetricName": metric_name, "Dimensions": dimensions}
    wanted = {"Metric": metric, "Period": period, "Unit": unit}
    datapoints = []
    for number, data in sorted(_in_periods(backend.get_all_metrics(), wanted, start, end_time).items()):
        statistics = Statistics(stats, start + timedelta(seconds=number * period), data[0].unit)
        statistics.metric_data = data
        datapoints.append(statistics)
    return datapoints


def get_metric_data(
    backend: Any, queries: Sequence[Query], start_time: datetime, end_time: datetime, scan_by: str = ""
) -> list[dict[str, Any]]:
    """The results of all queries that return data, in moto's form."""
    start, end = start_time.replace(microsecond=0), end_time
    if start >= end_time:
        raise _refusal("The parameter EndTime must be greater than StartTime.")
    check_queries(queries)
    results: dict[str, Value] = {}
    metrics = [str(query["Id"]) for query in queries if "MetricStat" in query]
    for query in queries:
        if "MetricStat" in query:
            results[query["Id"]] = _statistics(backend.get_all_metrics(), query["MetricStat"], start, end)
    made = [0]
    for query in _in_order(queries):
        period = int(query.get("Period") or _period(queries))
        times = PeriodTimes(_seconds(start), period, _count(start, end, period))
        try:
            results[query["Id"]] = evaluate(query["Expression"], MetricScope(results, metrics, times, period, made))
        except MetricMathError as error:
            raise _refusal(str(error)) from error
    rendered = []
    for query in queries:
        if query.get("ReturnData", True):
            value = results[query["Id"]]
            several = value if isinstance(value, list) else [value]
            rendered += [_render(query, one, start, scan_by != "TimestampAscending") for one in several]
    return rendered


@dataclass(frozen=True)
class PeriodTimes(Sequence[float]):
    """The beginnings of so many periods, in seconds since the epoch; none is kept."""

    start: float
    period: int
    total: int

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, number: int) -> float: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[float]: ...

    def __getitem__(self, number: int | slice) -> float | Sequence[float]:
        if isinstance(number, slice):
            return [self.start + one * self.period for one in range(self.total)[number]]
        return self.start + range(self.total)[number] * self.period


def check_queries(queries: Sequence[Query]) -> Mapping[str, Value]:
    """Refuses statistics and expressions that are not executed. Raises moto's ValidationError.

    Returns a sample of each query's result: a number, a series or several.
    """
    for query in queries:
        stat = query["MetricStat"]["Stat"] if query.get("MetricStat") else ""
        if stat and stat not in STATISTICS and not _PERCENTILE.fullmatch(stat):
            raise _refusal(f"LocalUnsupported: the statistic {stat} is not executed by the local service.")
        expression = str(query.get("Expression") or "")
        if expression.lstrip().upper().startswith("SELECT"):
            raise _refusal("LocalUnsupported: Metrics Insights is not executed by the local service.")
    metrics = [str(query["Id"]) for query in queries if query.get("MetricStat")]
    results: dict[str, Value] = dict.fromkeys(metrics, SAMPLE)
    for query in _in_order(queries):
        try:
            results[str(query["Id"])] = check(query["Expression"], results, metrics)
        except MetricMathError as error:
            raise _refusal(str(error)) from error
    return results


def _refusal(text: str) -> Exception:
    from moto.cloudwatch.exceptions import ValidationError

    return ValidationError(text)


def _in_order(queries: Sequence[Query]) -> Iterable[Query]:
    """The expressions, each behind those that it names."""
    waiting = {str(query["Id"]): query for query in queries if query.get("Expression")}
    while waiting:
        ready = [name for name, query in waiting.items() if not _names(query) & (waiting.keys() - {name})]
        if not ready:
            raise _refusal(f"Expressions name one another: {', '.join(waiting)}")
        for name in ready:
            yield waiting.pop(name)


def _names(query: Query) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", query["Expression"]))


def _period(queries: Sequence[Query]) -> int:
    return max([int(query["MetricStat"]["Period"]) for query in queries if query.get("MetricStat")] or [60])


def _count(start: datetime, end: datetime, period: int) -> int:
    return max(0, -(-int((end - start).total_seconds()) // period))


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _statistics(data: Iterable[Any], wanted: Query, start: datetime, end: datetime) -> Series:
    """The statistic of each period that has data."""
    begin, period = _seconds(start), int(wanted["Period"])
    periods = _in_periods(data, wanted, start, end)
    values = {
        begin + number * period: _statistic(wanted["Stat"], numbers) for number, numbers in sorted(periods.items())
    }
    return {time: value for time, value in values.items() if value is not None}


def _in_periods(data: Iterable[Any], wanted: Query, start: datetime, end: datetime) -> dict[int, list[Any]]:
    """The data of a metric by the number of their period: of its namespace, its name and exactly its dimensions."""
    metric, period = wanted["Metric"], int(wanted["Period"])
    dimensions = sorted((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())
    periods: dict[int, list[Any]] = {}
    for datum in data:
        if (datum.namespace, datum.name) != (metric["Namespace"], metric["MetricName"]):
            continue
        if not start <= datum.timestamp < end or (wanted.get("Unit") and datum.unit != wanted["Unit"]):
            continue
        if sorted((one.name, one.value) for one in datum.dimensions) == dimensions:
            number = int((datum.timestamp - start).total_seconds() // period)
            periods.setdefault(number, []).append(datum)
    return periods


def _statistic(stat: str, data: Sequence[Any]) -> float | None:
    """One statistic; None where sets of statistics have no percentile (user guide, "Percentiles")."""
    sets = [one for one in data if hasattr(one, "sample_count")]
    values = [float(one.value) for one in data if not hasattr(one, "sample_count")]
    count = len(values) + sum(one.sample_count for one in sets)
    total = sum(values) + sum(one.sum for one in sets)
    if stat == "SampleCount":
        return float(count)
    if stat == "Sum":
        return float(total)
    if stat == "Average":
        return float(total / count) if count else None
    if stat == "Minimum":
        return float(min([*values, *(one.min for one in sets)]))
    if stat == "Maximum":
        return float(max([*values, *(one.max for one in sets)]))
    if any(one.min != one.max for one in sets) or not count:
        return None
    counted = [*((value, 1) for value in values), *((float(one.min), int(one.sample_count)) for one in sets)]
    whole = [one for one in counted if one[1] > 0]  # a client may write half a sample
    return _percentile(sorted(whole), float(stat[1:])) if whole else None


def _percentile(counted: Sequence[tuple[float, int]], percent: float) -> float:
    """Of sorted values, each with its number; they are not written out, since millions can be."""
    ends = list(accumulate(count for _, count in counted))
    place = (ends[-1] - 1) * percent / 100
    low = int(place)
    high = min(low + 1, ends[-1] - 1)
    before, after = (counted[bisect_right(ends, one)][0] for one in (low, high))
    return before + (after - before) * (place - low)


def _render(query: Query, value: Value, start: datetime, descending: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refusal(f"The expression {query['Expression']} is no time series, but a number.")
    points = sorted(value.items(), reverse=descending)
    stat = query.get("MetricStat")
    label = query.get("Label") or (f"{stat['Metric']['MetricName']} {stat['Stat']}" if stat else query["Id"])
    begin = _seconds(start)
    return {
        "id": query["Id"], "label": label, "values": [number for _, number in points],
        "timestamps": [start + timedelta(seconds=time - begin) for time, _ in points], "status_code": "Complete",
    }  # fmt: skip
