"""Metrics that clients put for trial components: their values, and the statistics that DescribeTrialComponent shows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from local_sagemaker.records import Records
from local_sagemaker.records.store import Body

_METRIC, _VALUE = "trial-component-metric", "trial-component-metric-value"


class ComponentMetrics:
    """The metrics by component and name. Statistics are kept beside the values, so that one more value costs the same
    however many there are."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, component: Body, values: Sequence[Body]) -> None:
        """Notes values of RawMetricData for a component, in the order in which they came."""
        with self._records.transaction():
            for value in values:
                key = _key(component["TrialComponentName"], value["MetricName"])
                known = self._records.get(_METRIC, key)
                body = _with_value(known or {"MetricName": value["MetricName"]}, value)
                self._records.put(_METRIC, key, body)
                self._records.put(_VALUE, f"{key}/{body['Count']:09d}", dict(value))

    def summaries(self, component: Body) -> list[Body]:
        """TrialComponentMetricSummary of each metric, in the order of their first values."""
        return [
            {
                **{name: metric[name] for name in ("MetricName", "TimeStamp", "Max", "Min", "Last", "Count", "Avg")},
                "SourceArn": component["TrialComponentArn"],
                "StdDev": (max(metric["Squares"], 0.0) / metric["Count"]) ** 0.5,
            }
            for metric in self._records.list(_METRIC, _key(component["TrialComponentName"], ""))
        ]

    def values(self, component: str, metric: str) -> list[Body]:
        """All values of a metric, oldest first."""
        return self._records.list(_VALUE, f"{_key(component, metric)}/")

    def delete(self, component: str) -> None:
        """Forgets all metrics of a component."""
        for kind in (_METRIC, _VALUE):
            for key, _ in self._records.items(kind, _key(component, "")):
                self._records.delete(kind, key)


def statistic(name: str, values: Sequence[float]) -> float:
    """A MetricStatistic of values, of which the last one came last."""
    if name == "Avg":
        return statistics.fmean(values)
    if name == "StdDev":
        return statistics.pstdev(values)
    return {"Min": min(values), "Max": max(values), "Count": float(len(values)), "Last": values[-1]}[name]


def _with_value(metric: Body, value: Body) -> Body:
    """The statistics with one value more: Welford's mean and sum of squared differences."""
    number, count = float(value["Value"]), metric.get("Count", 0) + 1
    before = metric.get("Avg", 0.0)
    mean = before + (number - before) / count
    changed: dict[str, Any] = {
        **metric, "Count": count, "Avg": mean,
        "Squares": metric.get("Squares", 0.0) + (number - before) * (number - mean),
        "Min": min(number, metric.get("Min", number)), "Max": max(number, metric.get("Max", number)),
    }  # fmt: skip
    if value["Timestamp"] >= metric.get("TimeStamp", value["Timestamp"]):
        changed |= {"Last": number, "TimeStamp": value["Timestamp"]}
    return changed


def _key(component: str, metric: str) -> str:
    return f"{component.lower()}/{metric.encode().hex()}" if metric else f"{component.lower()}/"
