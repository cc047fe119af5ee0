"""Selective execution: which steps run, and which results are taken from an earlier execution. Pure.

The selected steps must be connected without gaps; what they need from unselected steps comes from the source
execution; unselected steps after them do not run (developer guide, "Selective execution of pipeline steps").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_sagemaker.engine.graph import Graph
from local_sagemaker.errors import ValidationError


@dataclass(frozen=True)
class SelectiveRun:
    """`run` are the selected steps, `reuse` the unselected ones whose results they need."""

    run: frozenset[str]
    reuse: frozenset[str]


def select(nodes: Graph, names: list[str]) -> SelectiveRun:
    """Checks a selection. Raises ValidationError for unknown steps and for gaps on a path between selected ones."""
    unknown = [name for name in names if name not in nodes]
    if unknown:
        raise ValidationError(f"Invalid SelectedSteps: step '{unknown[0]}' is not in the pipeline.")
    chosen = frozenset(names)
    before = {name: _ancestors(nodes, name) for name in names}
    for name in names:
        for other in chosen & before[name]:
            between = [item for item in before[name] if item not in chosen and other in _ancestors(nodes, item)]
            if between:
                raise ValidationError(
                    f"Invalid SelectedSteps: [{', '.join(sorted(between))}] must be selected too, since they are "
                    f"between the selected steps '{other}' and '{name}'."
                )
    reuse = {
        upstream
        for name in names
        for upstream in (*(item.step for item in nodes[name].depends_on), *nodes[name].data)
        if upstream not in chosen
    }
    return SelectiveRun(chosen, frozenset(reuse))


def check_source(selection: SelectiveRun, source: str | None, succeeded: Mapping[str, object]) -> None:
    """Refuses a source execution that is missing or lacks a result; `succeeded` are its Succeeded steps."""
    if not selection.reuse:
        return
    if source is None:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps [{', '.join(sorted(selection.run))}] "
            f"have dependencies on [{', '.join(sorted(selection.reuse))}]"
        )
    lacking = [name for name in sorted(selection.reuse) if name not in succeeded]
    if lacking:
        raise ValidationError(
            f"Invalid SourcePipelineExecutionArn: {source}. The selected steps need the results of "
            f"[{', '.join(lacking)}], which did not succeed there."
        )


def _ancestors(nodes: Graph, name: str) -> set[str]:
    ancestors: set[str] = set()
    pending = list(nodes[name].upstream)
    while pending:
        item = pending.pop()
        if item not in ancestors:
            ancestors.add(item)
            pending.extend(nodes[item].upstream)
    return ancestors


def restrict(nodes: Graph, config: Mapping[str, Any] | None) -> Graph:
    """The part of the graph that an execution with this SelectiveExecutionConfig has to do with (None: all).

    A selected step whose condition is not selected runs without querying it.
    """
    if not config:
        return nodes
    selection = select(nodes, [item["StepName"] for item in config["SelectedSteps"]])
    return {
        name: node if node.parent in selection.run else replace(node, parent=None)
        for name, node in nodes.items()
        if name in selection.run | selection.reuse
    }
