"""The filters of a pipeline's triggers, against a push (contracts: delivery 4.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.files.patterns import PatternDialect, compile_pattern


@dataclass(frozen=True)
class Push:
    """A branch or a tag that names another commit now. `paths` are those of the files that changed."""

    kind: str
    name: str
    commit: str
    paths: tuple[str, ...]


def accepts(criteria: Mapping[str, list[str]] | None, names: Iterable[str]) -> bool:
    """Whether one of the names is included and not excluded; without criteria, any is. Excludes win."""
    if not criteria:
        return True
    included = [compile_pattern(pattern, PatternDialect.TRIGGER) for pattern in criteria.get("includes", [])]
    excluded = [compile_pattern(pattern, PatternDialect.TRIGGER) for pattern in criteria.get("excludes", [])]
    return any(
        (not included or any(pattern.fullmatch(name) for pattern in included))
        and not any(pattern.fullmatch(name) for pattern in excluded)
        for name in names
    )


def matches(trigger: Mapping[str, Any], push: Push) -> bool:
    """Whether a trigger's git configuration starts its pipeline for a push: any of its push filters, or no filter."""
    filters = trigger["gitConfiguration"].get("push")
    if not filters:
        return not trigger["gitConfiguration"].get("pullRequest")
    return any(_matches(row, push) for row in filters)


def _matches(row: Mapping[str, Any], push: Push) -> bool:
    if push.kind == "tag":
        return "tags" in row and accepts(row["tags"], [push.name])
    if "tags" in row:
        return False
    return accepts(row.get("branches"), [push.name]) and accepts(row.get("filePaths"), push.paths)
