"""What happens to a step that has not started: wait, run, or be left out. Pure.

A step in an untaken branch, and everything that depends on it, is left out without failing the execution; so are
the steps that depend on a failed one or on its data, unless a trigger (Failed, Stopped, Any) requests that outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from local_sagemaker.engine.definition import StepTrigger
from local_sagemaker.engine.graph import Graph, Node


class StepState(Enum):
    """Where a step is. The last four are final."""

    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    STOPPED = "Stopped"
    SKIPPED = "Skipped"


class StepDecision(Enum):
    """What to do with a waiting step."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"


FINAL = (StepState.SUCCEEDED, StepState.FAILED, StepState.STOPPED, StepState.SKIPPED)
_WANTED = {
    StepTrigger.COMPLETED: (StepState.SUCCEEDED,),
    StepTrigger.FAILED: (StepState.FAILED,),
    StepTrigger.STOPPED: (StepState.STOPPED,),
    StepTrigger.ANY: (StepState.SUCCEEDED, StepState.FAILED, StepState.STOPPED),
}

Outcome = Callable[[str], bool]


def verdict(node: Node, states: Mapping[str, StepState], outcome: Outcome) -> StepDecision:
    """Decides for one waiting step; `outcome` is the result of a condition step that Succeeded."""
    waiting = False
    if node.parent:
        state = states[node.parent]
        if state in FINAL and (state is not StepState.SUCCEEDED or outcome(node.parent) != node.branch):
            return StepDecision.SKIP
        waiting = state not in FINAL
    for dependency in node.depends_on:
        state = states[dependency.step]
        if state in FINAL and state not in _WANTED[dependency.trigger]:
            return StepDecision.SKIP
        waiting = waiting or state not in FINAL
    lost = [name for name in node.data if states[name] in FINAL and states[name] is not StepState.SUCCEEDED]
    handled = {item.step for item in node.depends_on if item.trigger != StepTrigger.COMPLETED}
    if any(name not in handled or states[name] is StepState.SKIPPED for name in lost):
        return StepDecision.SKIP
    if waiting or any(states[name] not in FINAL for name in node.data):
        return StepDecision.WAIT
    return StepDecision.RUN


def steps_in_error(nodes: Graph, states: Mapping[str, StepState]) -> list[str]:
    """The failed (or stopped) steps that no other step took care of by a trigger."""
    handled = {
        dependency.step
        for name, node in nodes.items()
        if states[name] in (StepState.SUCCEEDED, StepState.FAILED, StepState.STOPPED)
        for dependency in node.depends_on
        if dependency.trigger != StepTrigger.COMPLETED
    }
    return [
        name for name, state in states.items() if state in (StepState.FAILED, StepState.STOPPED) and name not in handled
    ]
