"""Follows an execution to its end and shows its steps: a live table on a terminal, plain lines otherwise."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.definition import Definition, steps
from pipelines.logs import Notes

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from rich.console import Console
    from rich.table import Table

RUNNING = ("Starting", "Executing", "Stopping")
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 10.0  # seconds
FIRST_RUN = "Cache miss: no earlier run"  # holds for every step of a first execution: nothing to remark
FRAME = 7  # lines of the live table that are no steps: title, heads, rules, caption, and the cursor's own
EDGES = 12  # characters of it that are no text
WAITING = ("waiting", "not run")
ORDER = {"Succeeded": 0, "waiting": 1, "Stopped": 2, "Starting": 3, "Executing": 4, "Failed": 5}
"""Which steps the live table leaves out first where not all have room."""
STYLES = {"Succeeded": "green", "Failed": "red", "Stopped": "yellow", "Executing": "cyan", "Starting": "cyan"}


@dataclass
class Progress:
    """What is known of an execution: its status, and its steps by name in the order of their start."""

    status: str = "Executing"
    failure: str = ""
    steps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def running(self) -> bool:
        return self.status in RUNNING


class Display(Protocol):
    def show(self, progress: Progress) -> None: ...


def follow(sagemaker: SageMakerClient, arn: str, notes: Notes) -> Iterator[Progress]:
    """The progress again and again, until the execution has ended.

    The time between two looks grows with the time that has passed, so that an execution of seconds is seen at once,
    and one of hours is not queried all the time.
    """
    progress = Progress()
    started = time.monotonic()
    while True:
        known = set(progress.steps)
        progress.steps = list_steps(sagemaker, arn)
        if not any(step["StepStatus"] in RUNNING for step in progress.steps.values()):
            described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            progress.status = described["PipelineExecutionStatus"]
            progress.failure = described.get("FailureReason", "")
            if not progress.running:
                progress.steps = list_steps(sagemaker, arn)
        if set(progress.steps) != known:
            progress.notes.update(notes.read())
        yield progress
        if not progress.running:
            return
        time.sleep(min(LONGEST_WAIT, max(SHORTEST_WAIT, (time.monotonic() - started) / 20)))


def list_steps(sagemaker: SageMakerClient, arn: str) -> dict[str, Mapping[str, Any]]:
    """The steps that have started, by name, in the order of their start."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return {step["StepName"]: step for page in pages for step in page["PipelineExecutionSteps"]}


def remark(step: Mapping[str, Any], note: str = "") -> str:
    """What is worth saying of a step beside its status."""
    hit = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn")
    reused = step.get("SelectiveExecutionResult", {}).get("SourcePipelineExecutionArn")
    outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
    if hit:
        return f"cache hit: reused from execution {hit.rpartition('/')[2]}"
    if reused:
        return f"reused from execution {reused.rpartition('/')[2]}"
    if outcome:
        return "the condition is met" if outcome == "True" else "the condition is not met"
    return "" if note.startswith(FIRST_RUN) else note


def duration(step: Mapping[str, Any]) -> str:
    end = step.get("EndTime") or datetime.now(UTC)
    seconds = max(0.0, (end - step["StartTime"]).total_seconds())
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:02.0f} s"


class Lines:
    """For files and pipes: one line for every change of a step's status."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, str] = {}

    def show(self, progress: Progress) -> None:
        for name, step in progress.steps.items():
            status = step["StepStatus"]
            if self._shown.get(name) == status or status == "Starting":
                continue
            self._shown[name] = status
            took = "" if status in RUNNING else duration(step)
            note = "" if status in RUNNING else remark(step, progress.notes.get(name, ""))
            self._console.print(f"{name:30} {status:10} {took:>9}  {note}".rstrip(), highlight=False, soft_wrap=True)


class LiveTable:
    """For terminals: a table of all steps of the definition, redrawn in place. A context manager."""

    def __init__(self, console: Console, definition: Definition) -> None:
        from rich.live import Live

        self._names = [step["Name"] for step in steps(definition)]
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=False)
        self._live.start()

    def show(self, progress: Progress) -> None:
        self._live.update(self.table(progress))
        if not progress.running:
            self.close()

    def close(self) -> None:
        self._live.stop()

    def table(self, progress: Progress) -> Table:
        """What is shown: in as many lines as the terminal has while it is redrawn, and all of it at the end."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        rows = self._rows(progress)
        done = sum(step["StepStatus"] not in RUNNING for step in progress.steps.values())
        title = f"{progress.status}: {done} of {len(self._names)} steps done"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        room = self._console.height - FRAME
        if progress.running and len(rows) > room:
            rows.sort(key=lambda row: ORDER.get(row[1], len(ORDER)))
            counts = Counter(status for _, status, _, _ in rows[:-room])
            table.caption = f"and {', '.join(f'{count} {status}' for status, count in counts.items())}"
            table.caption_justify = "left"
            rows = rows[-room:]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for column, width in zip(("Step", "Status", "Time"), widths, strict=False):
            table.add_column(column, no_wrap=True, justify="right" if column == "Time" else "left", min_width=width)
        rest = max(1, self._console.width - sum(widths[:3]) - EDGES)
        table.add_column("Remark", no_wrap=True, overflow="ellipsis", max_width=rest)
        for name, status, took, note in rows:
            style = "dim" if status in WAITING else ""
            table.add_row(Text(name, style), Text(status, STYLES.get(status, style)), took, Text(note))
        return table

    def _rows(self, progress: Progress) -> list[tuple[str, str, str, str]]:
        """Name, status, time and remark of each step, those that have started first."""
        waiting = WAITING[0] if progress.running else WAITING[1]
        rows = [
            (name, str(step["StepStatus"]), duration(step), remark(step, shorten(progress.notes.get(name, ""))))
            for name, step in progress.steps.items()
        ]
        return rows + [(name, waiting, "", "") for name in self._names if name not in progress.steps]


def shorten(note: str) -> str:
    """Without the values that differ, which the step's log stream keeps: a table has no room for them."""
    head, details, _ = note.partition("): ")
    return f"{head})" if details else note
