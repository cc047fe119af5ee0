"""When each step of an execution waited and ran, and which steps its length depends on. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from local_sagemaker.studio.views.step_states import StepView

_FAILED = re.compile(r"^Attempt (\d{1,6}) ended at (\S{20,32}) after (\d{1,9}\.\d{1,6}) s: (.*)$")


@dataclass(frozen=True)
class Segment:
    """A stretch of a step's time, in seconds since the epoch. `kind`: waiting (for other steps), queued (for a place
    among the parallel ones), failed (an attempt), or running (the last attempt)."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that was made again: its number, when it began and failed (seconds since the epoch), and why."""

    number: int
    start: float
    end: float
    reason: str


def read_attempts(lines: Sequence[str]) -> list[FailedAttempt]:
    """The attempts that the notes in a step's log tell of."""
    attempts = []
    for match in filter(None, map(_FAILED.match, lines)):
        end = datetime.fromisoformat(match[2].replace("Z", "+00:00")).timestamp()
        attempts.append(FailedAttempt(int(match[1]), end - float(match[3]), end, match[4]))
    return attempts


def segments(
    step: StepView, by_name: Mapping[str, StepView], first: float, last: float, attempts: Sequence[FailedAttempt] = ()
) -> tuple[Segment, ...]:
    """A step's time from the start of the execution on; `last` is the end of what is shown."""
    needs = [by_name[name] for name in step.needs if name in by_name]
    ends = [need.end for need in needs if need.end is not None]
    ready = max(ends, default=first) if len(ends) == len(needs) else None
    if step.start is None:
        if step.state not in ("Waiting", "Queued"):
            return ()
        return _drop_empty([Segment("waiting", first, ready if ready is not None else last)]
                           + ([Segment("queued", ready, last)] if ready is not None else []))  # fmt: skip
    began = min([step.start, *(attempt.start for attempt in attempts)])
    begin = min(began, ready) if ready is not None else first
    parts = [Segment("waiting", first, begin), Segment("queued", begin, began)]
    parts += [Segment("failed", attempt.start, attempt.end) for attempt in attempts]
    at = max([step.start, *(attempt.end for attempt in attempts)])
    end = step.end if step.end is not None else last
    return _drop_empty([*parts, Segment("running", at, max(end, at + 0.001))])


def _drop_empty(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    return tuple(part for part in parts if part.end - part.start > 0)


def critical_path(steps: Sequence[StepView]) -> frozenset[str]:
    """The steps that the execution's length depends on: from the last to end, back to what each waited for longest."""
    by_name = {step.name: step for step in steps if step.start is not None}
    if not by_name:
        return frozenset()
    running = float("inf")

    def end_of(step: StepView) -> float:
        return step.end if step.end is not None else running

    at: StepView | None = max(by_name.values(), key=lambda step: (end_of(step), step.start or 0.0))
    path = set()
    while at is not None and at.name not in path:
        path.add(at.name)
        needs = [by_name[name] for name in at.needs if name in by_name]
        at = max(needs, key=end_of, default=None)
    return frozenset(path)
