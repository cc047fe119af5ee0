"""The service's side of the fork server: `ForkedProcesses` starts it, sends orders, hears of pids and exit codes."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.processes import isolation
from local_sagemaker.processes.child import CODE
from local_sagemaker.processes.isolation import Isolation
from local_sagemaker.processes.messages import Message, receive, send
from local_sagemaker.processes.spec import ProcessSpec

# OpenMP's threads spin while they wait, read once at its load. With several jobs on the same cores that made a training
# of 50 ms take a second; asleep they cost nothing.
_QUIET_THREADS = {"OMP_WAIT_POLICY": "passive"}
_PATIENCE = 300.0  # seconds that a start waits for a child, the fork server's own warm-up included
_ATTEMPTS = 5  # fork servers that are asked for a process before its start fails
_PATIENCE_AT_END = 3.0  # seconds; a fork server that is still importing hears nothing, and what it started ends with it


class ProcessNotStarted(RuntimeError):
    """The fork server could not be started or died."""


class ServerEnded(ProcessNotStarted):
    """The fork server that was asked for a process ended before it gave one."""


class ForkedProcess:
    """A process of the fork server (`Process` of spec.py)."""

    def __init__(self, pid: int, server: _Server) -> None:
        self.pid = pid
        self.lost = False
        self._server = server
        self._code: int | None = None
        self._ended = threading.Event()

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code (negative: killed by that signal), or None when `timeout` seconds passed first."""
        self._ended.wait(timeout)
        return self._code

    def signal(self, number: int) -> None:
        """Sends a signal to the whole process group; no error when it has ended."""
        if not self._ended.is_set():
            self._server.tell({"do": "signal", "pid": self.pid, "signal": int(number)})

    def lose(self) -> None:
        """Notes that the fork server has ended, and the process with it."""
        if not self._ended.is_set():
            self.lost = True
            self.end(-signal.SIGKILL)

    def end(self, code: int) -> None:
        """Takes in the exit code; the first report counts."""
        if not self._ended.is_set():
            self._code = code
            self._ended.set()


class _Server:
    """One running fork server with its waiting children and its processes."""

    def __init__(self, keep: Sequence[Path], load: bool) -> None:
        ours, theirs = socket.socketpair()
        project = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [project, os.environ.get("PYTHONPATH", "")]))
        command = [sys.executable, "-m", __name__.replace("client", "fork_server"), str(theirs.fileno())]
        command += ["load" if load else "bare", *map(str, keep)]
        self._popen = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, **_QUIET_THREADS, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}, cwd="/",
        )  # fmt: skip
        theirs.close()
        self._channel, self._lock = ours, threading.Lock()
        self._changed = threading.Condition()
        self._spares: deque[tuple[int, socket.socket]] = deque()
        self._owed = 0
        self._processes: dict[int, ForkedProcess] = {}
        self._isolation: Isolation | None = None
        self.gone = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._listener = threading.Thread(target=self._listen, name="fork-server", daemon=True)
        self._listener.start()

    def tell(self, message: Message) -> None:
        """Sends an order to the fork server; that it is gone is noticed by the listening thread."""
        with self._lock, contextlib.suppress(OSError):
            send(self._channel, message)

    def start(self, order: Message, descriptors: list[int]) -> ForkedProcess:
        """Hands the order to a waiting child and asks for another one."""
        while True:
            pid, channel = self._spare()
            process = ForkedProcess(pid, self)
            with self._changed:
                self._processes[pid] = process
            try:
                send(channel, order, descriptors)
            except OSError:  # someone killed the waiting child
                channel.close()
                self._processes.pop(pid, None)
                continue
            if self.gone:
                process.lose()
            else:
                self._selector.register(channel, selectors.EVENT_READ, process)
            return process

    def isolation(self) -> Isolation:
        """The way that the fork server chose; waits until it has said so."""
        with self._changed:
            self._changed.wait_for(lambda: self._isolation or self.gone, _PATIENCE)
        if self._isolation is None:
            raise ProcessNotStarted(f"The fork server ended at its start (exit code {self._popen.poll()}).")
        return self._isolation

    def close(self) -> None:
        """Ends the fork server, which ends its processes first, and hears of that."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        try:
            self._popen.wait(_PATIENCE_AT_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._listener.join(15)

    def _spare(self) -> tuple[int, socket.socket]:
        with self._changed:
            self._changed.wait_for(lambda: self._spares or self.gone, _PATIENCE)
            if not self._spares:
                error = ServerEnded if self.gone else ProcessNotStarted
                raise error("The fork server has no process to give; the service's log says why.")
            pid, channel = self._spares.popleft()
            self._owed += 1
            empty = not self._spares
        if empty:
            self._fork()
        return pid, channel

    def _fork(self) -> None:
        """Asks for the children that have been used up. A fork slows a job that is just starting, so it is put off
        until a job ends, as long as there is another child to give."""
        with self._changed:
            owed, self._owed = self._owed, 0
        for _ in range(owed):
            self.tell({"do": "fork"})

    def _listen(self) -> None:
        while not self.gone:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._hear_child(key.fileobj, key.data)
                elif not self._hear_server():
                    self.gone = True
        with self._changed:
            self._changed.notify_all()
            processes, self._processes = list(self._processes.values()), {}
        for process in processes:
            _kill_group(process.pid)
            process.lose()
        for channel in [key.fileobj for key in self._selector.get_map().values()]:
            channel.close()  # type: ignore[union-attr]
        for _, spare in self._spares:
            spare.close()
        self._selector.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(_PATIENCE_AT_END)  # it is ending: no zombie stays

    def _hear_child(self, channel: Any, process: ForkedProcess) -> None:
        """A child tells its exit code, or closes its end: by `exec`, or since it was killed."""
        try:
            data = channel.recv(CODE.size)
        except OSError:
            data = b""
        self._selector.unregister(channel)
        channel.close()
        if len(data) == CODE.size:
            process.end(CODE.unpack(data)[0])
            self._fork()

    def _hear_server(self) -> bool:
        try:
            received = receive(self._channel)
        except OSError:
            return False
        if received is None:
            return False
        message, descriptors = received
        with self._changed:
            if "spare" in message:
                self._spares.append((message["spare"], socket.socket(fileno=descriptors[0])))
            elif "exit" in message:
                process = self._processes.pop(message["pid"], None)
                if process:
                    process.end(message["exit"])
                    self._fork()
            else:
                self._isolation = isolation.from_message(message["isolation"])
            self._changed.notify_all()
        return True


class ForkedProcesses:
    """Implements `Processes` of spec.py. Thread-safe. The fork server starts with `warm` or the first `start`."""

    def __init__(self, *, settings: Settings, keep: Sequence[Path] = (), load: bool = True) -> None:
        """`keep` are folders of the user that must stay visible to jobs even when they are under /tmp.

        Without `load` the fork server starts at once, and each process imports for itself what it needs.
        """
        self._load = load
        self._keep = [settings.home, *keep]
        self._server: _Server | None = None
        self._lock = threading.Lock()

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
            "read_only": {place: str(folder) for place, folder in (*_shown(spec), *spec.read_only.items())},
            "writable": [str(folder) for folder in spec.program.writable],
            "locked": spec.locked,
        }
        descriptors = [descriptor for _, descriptor in listen]
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(ServerEnded):  # killed, perhaps while it was loading: the next one is asked
                return self._running().start(order, descriptors)
        return self._running().start(order, descriptors)

    def close(self) -> None:
        """Ends the fork server and every process that it started."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.close()

    def _running(self) -> _Server:
        with self._lock:
            if self._server is None or self._server.gone:
                self._server = _Server(self._keep, self._load)
            return self._server


def _shown(spec: ProcessSpec) -> list[tuple[str, Path]]:
    """The folders of the machine that the program needs, each at its own place."""
    return [(str(folder), folder) for folder in spec.program.readable]


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
