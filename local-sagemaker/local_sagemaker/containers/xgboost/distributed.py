"""Training on several hosts: XGBoost's own collective between the processes of a job (contracts: containers 3.7).

All hosts meet once at the first host's tracker to tell who has data, then those that have it meet at a second one.
"""

from __future__ import annotations

import importlib
import json
import logging
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xgboost.core import XGBoostError

from local_sagemaker.containers.failure import PlatformError
from local_sagemaker.containers.xgboost import compat

collective: Any = importlib.import_module("xgboost.collective" if compat.HAS_COLLECTIVE else "xgboost.rabit")

MEETING_PORT, TRAINING_PORT = 9099, 9100
PORTS = 50
RESOLUTION_SECONDS = 15 * 60
TRACKER_SECONDS = 60.0
log = logging.getLogger(__name__)


def address(host: str, seconds: float = RESOLUTION_SECONDS) -> str:
    """The address of a host of the job, waiting for its name to appear."""
    deadline, pause = time.monotonic() + seconds, 0.1
    while True:
        try:
            return socket.gethostbyname(host)
        except OSError as error:
            if time.monotonic() > deadline:
                raise PlatformError(f"Host {host} cannot be resolved", caused_by=error) from error
            time.sleep(pause)
            pause = min(2 * pause, 30.0)


def run(hosts: list[str], current: str, has_data: bool, train: Callable[[], None]) -> None:
    """Calls `train` inside the collective of the hosts that have data; the others end in peace."""
    hosts = sorted(hosts)
    for host in hosts:
        address(host)
    with Collective(hosts, current, MEETING_PORT):
        responses = gather({"host": current, "include_in_training": has_data})
    included = sorted(response["host"] for response in responses if response["include_in_training"])
    if not included:
        raise PlatformError("No hosts received training data.")
    if not has_data:
        log.warning("Host %s not being used for distributed training.", current)
        return
    if len(included) == 1:
        log.info("Only 1 host with training data, starting single node training job from: %s", current)
        train()
        return
    with Collective(included, current, TRAINING_PORT):
        train()


_places: list[int] = []


def rank() -> int:
    """This host's place in the collective, 0 outside of one. The older trackers give ranks as hosts come."""
    if not compat.HAS_COLLECTIVE:
        return _places[-1] if _places else 0
    return int(collective.get_rank())


def world_size() -> int:
    """How many hosts the collective has."""
    return int(collective.get_world_size())


def gather(record: Any) -> list[Any]:
    """What each host of the collective gives, by the collective's own ranks; JSON in between."""
    return [json.loads(collective.broadcast(json.dumps(record), source)) for source in range(world_size())]


class Collective:
    """The collective of some hosts. The first of them runs the tracker; ranks follow the order of the names."""

    def __init__(self, hosts: list[str], current: str, port: int) -> None:
        self.hosts, self.current, self.port = hosts, current, port
        self.tracker: Any = None

    def __enter__(self) -> None:
        if not compat.HAS_TRACKER:
            raise PlatformError("Training on several hosts needs XGBoost 1.0 or later here")
        first = address(self.hosts[0])
        if self.current == self.hosts[0]:
            self.tracker, port = _tracker(len(self.hosts), first, self.port)
        else:
            port = _port_of_tracker(first, self.port)
        place = self.hosts.index(self.current)
        # Task ids are sorted as texts, so they are padded to keep the order of the hosts.
        options = {"tracker_uri": first, "tracker_port": port, "task_id": f"{place:04}"}
        if compat.HAS_COLLECTIVE:
            collective.init(**{f"dmlc_{name}": value for name, value in options.items()}, dmlc_retry=6)
            return
        collective.init([f"DMLC_{name.upper()}={value}".encode() for name, value in options.items()])
        _places.append(place)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            return  # the process ends with an error; waiting for the others would hang
        collective.finalize()
        if not compat.HAS_COLLECTIVE:
            _places.pop()
        if self.tracker is not None:
            self.tracker.wait_for() if compat.HAS_COLLECTIVE else self.tracker.join()


def _tracker(workers: int, host: str, first: int) -> tuple[Any, int]:
    """A running tracker and its port: `first`, or one after it where an earlier job has just used that."""
    RabitTracker: Any = importlib.import_module("xgboost.tracker").RabitTracker
    for port in _ports(first):
        try:
            if not compat.HAS_COLLECTIVE:
                tracker = RabitTracker(hostIP=host, nslave=workers, port=port, port_end=port + 1)
                tracker.start(workers)
                return tracker, port
            tracker = RabitTracker(n_workers=workers, host_ip=host, port=port, sortby="task")
        except AttributeError:  # an older one has found no free port
            continue
        except XGBoostError as error:
            if "Address already in use" not in str(error):
                raise
            continue
        tracker.start()
        return tracker, port
    raise PlatformError(f"No free port for the tracker on {host}")


def _port_of_tracker(host: str, first: int) -> int:
    """Waits until the tracker listens, by looking only: it counts every connection as a worker.

    Where the system's table of sockets cannot be read, the first port and XGBoost's own retries have to do.
    """
    table = Path("/proc/net/tcp")
    if not table.is_file():
        return first
    number = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    lines = {f" {number:08X}:{port:04X} 00000000:0000 0A ": port for port in _ports(first)}
    deadline, pause = time.monotonic() + TRACKER_SECONDS, 0.005
    while time.monotonic() < deadline:
        listening = table.read_text("ascii")
        for line, port in lines.items():
            if line in listening:
                return port
        time.sleep(pause)
        pause = min(2 * pause, 0.5)
    raise PlatformError(f"No tracker at {host}:{first}")


def _ports(first: int) -> range:
    """The ports that a tracker may have; those of the two meetings do not overlap."""
    return range(first, first + 2 * PORTS, 2)
