"""The service's side of the fork server: `ForkedProcesses` starts it, sends orders, hears of pids and exit codes."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from local_sagemaker.config import Settings
from local_sagemaker.processes.isolation import Isolation
from local_sagemaker.processes.messages import Message, receive, send
from local_sagemaker.processes.spec import ProcessSpec

_PATIENCE = 300.0  # seconds until the fork server has to have answered a start, its own warm-up included


class ProcessNotStarted(RuntimeError):
    """The fork server could not be started or died."""


class ForkedProcess:
    """A process of the fork server (`Process` of spec.py)."""

    def __init__(self, number: int, server: _Server) -> None:
        self.pid = 0
        self._number, self._server = number, server
        self._code: int | None = None
        self._started, self._ended = threading.Event(), threading.Event()

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code (negative: killed by that signal), or None when `timeout` seconds passed first."""
        self._ended.wait(timeout)
        return self._code

    def signal(self, number: int) -> None:
        """Sends a signal to the whole process group; no error when it has ended."""
        if not self._ended.is_set():
            self._server.send({"do": "signal", "number": self._number, "signal": int(number)})

    def _hear(self, message: Message) -> bool:
        """Takes in a report; says whether it was the last one."""
        if "pid" in message:
            self.pid = message["pid"]
            self._started.set()
        if "exit" in message:
            self._code = message["exit"]
            self._started.set()
            self._ended.set()
        return self._ended.is_set()


class _Server:
    """One running fork server with the processes it has."""

    def __init__(self, keep: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair()
        project = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH", "")]))
        command = [sys.executable, "-m", __name__.replace("client", "fork_server"), str(theirs.fileno())]
        self._popen = subprocess.Popen(
            [*command, *map(str, keep)], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, cwd="/",
        )  # fmt: skip
        theirs.close()
        self._channel, self._lock = ours, threading.Lock()
        self._processes: dict[int, ForkedProcess] = {}
        self._isolation: Isolation | None = None
        self._told, self.gone = threading.Event(), False
        threading.Thread(target=self._listen, name="fork-server", daemon=True).start()

    def send(self, message: Message, descriptors: list[int] | None = None) -> None:
        """Sends an order; a fork server that is gone is noticed by the listening thread."""
        with self._lock:
            try:
                send(self._channel, message, descriptors)
            except OSError:
                self.gone = True

    def add(self, process: ForkedProcess, number: int) -> None:
        """Has reports of this number go to the process."""
        self._processes[number] = process

    def isolation(self) -> Isolation:
        """The way that the fork server chose; waits until it has said so."""
        self._told.wait(_PATIENCE)
        if self._isolation is None:
            raise ProcessNotStarted(f"The fork server ended at its start (exit code {self._popen.poll()}).")
        return self._isolation

    def close(self) -> None:
        """Ends the fork server, which ends its processes first."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        try:
            self._popen.wait(15)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def _listen(self) -> None:
        while (received := self._receive()) is not None:
            message = received[0]
            if "isolation" in message:
                self._isolation = Isolation(message["isolation"], message["reason"])
                self._told.set()
                continue
            process = self._processes.get(message["number"])
            if process and process._hear(message):
                del self._processes[message["number"]]
        self.gone = True
        self._told.set()
        for process in list(self._processes.values()):
            if process.pid:
                _kill_group(process.pid)
            process._hear({"exit": -signal.SIGKILL})

    def _receive(self) -> tuple[Message, list[int]] | None:
        try:
            return receive(self._channel)
        except OSError:
            return None


class ForkedProcesses:
    """Implements `Processes` of spec.py. Thread-safe. The fork server starts with `warm` or the first `start`."""

    def __init__(self, *, settings: Settings, keep: Sequence[Path] = ()) -> None:
        """`keep` are folders of the user that must stay visible to jobs even when they are under /tmp."""
        self._keep = [settings.home, *keep]
        self._server: _Server | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def warm(self) -> None:
        """Starts the fork server if it is not running, and returns at once; it loads its libraries meanwhile."""
        self._running()

    @property
    def isolation(self) -> Isolation:
        """How jobs are kept apart on this machine."""
        return self._running().isolation()

    def start(self, spec: ProcessSpec) -> ForkedProcess:
        """Starts one process and returns when it has a pid; waits while the fork server is still loading."""
        if not spec.program.argv:
            raise ValueError("a program needs an argv")
        server, number = self._running(), next(self._numbers)
        process = ForkedProcess(number, server)
        server.add(process, number)
        listen = list(spec.listen.items())
        order = {
            "argv": list(spec.program.argv),
            "entry": spec.program.entry,
            "root": str(spec.root),
            "log": str(spec.log),
            "environment": {**spec.program.environment, **spec.environment},
            "hosts": dict(spec.hosts),
            "listen": {name: position for position, (name, _) in enumerate(listen)},
            "working_directory": spec.working_directory,
        }
        server.send({"do": "start", "number": number, "order": order}, [descriptor for _, descriptor in listen])
        if server.gone and not process._started.is_set():
            process._hear({"exit": -signal.SIGKILL})
        if not process._started.wait(_PATIENCE) or not process.pid:
            raise ProcessNotStarted("The fork server did not start the process; see its messages in the service's log.")
        return process

    def close(self) -> None:
        """Ends the fork server and every process that it started."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.close()

    def _running(self) -> _Server:
        with self._lock:
            if self._server is None or self._server.gone:
                self._server = _Server(self._keep)
            return self._server


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
