"""Training metrics: regular expressions over what the job printed (specs: containers 2.6)."""

from __future__ import annotations

import logging
import math
import statistics
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.user_patterns import TooSlow, UserPattern

_TAIL = 32 << 20  # bytes of each log's end that are searched: the last value of a metric is what counts
_LINE = 1 << 16
log = logging.getLogger(__name__)


class MetricPatterns:
    """The definitions of a job's metrics, each of which is looked for in every line."""

    def __init__(self, definitions: Iterable[Mapping[str, str]]) -> None:
        self._wanted = [(definition["Name"], UserPattern(definition["Regex"])) for definition in definitions]

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def read(self, line: str) -> dict[str, float]:
        """The metrics in one line.

        CloudWatch shows a TAB as ``#011``, which expressions rely on; the plain form counts too. A metric whose
        expression takes too long is not looked for any more.
        """
        shown = line.replace("\t", "#011")
        found: dict[str, float] = {}
        for name, pattern in tuple(self._wanted):
            try:
                match = pattern.search(shown) or (pattern.search(line) if shown != line else None)
            except TooSlow:
                log.warning("metric %s is given up: its expression %s takes too long", name, pattern.text)
                self._wanted.remove((name, pattern))
                continue
            if match and pattern.groups:
                try:
                    found[name] = float(match[1])
                except (TypeError, ValueError):
                    continue
        return found


def final(definitions: Iterable[Mapping[str, str]], logs: Iterable[Path], moment: float) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric that was printed, as the 32-bit number that AWS keeps.

    Beside it, as ``Statistics``, what trial components show of all its values.
    """
    patterns = MetricPatterns(definitions)
    values: dict[str, list[float]] = {}
    if patterns:
        for file in logs:
            for line in lines(file):
                for name, value in patterns.read(line).items():
                    values.setdefault(name, []).append(value)
    return [
        {"MetricName": name, "Value": single(found[-1]), "Timestamp": moment, "Statistics": statistics_of(found)}
        for name, found in values.items()
    ]


def statistics_of(values: Sequence[float]) -> dict[str, float]:
    """Count, extremes, mean and standard deviation (of the whole, so 0 for one value) of the numbers among values."""
    numbers = [value for value in values if math.isfinite(value)]
    if not numbers:
        return {"Count": len(values)}
    return {
        "Count": len(values),
        "Min": min(numbers),
        "Max": max(numbers),
        "Avg": statistics.fmean(numbers),
        "StdDev": statistics.pstdev(numbers),
    }


def series(definition: Mapping[str, str], file: Path) -> list[float]:
    """Every value of one metric that was printed so far."""
    name, patterns = definition["Name"], MetricPatterns([definition])
    found = (patterns.read(line) for line in lines(file))
    return [values[name] for values in found if name in values]


def lines(file: Path) -> Iterator[str]:
    """The lines at the end of a log, each cut to 64 KiB."""
    if not file.is_file():
        return
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - _TAIL))
        while piece := opened.readline(_LINE):
            yield piece.decode("utf-8", "replace").rstrip("\r\n")


def single(value: float) -> float:
    """The nearest 32-bit floating-point number (0.12345 is 0.12345000356435776)."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value
