"""In which order a stack's resources are made: each after what it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope, condition, exists
from local_sagemaker.cloudformation.template import references

Graph = dict[str, frozenset[str]]
"""What each resource of the stack waits for, by logical id."""


def graph(scope: Scope) -> Graph:
    """The dependencies among the resources whose conditions hold. Raises for a circle."""
    template = scope.template
    present = {logical for logical in template.resources if exists(logical, scope)}
    needs = {}
    for logical in present:
        resource = template.resources[logical]
        names = {*resource.depends_on, *references(_choose(resource.properties, scope))}
        removed = sorted(name for name in names if name in template.resources and name not in present)
        unresolved = [name for name in removed if name not in resource.depends_on]
        if unresolved:
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{', '.join(unresolved)}] in the Resources "
                "block of the template"
            )
        needs[logical] = frozenset(names & present)
    _refuse_circle(needs)
    return {logical: needs[logical] for logical in template.resources if logical in present}


def _choose(value: Any, scope: Scope) -> Any:
    """The value with the branches of each Fn::If that count."""
    if isinstance(value, list):
        return [_choose(part, scope) for part in value]
    if not isinstance(value, dict):
        return value
    branches = value.get("Fn::If") if len(value) == 1 else None
    if isinstance(branches, list) and len(branches) == 3 and branches[0] in scope.template.conditions:
        return _choose(branches[1 if condition(branches[0], scope) else 2], scope)
    return {name: _choose(part, scope) for name, part in value.items()}


def _refuse_circle(needs: Mapping[str, frozenset[str]]) -> None:
    left = dict(needs)
    while True:
        free = [logical for logical, waits in left.items() if not waits & left.keys()]
        if not free:
            break
        for logical in free:
            del left[logical]
    if left:
        raise TemplateError(f"Circular dependency between resources: [{', '.join(sorted(_on_circle(left)))}]")


def _on_circle(left: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Without those that only wait for a circle."""
    needed = set(left)
    while True:
        used = {name for logical in needed for name in left[logical] & needed}
        if used == needed:
            return needed
        needed = used
