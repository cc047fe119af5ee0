"""Pages of lists whose tokens are numbers: what CodeBuild, CodePipeline, connections and the Scheduler share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from local_sagemaker.errors import ServiceError
from local_sagemaker.integers import natural

Listed = TypeVar("Listed")


def page_rows(
    rows: Sequence[Listed],
    request: Mapping[str, Any],
    refuse: Callable[[str], ServiceError],
    *,
    most: int = 100,
    token: str = "nextToken",
    size: str = "maxResults",
) -> tuple[list[Listed], dict[str, str]]:
    """One page, and the member with the next token when more follow. A token that is none is refused in words."""
    start = natural(str(request.get(token) or "0"))
    if start is None:
        raise refuse("The pagination token is not valid.")
    end = start + int(request.get(size) or most)
    return list(rows[start:end]), {token: str(end)} if len(rows) > end else {}
