"""Memory in a service of many threads: one arena, freed memory goes back to the system, what stays is not searched.

glibc gives nearly every thread an arena of its own, and none gives back what lies on top of it: after a large page each
thread that had made one kept as much as it had needed at its peak. Source: mallopt(3), malloc_trim(3). Other C
libraries have neither function; there is nothing to do then.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

_M_ARENA_MAX = -8  # malloc.h


def use_one_arena() -> None:
    """For this process, before it has threads. Python's lock lets one of them allocate at a time anyhow."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Returns freed memory to the system. Takes a few milliseconds, in which no other thread can allocate."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def spare_what_is_loaded() -> None:
    """Leaves what there is by now out of garbage collections: libraries and service models are never garbage.

    A full collection goes through all of it, and nothing else runs for a tenth of a second: one large page in a few had
    to wait for that. What is garbage already goes first: it would stay for ever. Source: gc.freeze.
    """
    gc.collect()
    gc.freeze()
