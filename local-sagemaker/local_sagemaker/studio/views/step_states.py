"""Where each step of an execution is, from its definition, its status and the steps that have started. Pure.

AWS lists started steps only. What has not started is distinguished here: it waits, is queued, or never runs and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local_sagemaker.engine.definition import Definition
from local_sagemaker.engine.graph import Graph
from local_sagemaker.studio.views.times import between, duration, seconds

RUNNING = ("Executing", "Stopping")


@dataclass(frozen=True)
class StepView:
    """One step. `state` is a key of `states`; `start` and `end` are seconds since the epoch; `needs` the steps that it
    comes after; `branch` the condition that it hangs on with the outcome that it needs, as ``Check=True``."""

    name: str
    type: str
    state: str
    words: str
    needs: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None
    seconds: float | None = None
    attempts: int = 0
    reason: str = ""
    branch: str = ""


def step_states(
    definition: Definition, nodes: Graph, status: str, steps: Sequence[Mapping[str, Any]], now: float
) -> list[StepView]:
    """All steps of the definition, those that have started first in the order of their start, then by definition."""
    started = {step["StepName"]: step for step in steps}
    states: dict[str, str] = {}
    views = {}
    for name in _order(nodes):
        step = definition.steps[name]
        node = nodes[name]
        record = started.get(name)
        if record is not None:
            views[name] = _describe_started(name, step.type, record, node.upstream, nodes, started, now)
        else:
            state, words = _idle(name, nodes, status, started, states)
            views[name] = StepView(name, step.type, state, words, node.upstream)
        if node.parent:
            views[name] = replace(views[name], branch=f"{node.parent}={node.branch}")
        states[name] = views[name].state
    order = {name: place for place, name in enumerate(definition.steps)}
    return sorted(views.values(), key=lambda view: (view.start is None, view.start or 0.0, order[view.name]))


def _order(nodes: Graph) -> list[str]:
    """Every step after those that it needs."""
    done: dict[str, None] = {}
    for root in nodes:
        pending = [root]
        while pending:
            name = pending[-1]
            missing = [item for item in nodes[name].upstream if item in nodes and item not in done]
            if missing:
                pending += missing
            else:
                done[name] = None
                pending.pop()
    return list(done)


def _describe_started(
    name: str, kind: str, record: Mapping[str, Any], needs: tuple[str, ...], nodes: Graph,
    started: Mapping[str, Mapping[str, Any]], now: float,
) -> StepView:  # fmt: skip
    status = record["StepStatus"]
    length = between(record.get("StartTime"), record.get("EndTime"), now)
    reason = str(record.get("FailureReason", ""))
    attempts = int(record.get("AttemptCount", 1) or 1)
    state, words = status, ""
    if status == "Succeeded" and "CacheHitResult" in record:
        source = record["CacheHitResult"].get("SourcePipelineExecutionArn", "")
        state, words = "Reused", f"Reused from {source.rpartition('/')[2]}"
    elif status == "Succeeded" and "SelectiveExecutionResult" in record:
        source = record["SelectiveExecutionResult"].get("SourcePipelineExecutionArn", "")
        state, words = "NotSelected", f"Not selected: result of {source.rpartition('/')[2]}"
    elif status == "Failed":
        words = reason.strip().partition("\n")[0]
        state = "FailedTolerated" if _is_tolerated(name, nodes, started) else "Failed"
    elif status in ("Executing", "Starting") and attempts > 1:
        state, words = "Retrying", f"Attempt {attempts}" + (f", first failed: {reason}" if reason else "")
    elif status == "Stopped":
        words = f"Stopped after {duration(length)}"
    elif kind == "Condition":
        words = f"The condition is {record.get('Metadata', {}).get('Condition', {}).get('Outcome', '')}"
    return StepView(
        name, kind, state, words, needs, seconds(record.get("StartTime")), seconds(record.get("EndTime")), length,
        attempts, reason,
    )  # fmt: skip


def _is_tolerated(name: str, nodes: Graph, started: Mapping[str, Any]) -> bool:
    return any(
        other in started and any(item.step == name and item.trigger != "Completed" for item in node.depends_on)
        for other, node in nodes.items()
    )


def _idle(
    name: str, nodes: Graph, status: str, started: Mapping[str, Mapping[str, Any]], states: Mapping[str, str]
) -> tuple[str, str]:
    """State and words of a step that has not started."""
    node = nodes[name]
    parent = started.get(node.parent or "")
    outcome = (parent or {}).get("Metadata", {}).get("Condition", {}).get("Outcome")
    if outcome is not None and (outcome == "True") != node.branch:
        return "NotTaken", f"Not taken: {node.parent} was {outcome}"
    if node.parent and states.get(node.parent) == "NotTaken":
        return "NotTaken", f"Not taken, like {node.parent}"
    for item in node.depends_on:
        if item.trigger != "Completed" and _has_ended(states.get(item.step)):
            wanted = {"Failed": "fails", "Stopped": "is stopped", "Any": "ends"}[item.trigger]
            matches = states.get(item.step) in {"Failed": ("Failed", "FailedTolerated"), "Stopped": ("Stopped",)}.get(
                item.trigger, (states.get(item.step),)
            )
            if not matches:
                return "NotMet", f"Runs only if {item.step} {wanted}"
    bad = [other for other in node.upstream if states.get(other) in ("Failed", "Stopped", "Blocked", "FailedTolerated")]
    if bad:
        word = {"Failed": "failed", "FailedTolerated": "failed", "Stopped": "was stopped"}.get(
            states[bad[0]], "never started"
        )
        return "Blocked", f"Never started: {bad[0]} {word}"
    skipped = [other for other in node.upstream if states.get(other) in ("NotTaken", "NotMet")]
    if skipped:
        return "NotTaken", f"Not taken, as {skipped[0]} did not run"
    if status not in RUNNING:
        return "Blocked", f"Never started: the execution ended ({status})"
    waiting = [other for other in node.upstream if not _has_ended(states.get(other))]
    if waiting:
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        return "Waiting", f"Waiting for {', '.join(waiting[:3])}{more}"
    return "Queued", f"Queued: {sum(step['StepStatus'] in ('Executing', 'Starting') for step in started.values())} run"


def _has_ended(state: str | None) -> bool:
    return state not in (None, "Waiting", "Queued", "Starting", "Executing", "Retrying", "Stopping")
