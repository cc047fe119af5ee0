"""What can go wrong here, said in one line that a user can act on; and the names that were probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 8  # names that a message lists at most


class DeliveryError(Exception):
    """It cannot be done; the text says what, and what to do instead."""


class NotFoundError(DeliveryError):
    """There is no such thing."""


def not_found(kind: str, name: str, known: Iterable[str]) -> NotFoundError:
    """``there is no group abalon; did you mean abalone?``"""
    return NotFoundError(f"there is no {kind} {name}{hint(name, known, f'there is no {kind} at all')}")


def hint(name: str, known: Iterable[str], none: str) -> str:
    """The names closest to a wrong one, or those that there are."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    if not names:
        return f"; {none}"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"; there are: {', '.join(names[:SHOWN])}{more}"
