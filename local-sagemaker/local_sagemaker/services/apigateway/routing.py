"""From a path and a method to a deployed method: literal parts before variables, variables before greedy ones."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from local_sagemaker.records.store import Body


@dataclass(frozen=True)
class MethodRoute:
    """The method that serves a request, and what the variables of its path are."""

    resource: Body
    method: Body
    labels: dict[str, str]


def find(resources: dict[str, Body], http_method: str, path: str) -> MethodRoute | None:
    """The deployed method, or None. `path` is as sent, without the stage."""
    parts = [unquote(part) for part in path.split("/") if part]
    best: tuple[tuple[int, ...], MethodRoute] | None = None
    for resource in resources.values():
        methods = resource.get("resourceMethods", {})
        method = methods.get(http_method) or methods.get("ANY")
        matched = _match([part for part in resource["path"].split("/") if part], parts) if method else None
        if method and matched is not None:
            rank, labels = matched
            if best is None or rank < best[0]:
                best = (rank, MethodRoute(resource, method, labels))
    return best[1] if best else None


def _match(pattern: list[str], parts: list[str]) -> tuple[tuple[int, ...], dict[str, str]] | None:
    """Each part's rank (0 literal, 1 variable, 2 greedy) and the variables, None when the path is another one."""
    rank: list[int] = []
    labels: dict[str, str] = {}
    for index, wanted in enumerate(pattern):
        if index >= len(parts):
            return None
        if wanted.endswith("+}"):
            labels[wanted[1:-2]] = "/".join(parts[index:])
            return (*rank, 2), labels
        if wanted.startswith("{"):
            labels[wanted[1:-1]] = parts[index]
            rank.append(1)
        elif wanted == parts[index]:
            rank.append(0)
        else:
            return None
    return (tuple(rank), labels) if len(pattern) == len(parts) else None
