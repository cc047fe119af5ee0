"""A service for one benchmark, with a state folder that is gone afterwards."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker import lifecycle
from local_sagemaker.config import Settings


@dataclass(frozen=True)
class OwnService:
    """A running service."""

    settings: Settings
    url: str
    pid: int


@contextmanager
def own_service() -> Iterator[OwnService]:
    """Starts a service, and stops it at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        settings = Settings(home=Path(folder))
        service = lifecycle.start(settings)
        try:
            yield OwnService(settings, str(service["url"]), int(service["pid"]))
        finally:
            lifecycle.stop(settings)


def settle(pid: int, seconds: float = 120) -> None:
    """Waits until a service that has just started, or been filled, has nothing left to do: it would be measured with
    what it responds."""
    deadline, before = time.monotonic() + seconds, -1.0
    while time.monotonic() < deadline and (used := cpu_seconds(pid)) - before > 0.02:
        before = used
        time.sleep(1)


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
