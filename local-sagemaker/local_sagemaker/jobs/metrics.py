"""Training metrics: regular expressions over what the job printed (specs: containers 2.6)."""

from __future__ import annotations

import math
import re
import statistics
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_TAIL = 32 << 20  # bytes of each log's end that are searched: the last value of a metric is what counts
_LINE = 1 << 16


def final(definitions: Iterable[Mapping[str, str]], logs: Iterable[Path], moment: float) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric that was printed, as the 32-bit number that AWS keeps.

    Beside it, as ``Statistics``, what trial components show of all its values.
    """
    wanted = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]
    values: dict[str, list[float]] = {}
    if wanted:
        for log in logs:
            for line in lines(log):
                for name, value in read(line, wanted).items():
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


def series(definition: Mapping[str, str], log: Path) -> list[float]:
    """Every value of one metric that was printed so far."""
    name, wanted = definition["Name"], [(definition["Name"], re.compile(definition["Regex"]))]
    found = (read(line, wanted) for line in lines(log))
    return [values[name] for values in found if name in values]


def read(line: str, wanted: Iterable[tuple[str, re.Pattern[str]]]) -> dict[str, float]:
    """The metrics in one line. CloudWatch shows a TAB as ``#011``, which regexes rely on; the plain form counts too."""
    shown = line.replace("\t", "#011")
    found: dict[str, float] = {}
    for name, regex in wanted:
        match = regex.search(shown) or (regex.search(line) if shown != line else None)
        if match and match.re.groups:
            try:
                found[name] = float(match[1])
            except (TypeError, ValueError):
                continue
    return found


def lines(log: Path) -> Iterator[str]:
    """The lines at the end of a log, each cut to 64 KiB."""
    if not log.is_file():
        return
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        while piece := file.readline(_LINE):
            yield piece.decode("utf-8", "replace").rstrip("\r\n")


def single(value: float) -> float:
    """The nearest 32-bit floating-point number (0.12345 is 0.12345000356435776)."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value
