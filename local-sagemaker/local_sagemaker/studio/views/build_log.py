"""The command at which a build failed, and what it wrote, from the lines of its log. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_AGENT = re.compile(r"^\[Container\] \S+ \S+ (.*)$")
_RUNS = "Running command "
_FAILED = re.compile(r"^Command did not (?:exit|execute) successfully (.*) exit status (\d+)$")
_KEPT = 40


@dataclass(frozen=True)
class FailedCommand:
    """A command, its exit status, the end of what it wrote, and the number of its line in the log (from 0)."""

    command: str
    status: int
    output: list[str]
    line: int


def find_failed_command(lines: Sequence[str]) -> FailedCommand | None:
    """The last command that did not succeed; None where none is among the lines."""
    start, written, failed = 0, [], None
    for place, line in enumerate(lines):
        agent = _AGENT.match(line)
        if agent is None:
            written.append(line)
        elif agent[1].startswith(_RUNS):
            start, written = place, []
        elif match := _FAILED.match(agent[1].strip()):
            failed = FailedCommand(match[1], int(match[2]), written[-_KEPT:], start)
    return failed
