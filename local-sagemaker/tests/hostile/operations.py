"""The operations that the service executes itself."""

from __future__ import annotations

from functools import cache

from local_sagemaker.cli.reference import list_operations


@cache
def operations() -> tuple[str, ...]:
    """``service:Operation`` of all."""
    return list_operations()
