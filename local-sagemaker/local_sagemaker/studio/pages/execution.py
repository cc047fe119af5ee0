"""An execution: head, failure, graph, grid and timeline together, and the panel of the chosen step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.engine.definition import Definition, parse
from local_sagemaker.engine.graph import Graph, graph
from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.bounded_cache import BoundedCache
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.condition_decisions import ConditionDecision, decisions
from local_sagemaker.studio.pages.execution_data import definition_of, steps_of, values_of
from local_sagemaker.studio.pages.execution_steps import StepAddresses, StepsShown, load_steps
from local_sagemaker.studio.pages.serving import version_name
from local_sagemaker.studio.pages.source_lines import SourceExcerpt
from local_sagemaker.studio.pages.step_panel import TABS, StepPanel, load_panel
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.data_flow import Feeds, find_feeds
from local_sagemaker.studio.views.executions import ExecutionRow, row
from local_sagemaker.studio.views.failure import Failure
from local_sagemaker.studio.views.step_states import StepView, step_states

_DONE = ("Succeeded", "Reused", "NotSelected", "Failed", "FailedTolerated", "Stopped")

_RUNNING, _AGAIN = ("Executing", "Starting", "Retrying"), ("Failed", "Stopped")


@dataclass(frozen=True)
class ParameterChange:
    """A parameter that differs from its default."""

    name: str
    was: str
    now: str


@dataclass(frozen=True)
class ExecutionContext:
    """What an execution's page shows."""

    execution: ExecutionRow = field(metadata={"help": "the execution's description"})
    description: str = field(metadata={"help": "PipelineExecutionDescription"})
    steps: list[StepView] = field(metadata={"help": "all steps of the definition, started ones first"})
    order: list[str] = field(metadata={"help": "the steps' names in the order of the definition"})
    finished: int = field(metadata={"help": "steps that have ended"})
    reused: int = field(metadata={"help": "steps whose result was reused"})
    totals: dict[str, int] = field(metadata={"help": "steps by state"})
    parameters: dict[str, str] = field(metadata={"help": "the values that the execution runs with"})
    changes: list[ParameterChange] = field(metadata={"help": "parameters that differ from their defaults"})
    first_failed: str = field(metadata={"help": "the first failed step"})
    failure: Failure | None = field(metadata={"help": "why the first failed step failed"})
    source: SourceExcerpt | None = field(metadata={"help": "the lines of the user's code around the failure"})
    decisions: list[ConditionDecision] = field(metadata={"help": "conditions with the values of both sides"})
    decided: int = field(metadata={"help": "how many conditions were decided"})
    registered: list[str] = field(metadata={"help": "ARNs of the model versions that were registered"})
    registered_names: list[str] = field(metadata={"help": "their groups and numbers, as they are written"})
    endpoints: list[str] = field(metadata={"help": "names of the endpoints that were made"})
    panel: StepPanel | None = field(metadata={"help": "the chosen step"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "tabs of the panel"})
    addresses: Mapping[str, str] = field(metadata={"help": "where each step leads"})
    shown: StepsShown = field(metadata={"help": "graph, grid and timeline as the address chooses them"})
    tolerated: list[str] = field(metadata={"help": "failed steps that a run condition tolerated"})
    can_stop: bool = field(metadata={"help": "whether StopPipelineExecution would be accepted"})
    can_retry: bool = field(metadata={"help": "whether RetryPipelineExecution would be accepted"})
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})
    running: list[str] = field(default_factory=list, metadata={"help": "the steps that run now"})
    again: list[str] = field(default_factory=list, metadata={"help": "the steps that a retry runs again"})
    feeds: Feeds = field(
        default_factory=dict, metadata={"help": "which output feeds which input, by target and source"}
    )


def load(visit: Visit) -> ExecutionContext:
    """Reads the execution, its definition and steps, and the chosen step."""
    arn = find_arn(visit)
    body = visit.call("sagemaker:DescribePipelineExecution", {"PipelineExecutionArn": arn})
    text = definition_of(visit, arn)
    definition, nodes = DEFINITIONS(text)
    records = steps_of(visit, arn)
    parameters = values_of(visit, arn)
    execution = row({**body, "StartTime": body["CreationTime"]}, visit.now)
    views = step_states(definition, nodes, execution.status, records, visit.now)
    context = _context(visit, execution, body, definition, views, records, parameters, text)
    return replace(context, feeds=_FEEDS(text)) if context.shown.is_drawn else context


def _read_definition(text: str) -> tuple[Definition, Graph]:
    definition = parse(text)
    return definition, graph(definition)


DEFINITIONS = BoundedCache(_read_definition, len, 1 << 20)
"""By their texts, a MB of them, which is the longest that there may be: they are ten times as large in memory."""


def _find_feeds(text: str) -> Feeds:
    return find_feeds(DEFINITIONS(text)[0])


_FEEDS = BoundedCache(_find_feeds, len, 1 << 20)


def _context(
    visit: Visit, execution: ExecutionRow, body: dict[str, Any], definition: Definition,
    views: list[StepView], records: list[dict[str, Any]], parameters: dict[str, str], text: str,
) -> ExecutionContext:  # fmt: skip
    steps = {record["StepName"]: record for record in records}
    totals: dict[str, int] = {}
    for view in views:
        totals[view.state] = totals.get(view.state, 0) + 1
    failed = [view for view in views if view.state == "Failed"]
    chosen = visit.value("step") or (failed[0].name if failed else "")
    # Once for both panels. It is not kept: it takes ten times its text in memory.
    document = json.loads(text) if chosen else {}
    panel = load_panel(visit, views, steps, document, execution.arn, chosen, parameters)
    first_panel = panel
    if failed and (panel is None or panel.step.name != failed[0].name):
        first_panel = load_panel(visit, views, steps, document, execution.arn, failed[0].name, parameters)
    starts = [view.start for view in views if view.start is not None]
    ends = [view.end or visit.now for view in views if view.start is not None]
    first = min([execution.start or visit.now, *starts])
    last = max([*ends, execution.end or 0.0, first + 0.001])
    addresses = StepAddresses(visit.query, list(definition.steps))
    registered = _arns(records, "RegisterModel")
    notes = f"{execution.pipeline}/{execution.identifier}"
    shown = load_steps(visit, views, panel.step.name if panel else "", first, last, notes, addresses)
    return ExecutionContext(
        execution, str(body.get("PipelineExecutionDescription", "")), views, list(definition.steps),
        sum(view.state in _DONE for view in views), totals.get("Reused", 0) + totals.get("NotSelected", 0), totals,
        parameters, _changes(definition, parameters), failed[0].name if failed else "",
        first_panel.failure if failed and first_panel else None,
        first_panel.source if failed and first_panel else None,
        *decisions(visit, definition, views, parameters, steps, panel.step.name if panel else ""),
        registered, [version_name(visit, arn) for arn in registered],
        [arn.rpartition("/")[2] for arn in _arns(records, "Endpoint")], panel, TABS,
        addresses, shown, [view.name for view in views if view.state == "FailedTolerated"],
        execution.status == "Executing",
        execution.status in ("Failed", "Stopped"), _commands(execution),
        [view.name for view in views if view.state in _RUNNING], [view.name for view in views if view.state in _AGAIN],
    )  # fmt: skip


def find_arn(visit: Visit) -> str:
    """The ARN of the execution that the address names. Raises when there is no such pipeline."""
    pipeline = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    return f"{pipeline['PipelineArn']}/execution/{visit.path['execution']}"


def _changes(definition: Definition, parameters: dict[str, str]) -> list[ParameterChange]:
    changes = []
    for name, value in parameters.items():
        declared = definition.parameters.get(name)
        default = "" if declared is None or declared.default is None else text_of(declared.default)
        if value != default:
            changes.append(ParameterChange(name, default, value))
    return changes


def text_of(value: Any) -> str:
    """A parameter's value as the API writes it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _arns(records: list[dict[str, Any]], member: str) -> list[str]:
    metadata = [record.get("Metadata", {}).get(member, {}) for record in records]
    return [
        str(item.get("Arn") or item.get("EndpointArn"))
        for item in metadata
        if item.get("Arn") or item.get("EndpointArn")
    ]


def _commands(execution: ExecutionRow) -> dict[str, str]:
    arn = {"PipelineExecutionArn": execution.arn}
    return {
        "stop": aws_command("sagemaker:StopPipelineExecution", arn),
        "retry": aws_command("sagemaker:RetryPipelineExecution", arn),
        "describe": aws_command("sagemaker:DescribePipelineExecution", arn),
        "steps": aws_command("sagemaker:ListPipelineExecutionSteps", arn),
    }


def act(visit: Visit) -> str:
    """Stop, retry, or a new description."""
    arn = find_arn(visit)
    token = {"ClientRequestToken": visit.field("token")} if len(visit.field("token")) >= 32 else {}
    action = visit.field("action")
    if action == "stop":
        visit.call("sagemaker:StopPipelineExecution", {"PipelineExecutionArn": arn, **token})
    elif action == "retry":
        visit.call("sagemaker:RetryPipelineExecution", {"PipelineExecutionArn": arn, **token})
    elif action == "describe":
        visit.call(
            "sagemaker:UpdatePipelineExecution",
            {"PipelineExecutionArn": arn, "PipelineExecutionDescription": visit.field("description")},
        )
    else:
        raise ValidationError(f"There is no action '{action}'.")
    return urls.execution(arn)


def _live(_visit: Visit, context: ExecutionContext) -> tuple[str, ...]:
    key = f"{context.execution.pipeline}/{context.execution.identifier}".lower()
    return f"pipeline-execution:{key}", f"pipeline-step:{key}/"


PAGE = Page("/pipelines/{pipeline}/executions/{execution}", load, "execution.html", "Pipelines", act, _live)
