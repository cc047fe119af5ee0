"""The fork server: a process of its own that has the machine-learning libraries loaded and forks the jobs' processes.

Started as a program of `image_programs`, with the fields of `Options` as JSON. It runs in the Python of an image, or in
the service's own for the programs of the service. It forks children ahead of time and hands the service a socket to
each, so that a start waits for no fork; it reports the exit codes. When the service's end closes (even by kill -9) it
ends every process that it started, and itself. It imports only: no numeric code runs before a fork, so that OpenMP and
BLAS start their threads in the children.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker import image_programs as programs
from local_sagemaker.processes import (
    environment,
    filesystem_changes,
    isolation,
    job_root,
    pid_namespaces,
    system_calls,
)
from local_sagemaker.processes.child import Setting, wait_and_run
from local_sagemaker.processes.job_root import Layout
from local_sagemaker.processes.messages import Message, receive, send
from local_sagemaker.processes.pid_namespaces import Namespace, PidNamespaces

_NEEDED_AT_EXIT = ("logging", "multiprocessing.util")
SPARES = 2
_DEADLINE = 10.0


class ForkServer:
    """One loop over the service's socket and SIGCHLD. Every child is handed to the service before it has a job."""

    def __init__(self, control: socket.socket, setting: Setting, namespaces: PidNamespaces | None) -> None:
        self._control, self._setting, self._namespaces = control, setting, namespaces
        self._children: dict[int, Namespace | None] = {}
        self._forked = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._woken, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(self._woken, False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def run(self) -> None:
        """Serves until the service has ended."""
        for _ in range(SPARES):
            self._fork()
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._woken:
                    self._reap()
                    continue
                if key.data:
                    key.data()
                    continue
                received = receive(self._control)
                if received is None:
                    return
                self._obey(received[0])

    def close(self) -> None:
        """Ends every descendant, orphans included (they are adopted by this process)."""
        for pid in self._children:
            _kill_group(pid, signal.SIGKILL)
        if self._namespaces:
            self._namespaces.close()
        until = time.monotonic() + _DEADLINE
        while (children := _children()) and time.monotonic() < until:
            for pid in children:
                _kill(pid)
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
        for folder in (self._setting.home / "jobs").glob(f".prepared-{self._setting.server}-*"):
            filesystem_changes.remove_layers(folder / "layers")
            shutil.rmtree(folder, ignore_errors=True)

    def _obey(self, message: Message) -> None:
        if message["do"] == "fork":
            self._fork()
        elif message["pid"] in self._children:
            _kill_group(message["pid"], message["signal"])

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        namespace = self._namespaces.new() if self._namespaces else None
        self._forked += 1
        pid = pid_namespaces.fork_into(namespace) if namespace else os.fork()
        if pid == 0:
            ours.close()
            wait_and_run(theirs, self._setting, self._forked, namespace.mounts if namespace else None)
        theirs.close()
        self._children[pid] = namespace
        self._send({"spare": pid}, [ours.fileno()])
        ours.close()

    def _reap(self) -> None:
        """Collects ended children. A group is killed before its leader's pid becomes free for reuse."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._woken, 4096):
                pass
        with contextlib.suppress(ChildProcessError):
            while state := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                pid, known = state.si_pid, state.si_pid in self._children
                if known:
                    _kill_group(pid, signal.SIGKILL)  # as a container's processes end with its first one
                    namespace = self._children.pop(pid)
                os.waitpid(pid, 0)
                if known:
                    code = state.si_status if state.si_code == os.CLD_EXITED else -state.si_status
                    self._end(pid, code, namespace)

    def _end(self, pid: int, code: int, namespace: Namespace | None) -> None:
        """Reports the end of a child, once every process that it has started has ended, too."""
        if namespace is None:
            self._send({"exit": code, "pid": pid})
            self._kill_leftovers()
            return

        def ended() -> None:
            self._selector.unregister(namespace.channel)
            namespace.end()
            self._send({"exit": code, "pid": pid})

        self._selector.register(namespace.channel, selectors.EVENT_READ, ended)
        namespace.kill_all()

    def _kill_leftovers(self) -> None:
        """Ends orphans that left their job's process group: those whose namespace is no running job's."""
        orphans = [pid for pid in _children() if pid not in self._children]
        if orphans and self._setting.isolation.namespaces:
            alive = {_namespace(pid) for pid in self._children}
            for pid in orphans:
                if _namespace(pid) not in alive:
                    _kill(pid)

    def _send(self, message: Message, descriptors: list[int] | None = None) -> None:
        with contextlib.suppress(OSError):  # when the service has ended, the next receive says so
            send(self._control, message, descriptors)


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


def _warm(modules: tuple[str, ...]) -> None:
    gc.disable()
    register = atexit.register
    registered: list[Callable[..., object]] = []

    def note(function: Callable[..., object], *rest: object, **named: object) -> Callable[..., object]:
        registered.append(function)
        return register(function, *rest, **named)

    setattr(atexit, "register", note)  # noqa: B010 - mypy takes a plain assignment for a mistake
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:
            os.write(2, f"fork server: {name} cannot be loaded: {type(error).__name__}: {error}\n".encode())
    setattr(atexit, "register", register)  # noqa: B010
    for function in registered:  # extension modules that tidy their memory at exit would do so in every job
        if getattr(function, "__module__", None) not in _NEEDED_AT_EXIT:
            atexit.unregister(function)
    environment.learn()
    gc.collect()
    gc.freeze()


def _layout(way: isolation.Isolation, home: Path, visible: list[Path]) -> Layout:
    """How the roots of this server's children are made, with what they have in common made already."""
    plain = isolation.layout(way, home, visible)
    if not way.namespaces:
        return plain
    skeleton = home / "jobs" / f".prepared-{os.getpid()}-skeleton"
    skeleton.mkdir(parents=True)
    job_root.make_skeleton(skeleton, plain)
    return dataclasses.replace(plain, skeleton=skeleton)


@dataclass(frozen=True)
class Options:
    """What the service says at the start: its socket, folders to keep visible (the first one is the state folder),
    modules to load, and, in an image's Python, the folder of what only model servers need and the folders of packages
    that its programs are made of."""

    descriptor: int
    keep: list[str]
    warm: list[str]
    of_image: bool
    serving: str | None = None
    packages: dict[str, str] = dataclasses.field(default_factory=dict)


def main(arguments: list[str]) -> None:
    """Runs the fork server on its end of the socket pair."""
    options = Options(**json.loads(arguments[0]))
    control = socket.socket(fileno=options.descriptor)
    control.set_inheritable(False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    system_calls.adopt_orphans()
    programs.provide(options.packages)
    home, *visible = map(Path, [*options.keep, *options.packages.values()])
    way = isolation.choose(home, visible)
    isolation.enter(way)
    namespaces = PidNamespaces() if way.own_pids else None
    try:
        send(control, {"isolation": dataclasses.asdict(way)})
    except BrokenPipeError:  # the service has ended already
        return
    outer = dict(os.environ)
    if options.serving:
        environment.use_helpers(options.serving, programs.HELPERS)
    if not options.of_image:
        environment.use_service_packages()
    _warm(tuple(options.warm))
    sys.dont_write_bytecode = True  # what was loaded here is read at the next start; jobs leave nothing
    setting = Setting(way, _layout(way, home, visible), outer, os.getpid(), home)
    server = ForkServer(control, setting, namespaces)
    try:
        server.run()
    finally:
        if os.getpid() == setting.server:
            server.close()
