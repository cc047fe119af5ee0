"""The panel of one step: its state, job, log, inputs and outputs, metrics, cache explanation, failure, requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.check_verdicts import CheckVerdict, verdicts_of
from local_sagemaker.studio.pages.job_details import JobView, job_of, load_job
from local_sagemaker.studio.pages.last_success import add_baseline, find_execution, find_job
from local_sagemaker.studio.pages.log_window import LogWindow, read_log
from local_sagemaker.studio.pages.reports import Report, reports_of
from local_sagemaker.studio.pages.source_lines import SourceExcerpt, read_source
from local_sagemaker.studio.views.argument_values import EvaluatedArgument, evaluate_arguments
from local_sagemaker.studio.views.cache import CacheDecision, read_decision
from local_sagemaker.studio.views.commands import aws_command
from local_sagemaker.studio.views.failure import Failure, explain
from local_sagemaker.studio.views.step_states import StepView

TABS = (
    ("overview", "Overview"), ("io", "In / out"), ("parameters", "Parameters"), ("log", "Log"), ("metrics", "Metrics"),
    ("report", "Report"), ("requests", "Requests"),
)  # fmt: skip
NOTES = "/aws/sagemaker/PipelineExecutions"


@dataclass(frozen=True)
class StepPanel:
    """What the panel shows of the chosen step."""

    step: StepView
    tab: str
    job: JobView | None
    log: LogWindow | None
    notes: list[str]
    cache: CacheDecision | None
    failure: Failure | None
    facts: dict[str, str]
    reports: list[Report]
    metadata: dict[str, Any] = field(repr=False)
    definition: dict[str, Any] = field(repr=False)
    previous: str = ""
    following: str = ""
    source: SourceExcerpt | None = None
    evaluated: list[EvaluatedArgument] = field(default_factory=list)
    callback_commands: dict[str, str] = field(default_factory=dict)
    """Commands that send the result of a Callback step which waits."""
    verdict: CheckVerdict | None = None


def load_panel(
    visit: Visit, views: Sequence[StepView], steps: Mapping[str, Mapping[str, Any]], definition: Mapping[str, Any],
    arn: str, chosen: str, parameters: Mapping[str, str],
) -> StepPanel | None:  # fmt: skip
    """The panel of the step with this name; None where there is none. `parameters` are the execution's values."""
    names = [view.name for view in views]
    if chosen not in names:
        return None
    step = next(view for view in views if view.name == chosen)
    record = steps.get(chosen, {})
    tabs = [name for name, _ in TABS]
    tab = visit.value("tab") if visit.value("tab") in tabs else "overview"
    metadata = dict(record.get("Metadata", {}))
    job = _job(visit, metadata, tab, step)
    if job and tab in ("io", "metrics"):
        job = _compare(visit, job, arn, step, tab)
    pipeline, _, execution = arn.partition(":pipeline/")[2].partition("/execution/")
    notes = read_log(visit, NOTES, f"{pipeline}/{execution}/{chosen}", limit=100)
    failure = None
    if step.state in ("Failed", "FailedTolerated"):
        failure = explain(step.reason, job.log.texts if job and job.log else notes.texts)
    place = names.index(chosen)
    reports = reports_of(visit, metadata, job) if tab == "report" else []
    written = _definition_of(definition, chosen)
    return StepPanel(
        step, tab, job, job.log if job else (notes if tab == "log" else None), notes.texts,
        read_decision(notes.texts), failure, _facts(metadata), reports,
        metadata, written, names[place - 1] if place else "",
        names[place + 1] if place + 1 < len(names) else "",
        read_source(visit, job.describe, failure.frame) if job and failure else None,
        _evaluated(visit, written, job, parameters) if tab == "parameters" else [],
        _responses(step, metadata, written), next(verdicts_of(visit, {chosen: record} if record else {}), None),
    )  # fmt: skip


def _compare(visit: Visit, job: JobView, arn: str, step: StepView, tab: str) -> JobView:
    """The job beside that of the last success."""
    execution = find_execution(visit, arn, step.start)
    before = find_job(visit, execution, step.name, job.kind, tab) if execution else None
    return add_baseline(job, before) if before else job


def _described(job: JobView | None) -> Mapping[str, Any]:
    """Describe's response, with what is masked elsewhere masked here."""
    return {**job.describe, "Environment": job.environment} if job else {}


def _evaluated(
    visit: Visit, written: Mapping[str, Any], job: JobView | None, parameters: Mapping[str, str]
) -> list[EvaluatedArgument]:
    arguments = written.get("Arguments", {})
    return evaluate_arguments(arguments, _described(job), parameters, is_masked=not visit.reveals)


def _responses(step: StepView, metadata: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, str]:
    token = metadata.get("Callback", {}).get("CallbackToken", "")
    if step.state != "Executing" or not token:
        return {}
    outputs = [{"Name": item["OutputName"], "Value": "..."} for item in written.get("OutputParameters", [])]
    success = {"CallbackToken": token, **({"OutputParameters": outputs} if outputs else {})}
    return {
        "succeed": aws_command("sagemaker:SendPipelineExecutionStepSuccess", success),
        "fail": aws_command("sagemaker:SendPipelineExecutionStepFailure", {"CallbackToken": token,
                                                                           "FailureReason": "..."}),
    }  # fmt: skip


def _job(visit: Visit, metadata: Mapping[str, Any], tab: str, step: StepView) -> JobView | None:
    job = job_of(metadata)
    if job is None:
        return None
    try:
        return load_job(visit, *job, tab=tab, since=None if step.state == "Reused" else step.start)
    except ServiceError:
        return None  # deleted since


def _facts(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The values of the step's metadata, flat, as AWS names them."""
    facts = {}
    for content in metadata.values():
        for name, value in (content or {}).items():
            facts[name] = value if isinstance(value, str) else json.dumps(value)
    return facts


def _definition_of(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    pending = list(definition.get("Steps", []))
    while pending:
        item = pending.pop()
        if item.get("Name") == name:
            return dict(item)
        arguments = item.get("Arguments") or {}
        if isinstance(arguments, dict):
            pending += [*arguments.get("IfSteps", []), *arguments.get("ElseSteps", [])]
    return {}


def step_address(arn: str, name: str, tab: str = "") -> str:
    """The address of an execution's page with a step chosen."""
    return urls.execution(arn, step=name, tab=tab)
