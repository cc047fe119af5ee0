"""Training metrics: regular expressions over what the job printed (contracts: containers 2.6)."""

from __future__ import annotations

import math
import re
import statistics
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # not public, not in typeshed
from typing import Any

_TAIL = 32 << 20  # bytes of each log's end that are searched: the last value of a metric is what counts
LONGEST_LINE = 1 << 16


def final(values: Mapping[str, Sequence[float]], moment: float) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric that was printed, as the 32-bit number that AWS keeps.

    Beside it, as ``Statistics``, what trial components show of all its values.
    """
    return [
        {"MetricName": name, "Value": single(series[-1]), "Timestamp": moment, "Statistics": statistics_of(series)}
        for name, series in values.items()
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


def values_in(definitions: Iterable[Sequence[str]], lines: Iterable[str]) -> list[tuple[str, float]]:
    """(Name, value) of each metric that a line shows, in order. Definitions are (name, regular expression).

    CloudWatch shows a TAB as ``#011``, which expressions rely on; the plain form counts too. A worker calls this.
    """
    wanted = [(name, re.compile(regex), _literal(regex)) for name, regex in definitions]
    return [(name, value) for line in lines for name, value in _read(line, wanted).items()]


def _read(line: str, wanted: Iterable[tuple[str, re.Pattern[str], str]]) -> dict[str, float]:
    shown = line.replace("\t", "#011")
    values: dict[str, float] = {}
    for name, regex, literal in wanted:
        if literal not in shown and literal not in line:
            continue
        match = regex.search(shown) or (regex.search(line) if shown != line else None)
        if match and match.re.groups:
            try:
                values[name] = float(match[1])
            except (TypeError, ValueError):
                continue
    return values


def _literal(text: str) -> str:
    """A text that every match has in it: the longest one between the pattern's operators. Looked for first, as most
    lines of a log have none of the metrics."""
    parsed = _parser.parse(text)
    if parsed.state.flags & re.IGNORECASE:
        return ""
    run = longest = ""
    for operator, argument in parsed:
        run = run + chr(argument) if operator is _constants.LITERAL else ""
        longest = max(longest, run, key=len)
    return longest


def last_lines(log: Path) -> Iterator[str]:
    """The lines at the end of a log, each cut to 64 KiB."""
    if not log.is_file():
        return
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        while piece := file.readline(LONGEST_LINE):
            yield piece.decode("utf-8", "replace").rstrip("\r\n")


def single(value: float) -> float:
    """The nearest 32-bit floating-point number (0.12345 is 0.12345000356435776)."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return value
