"""Metrics of a training job on their way to CloudWatch, while the job prints them (contracts: containers 2.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from local_sagemaker.clock import now
from local_sagemaker.jobs.metric_search import MetricSearch
from local_sagemaker.jobs.metrics import LONGEST_LINE, single

NAMESPACE = "/aws/sagemaker/TrainingJobs"
Put = Callable[[str, list[dict[str, Any]]], None]
"""``put(namespace, metric_data)`` as CloudWatch's PutMetricData takes them."""
_MOST = 4 << 20
"""Bytes of a log that are searched at once; of what came faster, the end."""
_VALUES, _DATA = 150, 1000  # of one datum, of one PutMetricData


class MetricSeries:
    """All values of a job's metrics. A value's time is that of the look that found it."""

    def __init__(self, job: str, search: MetricSearch, put: Put) -> None:
        self._dimensions = [{"Name": "TrainingJobName", "Value": job}]
        self._search, self._put = search, put
        self._positions: dict[Path, int] = {}

    def look(self, logs: Iterable[Path], *, last: bool = False) -> None:
        """Puts what was printed since the look before; a line that is not complete waits, unless this is the last."""
        by_name: dict[str, list[float]] = {}
        for log in logs:
            for name, value in self._search.values(self._lines(log, last)):
                by_name.setdefault(name, []).append(single(value))
        moment = now()
        data = [
            {
                "MetricName": name,
                "Dimensions": self._dimensions,
                "Timestamp": moment,
                "Unit": "None",
                "Values": values[start : start + _VALUES],
                "Counts": [1.0] * len(values[start : start + _VALUES]),
            }
            for name, values in by_name.items()
            for start in range(0, len(values), _VALUES)
        ]
        for start in range(0, len(data), _DATA):
            self._put(NAMESPACE, data[start : start + _DATA])

    def _lines(self, log: Path, last: bool) -> list[str]:
        if not log.is_file():
            return []
        with log.open("rb") as file:
            end = file.seek(0, 2)
            begin = max(self._positions.get(log, 0), end - _MOST)
            file.seek(begin)
            text = file.read(end - begin)
        complete = len(text) if last else text.rfind(b"\n") + 1
        self._positions[log] = begin + complete
        return [line[:LONGEST_LINE] for line in text[:complete].decode("utf-8", "replace").splitlines()]
