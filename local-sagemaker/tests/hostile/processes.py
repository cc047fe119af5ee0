"""The processes of a running service, as /proc shows them: what may be killed, and what must not be left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from local_sagemaker import lifecycle
from tests.support import Service

TIDY = 20.0
"""Seconds within which nothing is left."""


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
    """Everything that still runs of a service that has ended: with its folder in what it was started with, has mounted,
    works in or has open."""
    home = str(of.home)
    return [f"{pid} {read(pid, 'cmdline')}" for pid in pids() if pid != os.getpid() and _has(pid, home)]


def faults_of_ended(of: Service) -> list[str]:
    """What is still running a while after a service has ended."""
    deadline = time.monotonic() + TIDY
    while (running := left(of)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"left: {one}" for one in running]


def _has(pid: int, home: str) -> bool:
    if any(home in read(pid, name) for name in ("cmdline", "environ", "mountinfo")):
        return True
    folder = Path("/proc") / str(pid)
    try:
        links = [folder / "cwd", folder / "root", *(folder / "fd").iterdir()]
    except OSError:
        return False
    return any(home in _target(link) for link in links)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _first_in(folder: Path) -> list[int]:
    """Processes that have something of a folder mounted, without those that such a process started."""
    inside = {pid for pid in pids() if f"{folder}/" in read(pid, "mountinfo")}
    return [pid for pid in inside if parent(pid) not in inside]
