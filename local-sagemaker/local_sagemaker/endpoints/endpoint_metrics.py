"""CloudWatch metrics of endpoints, gathered per variant and put in batches by the housekeeping thread."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from local_sagemaker.clock import now

SECONDS = 10.0
"""How often what was gathered is put."""
SINGLE = 16
"""So many durations of one put are kept each by itself."""
SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)
"""The groups of more of them: p90 and p99 are the mean of few."""
NAMESPACE = "AWS/SageMaker"
Put = Callable[[str, list[dict[str, Any]]], None]
"""``put(namespace, metric_data)`` as CloudWatch's PutMetricData takes them."""
UNITS = {"ModelLatency": "Microseconds", "OverheadLatency": "Microseconds", "ModelDownloadingTime": "Microseconds",
         "ModelLoadingTime": "Microseconds", "ModelLoadingWaitTime": "Microseconds",
         "ModelUnloadingTime": "Microseconds", "FirstChunkLatency": "Microseconds",
         "FirstChunkModelLatency": "Microseconds", "FirstChunkOverheadLatency": "Microseconds"}  # fmt: skip


@dataclass
class PendingMetrics:
    """What was gathered of one variant since the last put."""

    instances: int
    statuses: list[int] = field(default_factory=list)
    model: list[float] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)
    other: list[tuple[str, float]] = field(default_factory=list)


class EndpointMetrics:
    """The metrics of all endpoints."""

    def __init__(self, put: Put | None) -> None:
        self._put = put
        self._lock = threading.Lock()
        self._gathered: dict[tuple[str, str], PendingMetrics] = {}
        self._invocations: Counter[tuple[str, str]] = Counter()

    def record_invocation(
        self, endpoint: str, variant: str, instances: int, status: int, model: float, overhead: float
    ) -> None:
        """One invocation: its HTTP status, the seconds that the model took, and those that it took besides."""
        with self._lock:
            measurements = self._of(endpoint, variant, instances)
            measurements.statuses.append(status)
            measurements.model.append(model)
            measurements.overhead.append(overhead)
            self._invocations[endpoint, variant] += 1

    def invocations(self, endpoint: str, variant: str) -> int:
        """All invocations of a variant since the service started."""
        return self._invocations[endpoint, variant]

    def add(self, endpoint: str, variant: str, name: str, value: float) -> None:
        """Any other metric of a variant."""
        with self._lock:
            self._of(endpoint, variant, 1).other.append((name, value))

    def _of(self, endpoint: str, variant: str, instances: int) -> PendingMetrics:
        measurements = self._gathered.get((endpoint, variant))
        if measurements is None:
            measurements = self._gathered[endpoint, variant] = PendingMetrics(instances)
        return measurements

    def flush(self) -> None:
        """Puts what was gathered."""
        with self._lock:
            gathered, self._gathered = self._gathered, {}
        data: list[dict[str, Any]] = []
        for (endpoint, variant), measurements in gathered.items():
            dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
            data += _data(measurements, dimensions)
        if self._put is not None:
            for start in range(0, len(data), 100):
                self._put(NAMESPACE, data[start : start + 100])


def _data(measurements: PendingMetrics, dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    statuses = measurements.statuses
    values: dict[str, list[float]] = {
        "Invocations": [1.0] * len(statuses),
        "InvocationsPerInstance": [1.0 / max(1, measurements.instances)] * len(statuses),
        "Invocation4XXErrors": [float(400 <= status < 500) for status in statuses],
        "Invocation5XXErrors": [float(status >= 500 or status == 0) for status in statuses],
        "ModelLatency": [round(seconds * 1e6) for seconds in measurements.model],
        "OverheadLatency": [round(seconds * 1e6) for seconds in measurements.overhead],
    }
    for name, value in measurements.other:
        values.setdefault(name, []).append(value)
    moment = now()
    return [
        {"MetricName": name, "Dimensions": dimensions, "Timestamp": moment, "Unit": UNITS.get(name, "None"),
         "StatisticValues": one}
        for name, taken in values.items() if taken
        for one in (_sets(taken) if name in UNITS else [_statistics(taken)])
    ]  # fmt: skip


def _sets(values: list[float]) -> list[dict[str, float]]:
    """StatisticSets whose values are all the same, as percentiles need them: the values where they are few, else groups
    of neighbours by their mean. The least and the greatest value stay what they are."""
    ordered, count = sorted(values), len(values)
    edges = range(count + 1) if count <= SINGLE else sorted({1, count - 1, *(round(share * count) for share in SHARES)})
    sets = []
    for first, last in pairwise(edges):
        group = ordered[first:last]
        mean = sum(group) / len(group)
        sets.append({**_statistics(group), "Minimum": mean, "Maximum": mean})
    return sets


def _statistics(values: list[float]) -> dict[str, float]:
    """A StatisticSet. Single values would be kept one by one, for each invocation."""
    return {
        "SampleCount": float(len(values)),
        "Sum": float(sum(values)),
        "Minimum": float(min(values)),
        "Maximum": float(max(values)),
    }
