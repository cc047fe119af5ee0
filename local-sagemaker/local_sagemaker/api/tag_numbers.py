"""How many tags of a resource count against its limit."""

from __future__ import annotations

from collections.abc import Iterable


def count_tags(keys: Iterable[str]) -> int:
    """How many of these keys count: those of AWS, which begin with ``aws:``, do not (references of Lambda and SSM)."""
    return sum(not key.lower().startswith("aws:") for key in keys)
