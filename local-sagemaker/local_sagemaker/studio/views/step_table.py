"""The grid of an execution's steps: filtered, and cut into pages. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from local_sagemaker.studio.views.fan_out import rank
from local_sagemaker.studio.views.step_states import StepView

PAGE = 200


@dataclass(frozen=True)
class StepTable:
    """One page of the steps that fit the filters. `total` of them do; `number` counts pages from 1."""

    rows: tuple[StepView, ...]
    total: int
    number: int
    pages: int


def choose_steps(
    steps: Sequence[StepView], *, state: str = "", text: str = "", kind: str = "", members: Collection[str] = (),
    number: int = 0, chosen: str = "",
) -> StepTable:  # fmt: skip
    """The page `number`, or, for 0, the one with the chosen step. The members of a fan come failed ones first."""
    fitting = [
        step for step in steps
        if (not state or step.state == state) and (not kind or step.type == kind)
        and text.lower() in step.name.lower() and (not members or step.name in members)
    ]  # fmt: skip
    if members:
        fitting.sort(key=lambda step: rank(step.state))
    pages = max(1, -(-len(fitting) // PAGE))
    if not number:
        place = next((at for at, step in enumerate(fitting) if step.name == chosen), 0)
        number = place // PAGE + 1
    number = min(max(1, number), pages)
    return StepTable(tuple(fitting[(number - 1) * PAGE : number * PAGE]), len(fitting), number, pages)
