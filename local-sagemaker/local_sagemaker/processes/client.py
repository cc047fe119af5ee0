"""The service's side of the fork servers: `ForkedProcesses` starts them, sends orders, receives pids and exit codes.

There is one fork server for each library set that is in use (the Python and the libraries of an image), and one in the
service's own Python, for programs of the platform.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.files.removal import discard
from local_sagemaker.images.image import Program
from local_sagemaker.images.libraries import ImageLibraries, LibrarySet, LibrarySets, catalogue
from local_sagemaker.images.libraries.plan import select_for_log
from local_sagemaker.processes import filesystem_changes, isolation
from local_sagemaker.processes.child import CODE
from local_sagemaker.processes.errors import ProcessNotStarted, ServerEnded
from local_sagemaker.processes.isolation import Isolation
from local_sagemaker.processes.messages import Message, receive, send
from local_sagemaker.processes.runtime import Runtime
from local_sagemaker.processes.spec import ProcessSpec

_PATIENCE = 300.0  # seconds that a start waits for a child, the fork server's own warm-up included
_ATTEMPTS = 5  # fork servers that are tried before its start fails
_COMMAND = (str(Path(__file__).parents[1] / "image_programs.py"), "local_sagemaker.processes.fork_server:main")
# What the programs of the service itself need. They lie with it, perhaps below /tmp, which each job has for itself: all
# of this package that they use has to be loaded before a process has its root.
_SERVICE_WARM = (
    "concurrent.futures.thread", "urllib.request", "http.client", "csv", "local_sagemaker.batch.agent",
    "local_sagemaker.codebuild.agent",
)  # fmt: skip
IDLE_SECONDS = 600.0
"""How long a fork server stays that no process needs; those of the default pipeline's images stay."""
_PATIENCE_AT_END = 3.0  # seconds; one that is still importing receives nothing, and what it started ends with it


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
            self._server.send_message({"do": "signal", "pid": self.pid, "signal": int(number)})

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

    def __init__(self, runtime: Runtime, keep: Sequence[Path]) -> None:
        """`keep`: the state folder, then others that its processes must see."""
        ours, theirs = socket.socketpair()
        options = {"descriptor": theirs.fileno(), "keep": [str(folder) for folder in keep],
                   "warm": runtime.warm, "of_image": runtime.of_image, "serving": runtime.serving,
                   "packages": dict(runtime.packages)}  # fmt: skip
        self._popen = subprocess.Popen(
            [runtime.python, *_COMMAND, json.dumps(options)], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, start_new_session=True, env=runtime.environment(), cwd="/",
        )  # fmt: skip
        self.used, self._home = time.monotonic(), Path(keep[0])
        theirs.close()
        self._channel, self._lock = ours, threading.Lock()
        self._changed = threading.Condition()
        self._spares: deque[tuple[int, socket.socket]] = deque()
        self._owed = 0
        self._processes: dict[int, ForkedProcess] = {}
        self._isolation: Isolation | None = None
        self.removed = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._listener = threading.Thread(target=self._listen, name="fork-server", daemon=True)
        self._listener.start()

    def send_message(self, message: Message) -> None:
        """Sends an order to the fork server; that it no longer exists is noticed by the listening thread."""
        with self._lock, contextlib.suppress(OSError):
            send(self._channel, message)

    def start(self, order: Message, descriptors: list[int]) -> ForkedProcess:
        """Hands the order to a waiting child and orders another one."""
        self.used = time.monotonic()
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
            if self.removed:
                process.lose()
            else:
                self._selector.register(channel, selectors.EVENT_READ, process)
            return process

    def await_loaded(self) -> None:
        """Returns when it has loaded its libraries and can start processes, or has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._spares or self.removed, _PATIENCE)

    @property
    def idle_since(self) -> float | None:
        """When it was last needed (monotonic clock), None while a process of it runs."""
        with self._changed:
            return None if self._processes else self.used

    def isolation(self) -> Isolation:
        """The way that the fork server chose; waits until it has said so."""
        with self._changed:
            self._changed.wait_for(lambda: self._isolation or self.removed, _PATIENCE)
        if self._isolation is None:
            raise ProcessNotStarted(f"The fork server ended at its start (exit code {self._popen.poll()}).")
        return self._isolation

    def hang_up(self) -> None:
        """Has the fork server end, and its processes first, without waiting for it."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends the fork server, which ends its processes first, and waits for that."""
        self.hang_up()
        try:
            self._popen.wait(_PATIENCE_AT_END)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._listener.join(15)

    def _spare(self) -> tuple[int, socket.socket]:
        with self._changed:
            self._changed.wait_for(lambda: self._spares or self.removed, _PATIENCE)
            if not self._spares:
                error = ServerEnded if self.removed else ProcessNotStarted
                raise error("The fork server has no process to give; the service's log says why.")
            pid, channel = self._spares.popleft()
            self._owed += 1
            empty = not self._spares
        if empty:
            self._fork()
        return pid, channel

    def _fork(self) -> None:
        """Orders the children that have been used up. A fork slows a job that is just starting, so it is put off
        until a job ends, as long as there is another child to give."""
        with self._changed:
            owed, self._owed = self._owed, 0
        for _ in range(owed):
            self.send_message({"do": "fork"})

    def _listen(self) -> None:
        while not self.removed:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._receive_child(key.fileobj, key.data)
                elif not self._receive_server():
                    self.removed = True
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
        for folder in (self._home / "jobs").glob(f".prepared-{self._popen.pid}-*"):  # of one that was killed
            filesystem_changes.remove_layers(folder / "layers")
            discard(folder)

    def _receive_child(self, channel: Any, process: ForkedProcess) -> None:
        """A child reports its exit code, or closes its end: by `exec`, or since it was killed."""
        try:
            data = channel.recv(CODE.size)
        except OSError:
            data = b""
        self._selector.unregister(channel)
        channel.close()
        if len(data) == CODE.size:
            process.end(CODE.unpack(data)[0])
            self._fork()

    def _receive_server(self) -> bool:
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
    """Implements `Processes` of spec.py. Thread-safe. A fork server starts with `warm` or the first `start` for it."""

    def __init__(self, *, settings: Settings, keep: Sequence[Path] = (), load: bool = True) -> None:
        """`keep`: folders that jobs must continue seeing where they are, besides the state folder and the interpreter.

        Without `load` the fork servers start at once and load nothing in advance (for tests that need no libraries).
        """
        self._load = load
        self._keep = [settings.home, *keep]
        self._sets = LibrarySets(settings.cache)
        self._servers: dict[str, _Server] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reaper: threading.Thread | None = None

    def warm(self) -> None:
        """Starts the fork servers of the default pipeline's images, as far as they are prepared, and the service's.

        Returns when the last of them has been started; each loads its libraries beside what others do.
        """
        runtimes = [self._default(image) for image in catalogue.defaults()]
        for runtime in (runtimes[0], self._service(), *runtimes[1:]):
            if runtime and not self._closed.is_set():
                self._running(runtime).await_loaded()  # one after the other, in the order in which they are needed

    @property
    def isolation(self) -> Isolation:
        """How jobs are kept apart on this machine."""
        return self._running(self._service()).isolation()

    def start(self, spec: ProcessSpec) -> ForkedProcess:
        """Starts one process and returns when it has a pid; waits while the fork server is still loading.

        The image's libraries are installed first if they are not on this machine, with progress in the process's log.
        Raises NotPrepared or NoPython when they can't be.
        """
        if not spec.program.argv:
            raise ValueError("a program needs an argv")
        runtime = self._runtime(spec.program, spec.log)
        order, descriptors = spec.order()
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(ServerEnded):  # killed, perhaps while it was loading: the next one is tried
                return self._running(runtime).start(order, descriptors)
        return self._running(runtime).start(order, descriptors)

    def close(self) -> None:
        """Ends the fork servers and every process that they started."""
        self._closed.set()
        with self._lock:
            servers, self._servers = list(self._servers.values()), {}
        for server in servers:
            server.hang_up()
        for server in servers:
            server.close()

    def _service(self) -> Runtime:
        return Runtime(sys.executable, _SERVICE_WARM if self._load else ())

    def _default(self, image: ImageLibraries) -> Runtime | None:
        library_set = self._sets.find(image)
        return self._runtime_of(library_set, image) if library_set else None

    def _runtime(self, program: Program, log: Path) -> Runtime:
        image = program.libraries
        if image is None:
            return self._service()

        def say(line: str) -> None:
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")

        library_set = self._sets.require(image, say)
        differences = select_for_log(image, library_set.differences)
        if differences:
            say(f"The image {image.name} here: {'; '.join(differences)}")
        return self._runtime_of(library_set, image)

    def _runtime_of(self, library_set: LibrarySet, image: ImageLibraries) -> Runtime:
        return Runtime.of(library_set, image.warm if self._load else (), image.own_packages)

    def _running(self, runtime: Runtime) -> _Server:
        with self._lock:
            server = self._servers.get(runtime.python)
            if server is None or server.removed:
                server = self._servers[runtime.python] = _Server(runtime, self._keep)
            server.used = time.monotonic()
            if self._reaper is None:
                self._reaper = threading.Thread(target=self._reap, name="idle fork servers", daemon=True)
                self._reaper.start()
            return server

    def _reap(self) -> None:
        """Ends fork servers that no process has needed for a while."""
        while not self._closed.wait(IDLE_SECONDS / 10):
            stay = {runtime.python for image in catalogue.defaults() if (runtime := self._default(image))}
            stay.add(self._service().python)
            with self._lock:
                limit = time.monotonic() - IDLE_SECONDS
                idle = [
                    python
                    for python, server in self._servers.items()
                    if python not in stay and (since := server.idle_since) is not None and since < limit
                ]
                ended = [self._servers.pop(python) for python in idle]
            for server in ended:
                server.close()


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
