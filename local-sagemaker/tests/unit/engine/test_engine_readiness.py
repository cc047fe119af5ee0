"""What happens to a waiting step, row by row; and how the graph's states become the execution's end."""

from __future__ import annotations

import pytest

from local_sagemaker.engine.definition import Dependency
from local_sagemaker.engine.graph import Node
from local_sagemaker.engine.readiness import State, Verdict, unhandled, verdict

W, R, S, F, T, L = (
    State.WAITING, State.RUNNING, State.SUCCEEDED, State.FAILED, State.STOPPED, State.SKIPPED,
)  # fmt: skip


def node(*triggers: str, data: bool = False, parent: str | None = None) -> Node:
    return Node(tuple(Dependency("A", item) for item in triggers), ("A",) if data else (), parent, True)


@pytest.mark.parametrize(
    ("what", "state", "expected"),
    [
        (node(), W, Verdict.RUN),
        (node("Completed"), W, Verdict.WAIT),
        (node("Completed"), R, Verdict.WAIT),
        (node("Completed"), S, Verdict.RUN),
        (node("Completed"), F, Verdict.SKIP),
        (node("Completed"), T, Verdict.SKIP),
        (node("Completed"), L, Verdict.SKIP),
        (node("Failed"), S, Verdict.SKIP),
        (node("Failed"), F, Verdict.RUN),
        (node("Failed"), T, Verdict.SKIP),
        (node("Stopped"), T, Verdict.RUN),
        (node("Any"), S, Verdict.RUN),
        (node("Any"), F, Verdict.RUN),
        (node("Any"), T, Verdict.RUN),
        (node("Any"), L, Verdict.SKIP),
        (node("Any"), R, Verdict.WAIT),
        (node(data=True), R, Verdict.WAIT),
        (node(data=True), S, Verdict.RUN),
        (node(data=True), F, Verdict.SKIP),
        (node("Any", data=True), F, Verdict.FAIL),
        (node("Any", data=True), S, Verdict.RUN),
        (node("Any", data=True), L, Verdict.SKIP),
    ],
)
def test_verdicts(what: Node, state: State, expected: Verdict) -> None:
    assert verdict(what, {"A": state}, lambda _: True) is expected


@pytest.mark.parametrize(
    ("state", "outcome", "expected"),
    [
        (W, True, Verdict.WAIT),
        (R, True, Verdict.WAIT),
        (S, True, Verdict.RUN),
        (S, False, Verdict.SKIP),
        (F, True, Verdict.SKIP),
        (L, True, Verdict.SKIP),
    ],
)
def test_branches(state: State, outcome: bool, expected: Verdict) -> None:
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
def test_handled_failures(failed: State, handler: State, trigger: str, expected: list[str]) -> None:
    nodes = {"A": node(), "B": node(trigger)}
    assert unhandled(nodes, {"A": failed, "B": handler}) == expected
