"""Pipelines: which are healthy."""

from __future__ import annotations

from dataclasses import dataclass, field

from local_sagemaker.studio import urls
from local_sagemaker.studio.charts.bars import Bar, label_of
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.executions import FINAL, row
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
    request = {"MaxResults": 50, "SortBy": "CreationTime", "SortOrder": "Descending"}
    if visit.value("token"):
        request["NextToken"] = visit.value("token")
    if visit.value("q"):
        request["PipelineNamePrefix"] = visit.value("q")
    answer = visit.call("sagemaker:ListPipelines", request)
    rows = []
    for item in answer["PipelineSummaries"]:
        found = items_or_none(
            visit, "sagemaker:ListPipelineExecutions", "PipelineExecutionSummaries", _SHOWN,
            PipelineName=item["PipelineName"], MaxResults=_SHOWN,
        )  # fmt: skip
        executions = []
        for summary in found:
            body = visit.optional(
                "sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": summary["PipelineExecutionArn"]}
            )
            executions.append(row({**summary, **(body or {})}, visit.now))
        ended = [execution for execution in executions if execution.status in FINAL]
        good = sum(execution.status == "Succeeded" for execution in ended)
        bars = [
            Bar(
                execution.status,
                execution.seconds or 0,
                execution.href,
                label_of(execution.status, execution.seconds or 0, stamp(execution.start)),
            )
            for execution in executions
        ]
        rows.append(
            PipelineRow(
                item["PipelineName"],
                item.get("PipelineDescription", ""),
                urls.to("pipelines", item["PipelineName"]),
                seconds(item.get("LastModifiedTime")),
                seconds(item.get("LastExecutionTime")),
                bars,
                good / len(ended) if ended else None,
                executions[0].status if executions else "",
            )
        )
    return PipelinesContext(rows, answer.get("NextToken", ""), visit.value("q"), visit.reads.count("pipeline"))


PAGE = Page(
    "/pipelines", load, "pipelines.html", "Pipelines",
    live=lambda _visit, _context: ("pipeline:", "pipeline-execution:"),
)  # fmt: skip
