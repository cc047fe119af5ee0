"""What background threads have in common: one task that fails must not end the others."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class TaskEnd:
    """Set when a `log_failure` block ends: whether it failed."""

    failed: bool = False


@contextmanager
def log_failure(log: logging.Logger, message: str, *arguments: object) -> Iterator[TaskEnd]:
    """Logs any exception within, with its traceback, and continues behind it.

    For work that nobody waits for: what a client or a record must learn of is caught where it happens.
    """
    end = TaskEnd()
    try:
        yield end
    except Exception:
        end.failed = True
        log.exception(message, *arguments)


@contextmanager
def leave_out(log: logging.Logger, message: str, *arguments: object) -> Iterator[None]:
    """Logs and skips an item that fails, as `log_failure` does; faults of the machine, such as a full disk, are raised,
    so that the item is read again."""
    try:
        yield
    except Exception as error:
        if is_passing(error):
            raise
        log.exception(message, *arguments)


def is_passing(error: Exception) -> bool:
    """Whether the machine is to blame, and not what was worked on: another try may succeed."""
    return isinstance(error, OSError | MemoryError | sqlite3.OperationalError)
