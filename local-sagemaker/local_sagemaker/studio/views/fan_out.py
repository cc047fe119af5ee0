"""Fans in a graph: many steps of one type between the same steps, shown as one node. Pure.

SageMaker has no step type for a loop; what other tools write as one is written out here, as so many steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from local_sagemaker.studio.views.states import state_of
from local_sagemaker.studio.views.step_states import StepView

FEWEST = 12
_BAD_FIRST = (
    "Failed", "FailedTolerated", "Stopped", "Stopping", "Retrying", "Executing", "Starting", "Queued", "Waiting",
    "Blocked", "NotMet", "NotTaken", "NotSelected", "Reused", "Succeeded",
)  # fmt: skip


@dataclass(frozen=True)
class Fan:
    """Steps that are drawn as one. `name` is the first member's; `totals` are members by state, worst first."""

    name: str
    label: str
    type: str
    members: tuple[str, ...]
    totals: tuple[tuple[str, int], ...]

    @property
    def state(self) -> str:
        """The worst state of a member."""
        return self.totals[0][0]

    @property
    def words(self) -> str:
        """How many are in which state."""
        return ", ".join(f"{count:,} {state_of(state).word.lower()}" for state, count in self.totals)


@dataclass(frozen=True)
class FoldedGraph:
    """Nodes to draw, in the order given: `steps` stand for themselves or, by name, for a fan of `fans`."""

    steps: tuple[StepView, ...]
    fans: Mapping[str, Fan]


def fold(steps: Sequence[StepView]) -> FoldedGraph:
    """The graph with its fans folded: 12 or more steps of one type with the same steps before and after them."""
    fans = find_fans(steps)
    if not fans:
        return FoldedGraph(tuple(steps), {})
    place = {member: fan.name for fan in fans.values() for member in fan.members}
    shown = []
    for step in steps:
        if place.get(step.name, step.name) == step.name:
            needs = tuple(dict.fromkeys(place.get(need, need) for need in step.needs))
            shown.append(replace(step, needs=needs))
    return FoldedGraph(tuple(shown), fans)


def find_fans(steps: Sequence[StepView]) -> dict[str, Fan]:
    """The fans by the name of their first member."""
    alike: dict[tuple[str, str, frozenset[str]], list[StepView]] = {}
    for step in steps:
        alike.setdefault((step.type, step.branch, frozenset(step.needs)), []).append(step)
    candidates = [group for group in alike.values() if len(group) >= FEWEST]
    if not candidates:
        return {}
    leads: dict[str, list[str]] = {}
    for step in steps:
        for need in step.needs:
            leads.setdefault(need, []).append(step.name)
    groups: dict[tuple[str, frozenset[str]], list[StepView]] = {}
    for group in candidates:
        for step in group:
            groups.setdefault((group[0].name, frozenset(leads.get(step.name, ()))), []).append(step)
    return {group[0].name: _to_fan(group) for group in groups.values() if len(group) >= FEWEST}


def _to_fan(group: Sequence[StepView]) -> Fan:
    totals: dict[str, int] = {}
    for step in group:
        totals[step.state] = totals.get(step.state, 0) + 1
    ordered = sorted(totals.items(), key=lambda item: rank(item[0]))
    names = tuple(step.name for step in group)
    return Fan(names[0], f"{_prefix(names)} × {len(names):,}", group[0].type, names, tuple(ordered))


def rank(state: str) -> int:
    """The place of a state in an order that has the failed ones first."""
    return _BAD_FIRST.index(state) if state in _BAD_FIRST else len(_BAD_FIRST)


def _prefix(names: Sequence[str]) -> str:
    """What the names begin with, without the number that they end with."""
    first, last = min(names), max(names)
    size = next((place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[:size].rstrip("-_0123456789") or names[0]


def keep_path(steps: Sequence[StepView], chosen: str) -> list[StepView]:
    """The chosen step with all that it needs and all that it leads to."""
    needs = {step.name: step.needs for step in steps}
    leads: dict[str, list[str]] = {}
    for step in steps:
        for need in step.needs:
            leads.setdefault(need, []).append(step.name)
    kept = _reach(chosen, needs) | _reach(chosen, leads)
    return [step for step in steps if step.name in kept]


def _reach(start: str, ways: Mapping[str, Sequence[str]]) -> set[str]:
    seen, pending = {start}, [start]
    while pending:
        for name in ways.get(pending.pop(), ()):
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return seen


def hide_succeeded(steps: Sequence[StepView]) -> list[StepView]:
    """The graph without what went well; what it stood between is joined."""
    by_name = {step.name: step for step in steps}
    hidden = {step.name for step in steps if step.state in ("Succeeded", "Reused", "NotSelected")}
    behind: dict[str, tuple[str, ...]] = {}

    def needs_of(name: str) -> tuple[str, ...]:
        pending = [name]
        while pending:
            at = pending[-1]
            missing = [need for need in by_name[at].needs if need in hidden and need not in behind]
            if missing:
                pending += missing
                continue
            needs = (behind[need] if need in hidden else (need,) for need in by_name[at].needs if need in by_name)
            behind[at] = tuple(dict.fromkeys(item for part in needs for item in part))
            pending.pop()
        return behind[name]

    return [replace(step, needs=needs_of(step.name)) for step in steps if step.name not in hidden]
