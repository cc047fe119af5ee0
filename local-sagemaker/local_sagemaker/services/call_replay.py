"""Whether calls that were kept are made again, after a restart: then nothing is checked that was taken before, maybe by
another version of the service, and nothing is sent a second time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_REPLAY: ContextVar[bool] = ContextVar("replay", default=False)


def is_replay() -> bool:
    """Whether the call that this thread makes is one of before."""
    return _REPLAY.get()


@contextmanager
def replay() -> Iterator[None]:
    """The calls of this thread in the block are ones of before."""
    token = _REPLAY.set(True)
    try:
        yield
    finally:
        _REPLAY.reset(token)
