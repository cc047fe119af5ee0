"""A pipeline: its executions with their parameters, its graph, versions, parameters and definition."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.engine.definition import Definition, parse
from local_sagemaker.engine.graph import graph
from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.execution import text_of
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.executions import ExecutionRow, find_differences, row
from local_sagemaker.studio.views.step_states import StepView
from local_sagemaker.studio.views.times import seconds

TABS = (
    ("executions", "Executions"), ("graph", "Graph"), ("versions", "Versions"), ("parameters", "Parameters"),
    ("definition", "Definition"),
)  # fmt: skip
STATUSES = ("Executing", "Succeeded", "Failed", "Stopped", "Stopping", "CompletedWithFailures")
SIZES = (25, 50, 100, 250, 500)
_SCANNED = 2_000


@dataclass(frozen=True)
class PipelineVersionRow:
    """A version of the pipeline."""

    number: int
    created: float | None
    aliases: list[str]
    description: str
    last: str


@dataclass(frozen=True)
class PipelineContext:
    """What a pipeline's page shows."""

    pipeline: str = field(metadata={"help": "the pipeline's name"})
    arn: str = field(metadata={"help": "its ARN"})
    description: str = field(metadata={"help": "PipelineDescription"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    total: int = field(metadata={"help": "all executions of the pipeline"})
    rows: list[ExecutionRow] = field(metadata={"help": "one page of executions"})
    columns: list[str] = field(metadata={"help": "parameters that are columns"})
    names: list[str] = field(metadata={"help": "all parameters"})
    next: str = field(metadata={"help": "the token of the next page, empty on the last"})
    scanned: int = field(metadata={"help": "executions that a filter has looked at for this page"})
    statuses: tuple[str, ...] = field(metadata={"help": "statuses that can be filtered by"})
    longest: float = field(metadata={"help": "the longest duration of the page, for the bars"})
    steps: list[StepView] = field(metadata={"help": "steps of the definition, nothing started"})
    order: list[str] = field(metadata={"help": "their order in the definition"})
    addresses: dict[str, str] = field(metadata={"help": "where each step leads"})
    versions: list[PipelineVersionRow] = field(metadata={"help": "versions, newest first"})
    parameters: list[dict[str, Any]] = field(metadata={"help": "declared parameters"})
    definition: dict[str, Any] = field(metadata={"help": "the definition as JSON"}, repr=False)
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load(visit: Visit) -> PipelineContext:
    """DescribePipeline, and what the tab shows."""
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    name, arn = body["PipelineName"], body["PipelineArn"]
    known = [key for key, _ in TABS]
    tab = visit.value("tab") if visit.value("tab") in known else "executions"
    definition = parse(body["PipelineDefinition"])
    rows, token, scanned = _executions(visit, name) if tab == "executions" else ([], "", 0)
    wanted = [column for column in visit.query.get("column", []) if column in definition.parameters]
    total = visit.reads.count_below("pipeline-execution", name.lower())
    target = urls.to("pipelines", name, tab="definition")
    return PipelineContext(
        name, arn, body.get("PipelineDescription", ""), tab, TABS, total, rows, wanted or find_differences(rows)[:4],
        list(definition.parameters), token, scanned, STATUSES,
        max((item.seconds or 0 for item in rows), default=0), _steps(definition) if tab == "graph" else [],
        list(definition.steps), {step: f"{target}#step-{step}" for step in definition.steps},
        _versions(visit, name) if tab == "versions" else [], _parameters(definition) if tab == "parameters" else [],
        json.loads(body["PipelineDefinition"]) if tab == "definition" else {},
        {
            "start": aws_command("sagemaker:StartPipelineExecution", {"PipelineName": name}),
            "delete": aws_command("sagemaker:DeletePipeline", {"PipelineName": name}),
        },
    )  # fmt: skip


def _size(visit: Visit) -> int:
    given = visit.value("size")
    return int(given) if given.isdigit() and int(given) in SIZES else 50


def _executions(visit: Visit, name: str) -> tuple[list[ExecutionRow], str, int]:
    """One page, the next page's token, and how many were looked at. A filter looks at 2,000 before it pauses."""
    size = _size(visit)
    request: dict[str, Any] = {"PipelineName": name, "MaxResults": min(size, 100), "SortBy": "CreationTime"}
    request["SortOrder"] = "Ascending" if visit.value("sort") == "oldest" else "Descending"
    rows: list[ExecutionRow] = []
    token, scanned = visit.value("token"), 0
    while len(rows) < size and scanned < _SCANNED:
        if token:
            request["NextToken"] = token
        request["MaxResults"] = min(size - len(rows), 100) if not _is_filtered(visit) else 100
        answer = visit.call("sagemaker:ListPipelineExecutions", request)
        summaries = answer["PipelineExecutionSummaries"]
        scanned += len(summaries)
        rows += [item for item in (_fill(visit, summary) for summary in summaries) if item is not None]
        token = answer.get("NextToken", "")
        if not token:
            break
    return rows, token, scanned


def _is_filtered(visit: Visit) -> bool:
    return bool(visit.value("status") or visit.value("q") or any(name.startswith("p.") for name in visit.query))


def _fill(visit: Visit, summary: dict[str, Any]) -> ExecutionRow | None:
    """The row of a summary, None if a filter leaves it out; details are read only for what the summary lets through."""
    status, text = visit.value("status"), visit.value("q").lower()
    if status and summary.get("PipelineExecutionStatus") != status:
        return None
    arn = summary["PipelineExecutionArn"]
    if text and text not in arn.lower() and text not in summary.get("PipelineExecutionDisplayName", "").lower():
        return None
    try:
        body = visit.call("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn})
        listed = visit.call(
            "sagemaker:ListPipelineParametersForExecution", {"PipelineExecutionArn": arn, "MaxResults": 100}
        )
    except ServiceError:
        return None  # deleted since it was listed
    item = row({**summary, **body, "PipelineParameters": listed["PipelineParameters"]}, visit.now)
    return (
        item
        if all(_fits(item, name[2:], values[0]) for name, values in visit.query.items() if name.startswith("p."))
        else None
    )


def _fits(item: ExecutionRow, name: str, condition: str) -> bool:
    """``=v``, ``<v``, ``>v``, else: contains."""
    value = item.parameters.get(name, "")
    sign, rest = condition[:1], condition[1:].strip()
    if not condition:
        return True
    if sign == "=":
        return value == rest
    if sign in "<>":
        try:
            return float(value) < float(rest) if sign == "<" else float(value) > float(rest)
        except ValueError:
            return value < rest if sign == "<" else value > rest
    return condition.lower() in value.lower()


def _steps(definition: Definition) -> list[StepView]:
    nodes = graph(definition)
    return [StepView(name, step.type, "Waiting", "", nodes[name].upstream) for name, step in definition.steps.items()]


def _versions(visit: Visit, name: str) -> list[PipelineVersionRow]:
    found = items_or_none(
        visit, "sagemaker:ListPipelineVersions", "PipelineVersionSummaries", 500, PipelineName=name, MaxResults=100
    )
    return [
        PipelineVersionRow(
            item["PipelineVersionId"], seconds(item.get("CreationTime")), item.get("PipelineVersionAliases", []),
            item.get("PipelineVersionDescription", ""), item.get("LastExecutionPipelineExecutionArn", ""),
        )
        for item in found
    ]  # fmt: skip


def _parameters(definition: Definition) -> list[dict[str, Any]]:
    return [
        {
            "name": item.name, "type": item.type, "enum": list(item.enum),
            "default": None if item.default is None else text_of(item.default), "description": item.description or "",
        }
        for item in definition.parameters.values()
    ]  # fmt: skip


def act(visit: Visit) -> str:
    """Deletes the pipeline (its name must be typed), or compares chosen executions."""
    name = visit.path["pipeline"]
    if visit.field("action") != "delete":
        raise ValidationError(f"There is no action '{visit.field('action')}'.")
    if visit.field("confirm") != name:
        raise ValidationError(f"Type the pipeline's name, {name}, to delete it with all its executions.")
    visit.call(
        "sagemaker:DeletePipeline", {"PipelineName": name, "ClientRequestToken": visit.field("token").ljust(32, "0")}
    )
    return urls.to("pipelines", done=f"{name} was deleted")


PAGE = Page(
    "/pipelines/{pipeline}", load, "pipeline.html", "Pipelines", act,
    lambda _visit, context: (f"pipeline:{context.pipeline}", f"pipeline-execution:{context.pipeline}/"),
)  # fmt: skip
