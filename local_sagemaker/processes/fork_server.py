"""The fork server: a process of its own that has the machine-learning libraries loaded and forks the jobs' processes.

``python -m local_sagemaker.processes.fork_server FD`` where FD is its end of a socket pair. It keeps a few forked
children waiting, hands each start request to one of them, and reports pids and exit codes. When the service's end
closes (even by kill -9) it ends every process that it started, and itself. It imports only: no numeric code runs
before a fork, so that OpenMP and BLAS start their threads in the children.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.processes import environment, isolation
from local_sagemaker.processes.child import CODE, Setting, wait_and_run
from local_sagemaker.processes.messages import Message, receive, send

WARM = (
    "numpy", "pandas", "scipy.stats", "scipy.sparse", "sklearn.pipeline", "sklearn.compose", "sklearn.impute",
    "sklearn.preprocessing", "sklearn.metrics", "sklearn.model_selection", "xgboost", "pyarrow.parquet",
    "smclarify.bias.report", "datasketches", "botocore.session", "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on", "starlette.applications", "starlette.routing", "starlette.responses", "concurrent.futures.thread",
    "joblib", "urllib.request", "http.client", "tarfile", "csv", "argparse", "uvloop",
)  # fmt: skip
_NEEDED_AT_EXIT = ("logging", "multiprocessing.util")
SPARES = 2
_DEADLINE = 10.0


@dataclass
class Job:
    """A child that runs a program; `told` once its exit code has been reported."""

    number: int
    pid: int
    channel: socket.socket
    told: bool = False


class ForkServer:
    """One loop over the service's socket, the children's channels and SIGCHLD."""

    def __init__(self, control: socket.socket, setting: Setting) -> None:
        self._control, self._setting = control, setting
        self._spares: list[tuple[int, socket.socket]] = []
        self._jobs: dict[int, Job] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(self._woken, False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Serves until the service is gone."""
        while True:
            # Spares are forked when nothing else waits: a fork costs a few milliseconds.
            wanting = len(self._spares) < SPARES
            ready = self._selector.select(0 if wanting else None)
            if not ready and wanting:
                self._fork_spare()
            for key, _ in ready:
                if key.fileobj is self._control:
                    message = receive(self._control)
                    if message is None:
                        return
                    self._obey(*message)
                elif key.fileobj == self._woken:
                    self._drain()
                    self._reap()
                else:
                    self._listen(key.data)

    def close(self) -> None:
        """Ends every descendant, orphans included (they are adopted by this process)."""
        for pid in [*self._jobs, *(pid for pid, _ in self._spares)]:
            _kill_group(pid, signal.SIGKILL)
        until = time.monotonic() + _DEADLINE
        while (children := _children()) and time.monotonic() < until:
            for pid in children:
                _kill(pid)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                return

    def _obey(self, message: Message, descriptors: list[int]) -> None:
        if message["do"] == "signal":
            job = next((job for job in self._jobs.values() if job.number == message["number"]), None)
            if job:
                _kill_group(job.pid, message["signal"])
            return
        while True:
            if not self._spares:
                self._fork_spare()
            pid, channel = self._spares.pop(0)
            job = Job(message["number"], pid, channel)
            try:
                send(channel, message["order"], descriptors)
                break
            except OSError:  # someone killed the waiting child
                channel.close()
        for descriptor in descriptors:
            os.close(descriptor)
        self._jobs[pid] = job
        self._selector.register(channel, selectors.EVENT_READ, job)
        self._tell({"number": job.number, "pid": pid})

    def _fork_spare(self) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            wait_and_run(theirs, self._setting)
        theirs.close()
        self._spares.append((pid, ours))

    def _listen(self, job: Job) -> None:
        try:
            data = job.channel.recv(CODE.size)
        except OSError:
            data = b""
        self._selector.unregister(job.channel)
        job.channel.close()
        if len(data) == CODE.size:
            self._ended(job, CODE.unpack(data)[0])

    def _drain(self) -> None:
        try:
            while os.read(self._woken, 4096):
                pass
        except BlockingIOError:
            pass

    def _reap(self) -> None:
        """Collects ended children. A group is killed before its leader's pid becomes free for reuse."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            job = self._jobs.get(found.si_pid)
            if job:
                code = found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
                if job.channel.fileno() >= 0:
                    self._listen(job)
                self._ended(job, code)
                del self._jobs[job.pid]
            self._spares = [(pid, channel) for pid, channel in self._spares if pid != found.si_pid]
            os.waitpid(found.si_pid, 0)
            if job:
                self._kill_leftovers()

    def _ended(self, job: Job, code: int) -> None:
        if not job.told:
            job.told = True
            _kill_group(job.pid, signal.SIGKILL)  # as a container's processes end with its first one
            self._tell({"number": job.number, "exit": code})

    def _kill_leftovers(self) -> None:
        """Ends orphans that left their job's process group: those whose namespace is no running job's."""
        known = {*self._jobs, *(pid for pid, _ in self._spares)}
        orphans = [pid for pid in _children() if pid not in known]
        if orphans and self._setting.isolation.namespaces:
            alive = {_namespace(pid) for pid in self._jobs}
            for pid in orphans:
                if _namespace(pid) not in alive:
                    _kill(pid)

    def _tell(self, message: Message) -> None:
        try:
            send(self._control, message)
        except OSError:
            return  # the service is gone: the next receive says so


def _namespace(pid: int) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/mnt").readlink())
    except OSError:
        return None


def _children() -> list[int]:
    try:
        tasks = [(task / "children").read_text() for task in Path("/proc/self/task").iterdir()]
    except OSError:
        return []
    return [int(pid) for task in tasks for pid in task.split()]


def _kill_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        if number != signal.SIGKILL:
            _kill(pid, number)
    except PermissionError:
        return


def _kill(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _warm() -> None:
    gc.disable()
    register, registered = atexit.register, []
    atexit.register = lambda function, *rest, **named: registered.append(function) or register(function, *rest, **named)
    for name in WARM:
        try:
            importlib.import_module(name)
        except ImportError as error:
            os.write(2, f"fork server: {name} is not there: {error}\n".encode())
    atexit.register = register
    for function in registered:  # extension modules that tidy their memory at exit would do so in every job
        if getattr(function, "__module__", None) not in _NEEDED_AT_EXIT:
            atexit.unregister(function)
    environment.learn()
    gc.collect()
    gc.freeze()


def main(descriptor: int, keep: list[str]) -> None:
    """Runs the fork server on its end of the socket pair; the first folder to keep visible is the state folder."""
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    isolation.adopt_orphans()
    way = isolation.choose()
    isolation.enter(way)
    send(control, {"isolation": way.way, "reason": way.reason})
    outer = dict(os.environ)
    sys.path[:] = [entry for entry in sys.path if entry not in ("", "/")]  # the working directory, put there by -m
    _warm()
    visible = {Path(folder) for folder in (*keep, sys.prefix, sys.base_prefix, *sys.path) if folder}
    setting = Setting(way, tuple(visible | {Path(__file__).parents[2]}), outer, os.getpid(), Path(keep[0]))
    server = ForkServer(control, setting)
    try:
        server.run()
    finally:
        if os.getpid() == setting.server:
            server.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
