"""The graph of a definition: what each step waits for.

Edges come from DependsOn (with its trigger), from references to a step's properties or property files anywhere in
the step, and from a condition to the steps of its branches. The order in the document means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local_sagemaker.engine.definition import Definition, Dependency, Step
from local_sagemaker.engine.expressions import references
from local_sagemaker.engine.paths import step_reference


@dataclass(frozen=True)
class Node:
    """What one step waits for: `depends_on` as written, `data` the steps whose properties it uses."""

    depends_on: tuple[Dependency, ...]
    data: tuple[str, ...]
    parent: str | None
    branch: bool

    @cached_property
    def upstream(self) -> tuple[str, ...]:
        """All steps that this one comes after, without repeats."""
        parent = (self.parent,) if self.parent else ()
        return tuple(dict.fromkeys((*parent, *(item.step for item in self.depends_on), *self.data)))


Graph = Mapping[str, Node]


def own_values(step: Step) -> dict[str, Any]:
    """What the step itself evaluates: its arguments and members, without the steps of its branches."""
    arguments = step.arguments
    if step.type == "Condition":
        arguments = {key: value for key, value in arguments.items() if key not in ("IfSteps", "ElseSteps")}
    return {"Arguments": arguments, **step.members}


def data_references(step: Step) -> Iterator[str]:
    """Names of the steps that the step's expressions refer to, in the order of the text."""
    for path in references(own_values(step)):
        reference = step_reference(path)
        if reference:
            yield reference[0]


def graph(definition: Definition) -> Graph:
    """The graph of all steps of the tree."""
    return {
        name: Node(step.depends_on, tuple(dict.fromkeys(data_references(step))), step.parent, step.branch)
        for name, step in definition.steps.items()
    }


def cycle(nodes: Graph) -> list[str] | None:
    """The names along one cycle, the first repeated at the end; None when there is none."""
    done: set[str] = set()
    for start in nodes:
        trail: list[str] = []
        pending: list[tuple[str, Iterator[str]]] = []
        name: str | None = start
        while name is not None or pending:
            if name is not None and name not in done:
                if name in trail:
                    return [*trail[trail.index(name) :], name][::-1]
                trail.append(name)
                pending.append((name, iter(nodes[name].upstream)))
            name = None
            while pending and name is None:
                current, upstream = pending[-1]
                name = next((item for item in upstream if item not in done and item in nodes), None)
                if name is None:
                    pending.pop()
                    trail.pop()
                    done.add(current)
    return None
