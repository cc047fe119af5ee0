"""The interface of the process layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_sagemaker.images.image import Program
from local_sagemaker.processes.messages import Message


@dataclass(frozen=True)
class ProcessSpec:
    """One process to start.

    `root` is the process's private folder: ``root/ml`` is its /opt/ml, ``root/tmp`` its /tmp, ``root/env`` where its
    own pip installs go, ``root/layers`` what it writes elsewhere. `log` gets stdout and stderr, appended. `hosts` are
    extra /etc/hosts lines (name to address). `listen` are file descriptors of listening sockets to pass on, by the
    environment variable that names each. `read_only` are folders of the machine to be shown at a place; where there
    are no namespaces, an argument that is such a place is replaced by the folder. With `locked`, /tmp is the only
    place that can be written, as for a Lambda function. `terminal` is the descriptor of one that the process is to
    have, instead of no input and of the log. With `keep_changes` it finds what an earlier process of the same `root`
    wrote outside of /opt/ml and /tmp.
    """

    program: Program
    root: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    listen: Mapping[str, int] = field(default_factory=dict)
    working_directory: str = "/"
    read_only: Mapping[str, Path] = field(default_factory=dict)
    locked: bool = False
    terminal: int | None = None
    keep_changes: bool = False

    def order(self) -> tuple[Message, list[int]]:
        """What the fork server's child is sent, and the descriptors with it."""
        listen = list(self.listen.items())
        shown = ((str(folder), folder) for folder in self.program.readable)
        message = {
            "argv": list(self.program.argv),
            "entry": self.program.entry,
            "root": str(self.root),
            "log": str(self.log),
            "environment": {**self.program.environment, **self.environment},
            "hosts": dict(self.hosts),
            "listen": {name: position for position, (name, _) in enumerate(listen)},
            "working_directory": self.working_directory,
            "read_only": {place: str(folder) for place, folder in (*shown, *self.read_only.items())},
            "writable": [str(folder) for folder in self.program.writable],
            "locked": self.locked,
            "keep_changes": self.keep_changes,
            "terminal": None if self.terminal is None else len(listen),
        }
        return message, [descriptor for _, descriptor in listen] + ([] if self.terminal is None else [self.terminal])


class Process(Protocol):
    """A started process and its group. `lost` once the service lost it: its own doing it was not."""

    pid: int
    lost: bool

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code (negative: killed by that signal), or None when `timeout` seconds passed first."""
        ...

    def signal(self, number: int) -> None:
        """Sends a signal to the whole process group; no error when it has ended."""
        ...


class Processes(Protocol):
    """Starts processes."""

    def start(self, spec: ProcessSpec) -> Process:
        """Starts one process and returns at once."""
        ...

    def close(self) -> None:
        """Ends the fork server and every process that it started."""
        ...
