"""What background threads have in common: one task that fails must not end the others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def log_failure(log: logging.Logger, message: str, *arguments: object) -> Iterator[None]:
    """Logs any exception within, with its traceback, and continues behind it.

    For work that nobody waits for: what a client or a record must learn of is caught where it happens.
    """
    try:
        yield
    except Exception:
        log.exception(message, *arguments)
