"""Ctrl-C that is not lost.

Python ignores what is raised in the callbacks of weak references and in finalizers, KeyboardInterrupt as well: a Ctrl-C
that arrives in one, as during imports, would do nothing. So it is remembered, and looked for again.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

_arrived = threading.Event()


def remember() -> None:
    """From now on, Ctrl-C raises KeyboardInterrupt at once and at the next ``check``, unless it is ignored."""
    _arrived.clear()
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as a shell has it for what scripts start with &
    if threading.current_thread() is threading.main_thread() and not ignored:
        signal.signal(signal.SIGINT, _interrupt)


def check() -> None:
    """Raises KeyboardInterrupt if Ctrl-C was pressed since ``remember``."""
    if _arrived.is_set():
        raise KeyboardInterrupt


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _arrived.set()
    raise KeyboardInterrupt
