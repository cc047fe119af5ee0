"""What an execution's page shows of its steps: the graph with its fans, the grid, the timeline. One selection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.log_window import read_log
from local_sagemaker.studio.views.fan_out import Fan, find_fans, fold, hide_succeeded, keep_path
from local_sagemaker.studio.views.numbers import whole
from local_sagemaker.studio.views.step_states import StepView
from local_sagemaker.studio.views.step_table import StepTable, choose_steps
from local_sagemaker.studio.views.timing import FailedAttempt, Segment, critical_path, read_attempts, segments

LARGE = 300
"""Nodes, after folding, above which the graph is drawn on request only."""
NOTES = "/aws/sagemaker/PipelineExecutions"
_MOST_NOTES = 20
_KEPT = ("tab", "scale", "graph", "show", "fold", "state", "name", "type", "group", "page", "from", "to")
"""What of the address stays when another step is chosen."""


class StepAddresses(Mapping[str, str]):
    """Where each step leads: the page as it is, with that step chosen."""

    def __init__(self, query: Mapping[str, Sequence[str]], names: Sequence[str]) -> None:
        kept = {name: list(query[name]) for name in _KEPT if query.get(name)}
        self._start = f"{urls.toggle(kept)}{'&' if kept else ''}step="
        self._names = dict.fromkeys(names)

    def __getitem__(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        return self._start + quote_plus(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class StepRow:
    """A row of the grid: when the step waited, queued and ran."""

    step: StepView
    parts: tuple[Segment, ...]
    critical: bool
    share: float | None
    attempts: tuple[FailedAttempt, ...] = ()


@dataclass(frozen=True)
class StepsShown:
    """Graph and grid. `drawn` are the graph's nodes, `targets` where they lead; `path` is the critical one; `start` is
    the execution's, `first` and `last` are the ends of the timeline's axis, in seconds since the epoch."""

    drawn: tuple[StepView, ...]
    fans: dict[str, Fan]
    targets: Mapping[str, str] = field(repr=False)
    is_drawn: bool
    table: StepTable
    rows: list[StepRow]
    types: list[str]
    path: frozenset[str]
    start: float
    first: float
    last: float
    zoomed: bool


def load_steps(
    visit: Visit, views: Sequence[StepView], chosen: str, first: float, last: float, notes: str,
    addresses: Mapping[str, str],
) -> StepsShown:  # fmt: skip
    """What the address chooses of the steps. `first` and `last` are the execution's, `notes` its prefix of streams."""
    shown: Sequence[StepView] = views
    if visit.value("show") == "path" and chosen:
        shown = keep_path(views, chosen)
    elif visit.value("show") == "open":
        shown = hide_succeeded(views)
    folded = fold(shown) if visit.value("fold") != "0" else None
    drawn, fans = (folded.steps, dict(folded.fans)) if folded else (tuple(shown), {})
    members = find_fans(views).get(visit.value("group")) if visit.value("group") else None
    table = choose_steps(
        views, state=visit.value("state"), text=visit.value("name"), kind=visit.value("type"),
        members=members.members if members else (), number=whole(visit.value("page"), 0), chosen=chosen,
    )  # fmt: skip
    path = critical_path(views)
    by_name = {view.name: view for view in views}
    attempts = _attempts(visit, table.rows, notes)
    rows = []
    for step in table.rows:
        parts = segments(step, by_name, first, last, attempts.get(step.name, ()))
        share = step.seconds / (last - first) if step.seconds is not None and last > first else None
        rows.append(StepRow(step, parts, step.name in path, share, tuple(attempts.get(step.name, ()))))
    begin, end = _range(visit, first, last)
    kept = {name: list(visit.query[name]) for name in _KEPT if visit.query.get(name) and name not in ("page", "state")}
    opened = {name: urls.toggle(kept, group=name) + "#steps" for name in fans}
    return StepsShown(
        drawn, fans, _Joined(opened, addresses), len(drawn) <= LARGE or visit.value("graph") == "1", table, rows,
        list(dict.fromkeys(view.type for view in views)), path, first, begin, end, (begin, end) != (first, last),
    )  # fmt: skip


class _Joined(Mapping[str, str]):
    """Addresses of fans before those of steps."""

    def __init__(self, first: Mapping[str, str], then: Mapping[str, str]) -> None:
        self._first, self._then = first, then

    def __getitem__(self, name: str) -> str:
        return self._first[name] if name in self._first else self._then[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._first)


def _attempts(visit: Visit, steps: Sequence[StepView], notes: str) -> dict[str, list[FailedAttempt]]:
    """The failed attempts of the steps that were tried more than once; of at most 20."""
    again = [step for step in steps if step.attempts > 1][:_MOST_NOTES]
    attempts = {}
    for step in again:
        window = read_log(visit, NOTES, f"{notes}/{step.name}", limit=100)
        attempts[step.name] = read_attempts(window.texts)
    return attempts


def _range(visit: Visit, first: float, last: float) -> tuple[float, float]:
    """The part of the timeline that the address chooses, in seconds since the execution's start."""
    try:
        begin, end = first + float(visit.value("from")), first + float(visit.value("to"))
    except ValueError:
        return first, last
    return (max(first, begin), min(last, end)) if first <= begin < end and begin < last else (first, last)
