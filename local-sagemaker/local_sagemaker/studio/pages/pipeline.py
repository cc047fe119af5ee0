"""A pipeline: its executions with their parameters, its graph, versions, parameters and definition."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.engine.definition import Definition, parse
from local_sagemaker.engine.graph import graph
from local_sagemaker.errors import ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Page, Visit
from local_sagemaker.studio.pages.execution import text_of
from local_sagemaker.studio.pages.execution_list import SINCE, SIZES, STATUSES, ExecutionList, load_list
from local_sagemaker.studio.pages.pipeline_versions import (
    PipelineVersionRow,
    VersionChanges,
    changes_of,
    name_version,
    versions_of,
)
from local_sagemaker.studio.pages.tagging import ACTIONS, edit_tags, tags_of
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.data_flow import Feeds, find_feeds, find_users
from local_sagemaker.studio.views.step_states import StepView

TABS = (
    ("executions", "Executions"), ("graph", "Graph"), ("versions", "Versions"), ("parameters", "Parameters"),
    ("definition", "Definition"),
)  # fmt: skip


@dataclass(frozen=True)
class PipelineContext:
    """What a pipeline's page shows."""

    pipeline: str = field(metadata={"help": "the pipeline's name"})
    arn: str = field(metadata={"help": "its ARN"})
    description: str = field(metadata={"help": "PipelineDescription"})
    tab: str = field(metadata={"help": "the tab that is shown"})
    tabs: tuple[tuple[str, str], ...] = field(metadata={"help": "all tabs"})
    total: int = field(metadata={"help": "all executions of the pipeline"})
    listing: ExecutionList | None = field(metadata={"help": "one page of the executions that fit the filters"})
    names: list[str] = field(metadata={"help": "all parameters"})
    choices: dict[str, Any] = field(metadata={"help": "what the fields of the filters offer"})
    steps: list[StepView] = field(metadata={"help": "steps of the definition, nothing started"})
    order: list[str] = field(metadata={"help": "their order in the definition"})
    addresses: dict[str, str] = field(metadata={"help": "where each step leads"})
    versions: list[PipelineVersionRow] = field(metadata={"help": "versions, newest first"})
    changed: VersionChanges | None = field(metadata={"help": "what the version of the address changed"})
    parameters: list[dict[str, Any]] = field(metadata={"help": "declared parameters"})
    definition: dict[str, Any] = field(metadata={"help": "the definition as JSON"}, repr=False)
    tags: dict[str, str] = field(metadata={"help": "the pipeline's tags"})
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})
    feeds: Feeds = field(metadata={"help": "which output feeds which input, by target and source"})


def load(visit: Visit) -> PipelineContext:
    """DescribePipeline, and what the tab shows."""
    body = visit.call("sagemaker:DescribePipeline", {"PipelineName": visit.path["pipeline"]})
    name, arn = body["PipelineName"], body["PipelineArn"]
    known = [key for key, _ in TABS]
    tab = visit.value("tab") if visit.value("tab") in known else "executions"
    definition = parse(body["PipelineDefinition"])
    listing = load_list(visit, name, arn, list(definition.parameters)) if tab == "executions" else None
    total = visit.reads.count_below("pipeline-execution", name.lower())
    versions = versions_of(visit, name) if tab == "versions" else []
    target = urls.to("pipelines", name, tab="definition")
    return PipelineContext(
        name, arn, body.get("PipelineDescription", ""), tab, TABS, total, listing,
        list(definition.parameters), {"status": STATUSES, "since": SINCE, "size": SIZES},
        _steps(definition) if tab == "graph" else [],
        list(definition.steps), {step: f"{target}#step-{step}" for step in definition.steps},
        versions, changes_of(visit, name, versions), _parameters(definition) if tab == "parameters" else [],
        json.loads(body["PipelineDefinition"]) if tab == "definition" else {},
        tags_of(visit, arn) if tab == "definition" else {},
        {
            "start": aws_command("sagemaker:StartPipelineExecution", {"PipelineName": name}),
            "delete": aws_command("sagemaker:DeletePipeline", {"PipelineName": name}),
        },
        find_feeds(definition) if tab == "graph" else {},
    )  # fmt: skip


def _steps(definition: Definition) -> list[StepView]:
    nodes = graph(definition)
    return [StepView(name, step.type, "Defined", "", nodes[name].upstream) for name, step in definition.steps.items()]


def _parameters(definition: Definition) -> list[dict[str, Any]]:
    users = find_users(definition)
    return [
        {
            "name": item.name, "type": item.type, "enum": list(item.enum),
            "default": None if item.default is None else text_of(item.default), "description": item.description or "",
            "used_by": users.get(item.name, []),
        }
        for item in definition.parameters.values()
    ]  # fmt: skip


def act(visit: Visit) -> str:
    """Deletes the pipeline (its name must be typed), names a version, or edits the tags."""
    name = visit.path["pipeline"]
    if visit.field("action") in (*ACTIONS, "version"):
        arn = visit.call("sagemaker:DescribePipeline", {"PipelineName": name})["PipelineArn"]
        if visit.field("action") == "version":
            return name_version(visit, name, arn)
        edit_tags(visit, arn)
        return urls.to("pipelines", name, tab="definition")
    if visit.field("action") != "delete":
        raise ValidationError(f"There is no action '{visit.field('action')}'.")
    if visit.field("confirm") != name:
        raise ValidationError(f"Type the pipeline's name, {name}, to delete it with all its executions.")
    visit.call("sagemaker:DeletePipeline", {"PipelineName": name, "ClientRequestToken": secrets.token_hex(20)})
    return urls.to("pipelines", done=f"{name} was deleted")


PAGE = Page(
    "/pipelines/{pipeline}", load, "pipeline.html", "Pipelines", act,
    lambda _visit, context: (f"pipeline:{context.pipeline}", f"pipeline-execution:{context.pipeline}/"),
)  # fmt: skip
