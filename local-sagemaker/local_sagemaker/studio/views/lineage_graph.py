"""Entities of lineage in order of their distance, from the edges between them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_sagemaker.studio import urls


@dataclass(frozen=True)
class Entity:
    """A vertex: what it is, its name, and the resource (an ARN or URI) that it stands for."""

    arn: str
    kind: str
    name: str
    source: str
    detail: str = ""


@dataclass(frozen=True)
class LineageNode:
    """A row of a list: `href` is the page of the resource, `arn` leads to its lineage, `distance` in edges."""

    kind: str
    name: str
    href: str
    arn: str
    distance: int
    detail: str = ""


def walk(
    starts: Sequence[str], edges: Iterable[tuple[str, str]], entities: Mapping[str, Entity]
) -> tuple[list[LineageNode], list[LineageNode]]:
    """What leads to the starts, and what they lead to; nearest first."""
    up: dict[str, list[str]] = defaultdict(list)
    down: dict[str, list[str]] = defaultdict(list)
    for source, destination in edges:
        up[destination].append(source)
        down[source].append(destination)
    return _reach(starts, up, entities), _reach(starts, down, entities)


def _reach(
    starts: Sequence[str], neighbours: Mapping[str, Sequence[str]], entities: Mapping[str, Entity]
) -> list[LineageNode]:
    seen, current, nodes, distance = set(starts), list(starts), [], 0
    while current:
        distance += 1
        following = []
        for arn in current:
            for other in neighbours.get(arn, ()):
                if other not in seen:
                    seen.add(other)
                    following.append(other)
        nodes += [(entities[arn], distance) for arn in following if arn in entities]
        current = following
    return [
        LineageNode(
            item.kind, item.name, urls.resource(item.source), item.source or item.arn, distance, item.detail,
        )
        for item, distance in nodes
    ]  # fmt: skip
