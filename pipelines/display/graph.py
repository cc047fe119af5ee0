"""Which step of a definition needs which. SageMaker stores no edges: they follow from references and DependsOn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.definition import Definition, Step, steps

BRANCHES = {"IfSteps": "yes", "ElseSteps": "no"}


@dataclass(frozen=True)
class Edge:
    """``target`` waits for ``source``. Only edges out of conditions have a label."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True)
class Graph:
    """The steps' types by name, in the order of the definition, and the edges between them."""

    types: Mapping[str, str]
    edges: tuple[Edge, ...]


def graph_of(definition: Definition) -> Graph:
    """The graph, without edges that a longer way implies."""
    listed = steps(definition)
    types = {step["Name"]: step["Type"] for step in listed}
    branches = [edge for step in listed for edge in _branches(step)]
    labelled = {(edge.source, edge.target) for edge in branches}
    plain = [
        Edge(name, step["Name"])
        for step in listed
        for name in dict.fromkeys(_find_needed(step))
        if name in types and (name, step["Name"]) not in labelled
    ]
    return Graph(types, (*branches, *_without_detours(plain, branches)))


def _branches(step: Step) -> Iterator[Edge]:
    for branch, label in BRANCHES.items() if step["Type"] == "Condition" else ():
        for inner in step["Arguments"].get(branch) or []:
            yield Edge(step["Name"], inner["Name"], label)


def _find_needed(step: Step) -> Iterator[str]:
    yield from step.get("DependsOn") or []
    for field, value in step.items():
        inside = {"Conditions": value["Conditions"]} if step["Type"] == "Condition" and field == "Arguments" else value
        yield from _references(inside)


def _references(value: Any) -> Iterator[str]:
    """The steps whose properties an expression reads: ``{"Get": "Steps.Train.ModelArtifacts..."}``."""
    if isinstance(value, Mapping):
        path = value.get("Get")
        if isinstance(path, str) and path.startswith("Steps."):
            yield path.split(".")[1]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _without_detours(plain: Iterable[Edge], branches: Iterable[Edge]) -> Iterator[Edge]:
    """Leaves out the edges between steps that are connected through others as well."""
    plain = list(plain)
    following: dict[str, set[str]] = {}
    for edge in [*plain, *branches]:
        following.setdefault(edge.source, set()).add(edge.target)
    for edge in plain:
        others = following[edge.source] - {edge.target}
        if not any(edge.target in _reachable(other, following) for other in others):
            yield edge


def _reachable(start: str, following: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += following.get(name, ())
    return seen
