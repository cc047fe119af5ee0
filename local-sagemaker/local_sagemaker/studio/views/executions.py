"""An execution as a row of a list. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.views.times import between, seconds


@dataclass(frozen=True)
class ExecutionRow:
    """`start` and `end` in seconds since the epoch; `seconds` is the length so far."""

    arn: str
    pipeline: str
    identifier: str
    name: str
    status: str
    start: float | None
    end: float | None
    seconds: float | None
    reason: str
    version: int | None
    href: str
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


FINAL = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


def row(summary: Mapping[str, Any], now: float) -> ExecutionRow:
    """From a summary of ListPipelineExecutions, a description, or a search record; only the latter have an end."""
    arn = summary["PipelineExecutionArn"]
    pipeline, _, identifier = arn.partition(":pipeline/")[2].partition("/execution/")
    status = summary.get("PipelineExecutionStatus", "")
    start = seconds(summary.get("StartTime", summary.get("CreationTime")))
    final = status in FINAL
    end = seconds(summary.get("LastModifiedTime")) if final else None
    known = not final or end is not None
    parameters = {item["Name"]: item.get("Value", "") for item in summary.get("PipelineParameters", [])}
    reason = summary.get("PipelineExecutionFailureReason") or summary.get("FailureReason") or ""
    return ExecutionRow(
        arn, pipeline, identifier, summary.get("PipelineExecutionDisplayName") or identifier, status, start, end,
        between(start, end, now) if known else None, reason, summary.get("PipelineVersionId"), urls.execution(arn),
        parameters,
    )  # fmt: skip


def name_metrics(rows: list[ExecutionRow]) -> dict[str, str]:
    """All metrics of rows, and what each is called: the last part of its name, where only one has that."""
    names = list(dict.fromkeys(name for item in rows for name in item.metrics))
    short = [name.rpartition(".")[2] for name in names]
    return {name: last if short.count(last) == 1 else name for name, last in zip(names, short, strict=True)}


def find_differences(rows: list[ExecutionRow]) -> list[str]:
    """Names of the parameters that differ among rows, in the order of the newest."""
    names: dict[str, set[str]] = {}
    for item in rows:
        for name, value in item.parameters.items():
            names.setdefault(name, set()).add(value)
    missing = {name for name in names if any(name not in item.parameters for item in rows)}
    return [name for name, values in names.items() if len(values) > 1 or (name in missing and len(rows) > 1)]
