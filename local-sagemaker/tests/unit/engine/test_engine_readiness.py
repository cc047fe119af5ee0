"""What happens to a waiting step, row by row; and how the graph's states become the execution's end."""

from __future__ import annotations

import pytest

from local_sagemaker.engine.definition import Dependency
from local_sagemaker.engine.graph import Node
from local_sagemaker.engine.readiness import StepDecision, StepState, steps_in_error, verdict

W, R, S, F, T, L = (
    StepState.WAITING, StepState.RUNNING, StepState.SUCCEEDED, StepState.FAILED, StepState.STOPPED, StepState.SKIPPED,
)  # fmt: skip


def node(*triggers: str, data: bool = False, parent: str | None = None) -> Node:
    return Node(tuple(Dependency("A", item) for item in triggers), ("A",) if data else (), parent, True)


@pytest.mark.parametrize(
    ("what", "state", "expected"),
    [
        (node(), W, StepDecision.RUN),
        (node("Completed"), W, StepDecision.WAIT),
        (node("Completed"), R, StepDecision.WAIT),
        (node("Completed"), S, StepDecision.RUN),
        (node("Completed"), F, StepDecision.SKIP),
        (node("Completed"), T, StepDecision.SKIP),
        (node("Completed"), L, StepDecision.SKIP),
        (node("Failed"), S, StepDecision.SKIP),
        (node("Failed"), F, StepDecision.RUN),
        (node("Failed"), T, StepDecision.SKIP),
        (node("Stopped"), T, StepDecision.RUN),
        (node("Any"), S, StepDecision.RUN),
        (node("Any"), F, StepDecision.RUN),
        (node("Any"), T, StepDecision.RUN),
        (node("Any"), L, StepDecision.SKIP),
        (node("Any"), R, StepDecision.WAIT),
        (node(data=True), R, StepDecision.WAIT),
        (node(data=True), S, StepDecision.RUN),
        (node(data=True), F, StepDecision.SKIP),
        (node("Any", data=True), F, StepDecision.RUN),
        (node("Failed", data=True), F, StepDecision.RUN),
        (node("Stopped", data=True), T, StepDecision.RUN),
        (node("Failed", data=True), S, StepDecision.SKIP),
        (node("Any", data=True), S, StepDecision.RUN),
        (node("Any", data=True), L, StepDecision.SKIP),
    ],
)
def test_verdicts(what: Node, state: StepState, expected: StepDecision) -> None:
    assert verdict(what, {"A": state}, lambda _: True) is expected


@pytest.mark.parametrize(
    ("state", "outcome", "expected"),
    [
        (W, True, StepDecision.WAIT),
        (R, True, StepDecision.WAIT),
        (S, True, StepDecision.RUN),
        (S, False, StepDecision.SKIP),
        (F, True, StepDecision.SKIP),
        (L, True, StepDecision.SKIP),
    ],
)
def test_branches(state: StepState, outcome: bool, expected: StepDecision) -> None:
    assert verdict(node(parent="If"), {"If": state}, lambda _: outcome) is expected


@pytest.mark.parametrize(
    ("failed", "handler", "trigger", "expected"),
    [
        (F, S, "Failed", []),
        (F, S, "Any", []),
        (T, S, "Stopped", []),
        (F, F, "Failed", ["B"]),
        (F, L, "Stopped", ["A"]),
        (F, L, "Completed", ["A"]),
        (S, S, "Any", []),
    ],
)
def test_handled_failures(failed: StepState, handler: StepState, trigger: str, expected: list[str]) -> None:
    nodes = {"A": node(), "B": node(trigger)}
    assert steps_in_error(nodes, {"A": failed, "B": handler}) == expected
