"""The operations that the service executes itself."""

from __future__ import annotations

from functools import cache

from local_sagemaker.cli.reference import implemented


@cache
def operations() -> tuple[str, ...]:
    """``service:Operation`` of all."""
    return implemented()
