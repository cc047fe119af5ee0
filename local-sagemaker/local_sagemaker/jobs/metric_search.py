"""Searches logs for metrics by the regular expressions of clients, in workers that end what takes too long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from local_sagemaker.jobs.metrics import last_lines
from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers

ALL_SECONDS, ONE_SECONDS = 10.0, 2.0
"""Of the processor's time, for a MiB of lines: for all definitions and, when that is not enough, for each of them."""
LEAST_SECONDS = 1.0
"""For a few lines: an expression that takes longer would hardly end in ten times as long."""
_PATIENCE = 120.0
_BLOCK = 1 << 20
_WORKERS = Workers("local_sagemaker.jobs.metrics", most=2)


class MetricSearch:
    """The metric definitions of one job. One whose expression is none, or takes too long, is left out from then on."""

    def __init__(self, definitions: Iterable[Mapping[str, str]], say: Callable[[str], None]) -> None:
        """`say` takes a sentence for the user."""
        self._definitions = [(definition["Name"], definition["Regex"]) for definition in definitions]
        self._say = say

    def values(self, lines: Iterable[str]) -> list[tuple[str, float]]:
        """(Name, value) of each metric that a line shows, in the order of the lines."""
        return [pair for block in _blocks(lines) for pair in self._values(block)]

    def _values(self, lines: list[str]) -> list[tuple[str, float]]:
        if not self._definitions:
            return []
        try:
            return _values(self._definitions, lines, seconds_for(lines, ALL_SECONDS))
        except (CallTimedOut, CallFailed):
            self._definitions = [one for one in self._definitions if self._is_usable(one, lines)]
        seconds = seconds_for(lines, ALL_SECONDS) + 2 * len(self._definitions) * seconds_for(lines, ONE_SECONDS)
        try:
            return _values(self._definitions, lines, seconds) if self._definitions else []
        except (CallTimedOut, CallFailed) as error:  # each alone was quick enough: the machine is busy
            self._say(f"The metrics of {len(lines)} lines are left out: {error}")
            return []

    def warm(self) -> None:
        """Has a process wait for the first lines."""
        if self._definitions:
            _WORKERS.warm()

    def all_values(self, logs: Iterable[Path]) -> dict[str, list[float]]:
        """All values by name that the ends of logs show."""
        series: dict[str, list[float]] = {}
        for log in logs:
            for name, value in self.values(last_lines(log)) if self._definitions else ():
                series.setdefault(name, []).append(value)
        return series

    def _is_usable(self, definition: tuple[str, str], lines: list[str]) -> bool:
        try:
            _values([definition], lines, seconds_for(lines, ONE_SECONDS))
        except (CallTimedOut, CallFailed) as error:
            name, regex = definition
            self._say(f"The metric {name} is left out: its regular expression '{regex[:200]}': {error}")
            return False
        return True


def seconds_for(lines: Iterable[str], most: float) -> float:
    """The part of the time for a whole block that these lines have."""
    return min(most, max(LEAST_SECONDS, most * sum(map(len, lines)) / _BLOCK))


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """The lines, so many at a time that they make about a MiB."""
    block: list[str] = []
    length = 0
    for line in lines:
        block.append(line)
        length += len(line) + 1
        if length >= _BLOCK:
            yield block
            block, length = [], 0
    if block:
        yield block


def _values(definitions: list[tuple[str, str]], lines: list[str], seconds: float) -> list[tuple[str, float]]:
    pairs = _WORKERS.call("values_in", definitions, lines, seconds=_PATIENCE, processor=seconds)
    return [(name, value) for name, value in pairs]
