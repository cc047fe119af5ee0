"""What can go wrong here, said in one line that a user can act on; and the names that were probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.command_line import hint


class DeliveryError(Exception):
    """It cannot be done; the text says what, and what to do instead."""


class NotFoundError(DeliveryError):
    """There is no such thing."""


def not_found(kind: str, name: str, known: Iterable[str]) -> NotFoundError:
    """``there is no group abalon; did you mean abalone?``"""
    return NotFoundError(f"there is no {kind} {name}{hint(name, known, f'there is no {kind} at all')}")
