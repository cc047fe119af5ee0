"""The processes of a running service, as /proc shows them: what may be killed, and what must not be left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from local_sagemaker import lifecycle
from tests.support import Service


def pids() -> Iterator[int]:
    """All processes."""
    return (int(folder.name) for folder in Path("/proc").glob("[0-9]*"))


def read(pid: int, name: str) -> str:
    """A file of a process, "" when that has ended."""
    try:
        return (Path("/proc") / str(pid) / name).read_text("utf-8", "replace")
    except OSError:
        return ""


def parent(pid: int) -> int:
    """The parent's id, 0 when the process has ended."""
    return int((read(pid, "stat").rsplit(")", 1)[-1].split() or [0, 0])[1])


def service(service: Service) -> list[int]:
    """The service itself, if it runs."""
    found = lifecycle.find_running(service.settings)
    return [int(found["pid"])] if found else []


def fork_servers(of: Service) -> list[int]:
    """Its fork servers."""
    owners = service(of)
    return [pid for pid in pids() if parent(pid) in owners and "fork_server" in read(pid, "cmdline")]


def jobs(of: Service) -> list[int]:
    """The first processes of its running jobs."""
    return _first_in(of.home / "jobs")


def model_servers(of: Service) -> list[int]:
    """The first processes of its endpoints' instances."""
    return _first_in(of.home / "endpoints")


def left(of: Service) -> list[str]:
    """Everything that still runs of a service that has ended."""
    home = str(of.home)
    return [
        f"{pid} {read(pid, 'cmdline')}"
        for pid in pids()
        if pid != os.getpid() and any(home in read(pid, name) for name in ("cmdline", "environ", "mountinfo"))
    ]


def _first_in(folder: Path) -> list[int]:
    """Processes that have something of a folder mounted, without those that such a process started."""
    inside = {pid for pid in pids() if f"{folder}/" in read(pid, "mountinfo")}
    return [pid for pid in inside if parent(pid) not in inside]
