"""Training on several hosts: the hosts that have data meet, and each calls the user's function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from _local_programs import load


def wait_hostname_resolution(sm_hosts: Sequence[str]) -> None:
    """Returns when the names of all hosts resolve."""
    for host in sm_hosts:
        load("xgboost.distributed").address(host)


def rabit_run(
    exec_fun: Callable[..., object],
    args: dict[str, Any],
    include_in_training: bool,
    hosts: Sequence[str],
    current_host: str,
    first_port: int | None = None,
    second_port: int | None = None,
    max_connect_attempts: int | None = None,
    connect_retry_timeout: int = 10,
    update_rabit_args: bool = False,
) -> None:
    """Calls ``exec_fun(**args)`` on the hosts with `include_in_training`, within XGBoost's collective.

    With `update_rabit_args` the arguments get ``is_master``. A host without data ends its process here. Ports and
    attempts are this service's own.
    """
    distributed = load("xgboost.distributed")

    def work() -> None:
        if update_rabit_args:
            args.update({"is_master": distributed.rank() == 0})
        exec_fun(**args)

    if len(hosts) > 1:
        distributed.run(list(hosts), current_host, bool(include_in_training), work)
    elif include_in_training:
        work()
    if not include_in_training:
        sys.exit(0)


class Rabit:
    """XGBoost's collective among hosts, as a context manager; its value has ``is_master`` and ``synchronize``."""

    def __init__(
        self, hosts: Sequence[str], current_host: str | None = None, master_host: str | None = None,
        port: int | None = None, max_connect_attempts: int | None = None, connect_retry_timeout: int = 3,
    ) -> None:  # fmt: skip
        self.hosts = sorted(hosts)
        self.current_host = current_host or "127.0.0.1"
        self.master_host = master_host or self.hosts[0]
        self.port = port or 9099
        self._meeting: Any = None

    def start(self) -> RabitHelper:
        """Joins the others."""
        distributed = load("xgboost.distributed")
        if len(self.hosts) > 1:
            self._meeting = distributed.Meeting(self.hosts, self.current_host, self.port)
            self._meeting.__enter__()
        return RabitHelper(self.current_host == self.master_host, self.current_host, self.port)

    def stop(self) -> None:
        """Leaves them."""
        if self._meeting is not None:
            self._meeting.__exit__(None, None, None)
            self._meeting = None

    def __enter__(self) -> RabitHelper:
        return self.start()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.stop()


class RabitHelper:
    """A host's place in the collective."""

    def __init__(self, is_master: bool, current_host: str, master_port: int) -> None:
        self.is_master, self.current_host, self.master_port = is_master, current_host, master_port
        distributed = load("xgboost.distributed")
        self.rank, self.world_size = distributed.rank(), distributed.world_size()

    def synchronize(self, data: Any) -> list[Any]:
        """What every host gives, in the order of their ranks; it must be possible as JSON."""
        return load("xgboost.distributed").gather(data) if self.world_size > 1 else [data]
