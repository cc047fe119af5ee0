"""Pipelines: which are healthy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.bars import Bar, label_of
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none, order_of
from local_sagemaker.studio.views.executions import FINAL, ExecutionRow, row
from local_sagemaker.studio.views.times import seconds, stamp

_SHOWN = 20


@dataclass(frozen=True)
class PipelineRow:
    """A pipeline with its newest executions. `rate` is the share of Succeeded among the ended ones."""

    name: str
    description: str
    href: str
    modified: float | None
    last_start: float | None
    bars: list[Bar]
    rate: float | None
    status: str


@dataclass(frozen=True)
class PipelinesContext:
    """What the list of pipelines shows."""

    rows: list[PipelineRow] = field(metadata={"help": "one page of pipelines with their newest executions"})
    next: str = field(metadata={"help": "NextToken of ListPipelines, empty on the last page"})
    text: str = field(metadata={"help": "the part of a name that is searched"})
    total: int = field(metadata={"help": "pipelines of all regions"})


def load(visit: Visit) -> PipelinesContext:
    """ListPipelines, and for each pipeline its newest executions."""
    request: dict[str, Any] = {"MaxResults": 50, **order_of(visit, "Name", "CreationTime")}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if visit.value("q"):
        request["PipelineNamePrefix"] = visit.value("q")
    response = visit.call("sagemaker:ListPipelines", request)
    rows = [_row(visit, item) for item in response["PipelineSummaries"]]
    return PipelinesContext(rows, response.get("NextToken", ""), visit.value("q"), visit.reads.count("pipeline"))


def _row(visit: Visit, item: dict[str, Any]) -> PipelineRow:
    """A pipeline with its newest executions, described one by one: summaries don't say when an execution ended."""
    name, describe = item["PipelineName"], "sagemaker:DescribePipelineExecution"
    request = {"PipelineName": name, "MaxResults": _SHOWN}
    operation = "sagemaker:ListPipelineExecutions"
    executions = []
    for summary in items_or_none(visit, operation, "PipelineExecutionSummaries", _SHOWN, **request):
        body = visit.optional(describe, {"PipelineExecutionArn": summary["PipelineExecutionArn"]})
        executions.append(row({**summary, **(body or {})}, visit.now))
    ended = [execution for execution in executions if execution.status in FINAL]
    good = sum(execution.status == "Succeeded" for execution in ended)
    return PipelineRow(
        name, item.get("PipelineDescription", ""), urls.to("pipelines", name), seconds(item.get("LastModifiedTime")),
        seconds(item.get("LastExecutionTime")), [_bar(execution) for execution in executions],
        good / len(ended) if ended else None, executions[0].status if executions else "",
    )  # fmt: skip


def _bar(execution: ExecutionRow) -> Bar:
    length = execution.seconds or 0
    label = label_of(execution.status, length, stamp(execution.start))
    return Bar(execution.status, length, execution.href, label)


PAGE = Page(
    "/pipelines", load, "pipelines.html", "Pipelines",
    live=lambda _visit, _context: ("pipeline:", "pipeline-execution:"),
)  # fmt: skip
