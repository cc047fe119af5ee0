"""The fork servers that a test's process has started, found among its children."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.support import until


def child_servers() -> set[int]:
    """The fork servers that this process has started and that run."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread or a process that has just ended
            for pid in (task / "children").read_text().split():
                if b"fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(int(pid))
    return found


def kill_servers() -> None:
    """Kills all of them, whichever image they are of."""
    servers = child_servers()
    assert servers, "no fork server runs"
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not servers & child_servers(), "the fork servers end", 120)
