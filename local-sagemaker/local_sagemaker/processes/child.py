"""What a forked child does: waits for its order, becomes the job's process, runs the program.

The fork server keeps a few of these waiting, so that a start costs neither a fork nor a new namespace.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import shutil
import signal
import socket
import struct
import termios
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local_sagemaker import fresh_interpreter
from local_sagemaker.processes import (
    environment,
    filesystem_changes,
    isolation,
    job_root,
    path_rewriting,
    program,
    system_calls,
)
from local_sagemaker.processes.isolation import Isolation
from local_sagemaker.processes.job_root import Layout, Mounts
from local_sagemaker.processes.messages import Message, receive

CODE = struct.Struct("!i")
FAILED_SETUP = 125  # as `docker run`: the container itself could not be made


@dataclass(frozen=True)
class Setting:
    """What every child inherits from the fork server."""

    isolation: Isolation
    layout: Layout
    outer: Mapping[str, str]
    server: int
    home: Path


def wait_and_run(channel: socket.socket, setting: Setting, number: int, mounts: int | None) -> NoReturn:
    """The whole life of the `number`-th child. Its exit code goes over the channel first: tearing down takes a while.

    `mounts` is the descriptor of the mount namespace that was made for it, if one was.
    """
    own = os.getpid()

    def finish(code: int) -> NoReturn:
        # While other processes of the job run, the fork server sends the code, once it has ended them.
        if os.getpid() == own and not _has_others(setting.isolation):
            with contextlib.suppress(OSError):
                channel.sendall(CODE.pack(code))
        os._exit(code & 0xFF)

    try:
        prepared = _settle(setting, number, mounts)
        order = receive(channel)
        if order is None:
            os._exit(0)
        _adopt(prepared, Path(order[0]["root"]), keep_changes=order[0]["keep_changes"])
        _obey(*order, channel=channel, setting=setting, finish=finish)
    except BaseException:  # nothing may leave a forked child but by os._exit
        os.write(2, traceback.format_exc().encode())
    finish(FAILED_SETUP)


def _settle(setting: Setting, number: int, mounts: int | None) -> Path:
    """All that needs no order yet; a folder with a Python environment and a root, ready to be moved."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for signal_number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    system_calls.die_with_parent(setting.server)
    prepared = setting.home / "jobs" / f".prepared-{setting.server}-{number}"
    environment.make(prepared)
    program.refresh()
    if mounts is not None:
        system_calls.set_namespace(mounts, system_calls.NEWNS)
    elif setting.isolation.namespaces:
        system_calls.unshare(system_calls.NEWNS)
    if setting.isolation.namespaces:
        job_root.build(prepared / "layers", setting.layout)
    gc.enable()
    return prepared


def _obey(
    order: Message, descriptors: list[int], *, channel: socket.socket, setting: Setting, finish: program.Finish
) -> None:
    root = Path(order["root"])
    if order["terminal"] is None:
        _redirect(Path(order["log"]))
    else:
        _take_terminal(descriptors.pop(order["terminal"]))
    _close_others({channel.fileno(), *descriptors})
    for name in ("ml", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    argv, job_variables = order["argv"], dict(order["environment"])
    for name, position in order["listen"].items():
        os.set_inheritable(descriptors[position], True)
        job_variables[name] = str(descriptors[position])
    folder = order["working_directory"]
    if setting.isolation.namespaces:
        _enter_root(root, order, setting)
    else:
        argv, job_variables, folder = _rewrite(root, order, job_variables)
    python = environment.place(root, setting.isolation.namespaces)
    variables = environment.variables(python, job_variables, setting.outer)
    _replace_environment(variables)
    if "/ml/" in folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    program.open_stdio()
    if order["entry"]:
        program.become(python, keep_project=True)
        program.run_entry(order["entry"], argv, finish)
    elif not fresh_interpreter.variables_require_it(job_variables, setting.outer) and (main := program.main_of(argv)):
        program.become(python, keep_project=False)
        program.run_main(*main, finish)
    finish(program.execute(argv, variables))


def _enter_root(root: Path, order: Message, setting: Setting) -> None:
    """Moves this process into the job's root, for good."""
    if not (root / "layers").is_dir():
        raise OSError(f"the root that was prepared could not be moved to {root}")
    (root / "tmp").chmod(0o1777)
    hosts = root / "hosts"
    hosts.write_text(_known_hosts() + "".join(f"{address}\t{name}\n" for name, address in order["hosts"].items()))
    shown, writable = order["read_only"], order["writable"]
    private, python = {"/tmp": root / "tmp"}, {job_root.PYTHON: root / "env"}
    others = {place: Path(source) for place, source in {**shown, **{folder: folder for folder in writable}}.items()}
    if order["locked"]:
        others |= python
    else:
        private |= {"/opt/ml": root / "ml", **python}
    mounts = Mounts(private, others, frozenset(shown), {"/etc/hosts": hosts}, order["locked"])
    folder = os.open(root, os.O_PATH)
    job_root.enter(root / "layers", mounts, setting.layout)
    if order["keep_changes"]:
        filesystem_changes.bring(folder)
    os.close(folder)
    isolation.drop_privileges(setting.isolation)


def _known_hosts() -> str:
    try:
        return Path("/etc/hosts").read_text("utf-8", "replace")
    except OSError:
        return "127.0.0.1\tlocalhost\n"


def _rewrite(root: Path, order: Message, job_variables: dict[str, str]) -> tuple[list[str], dict[str, str], str]:
    """Where there are no namespaces: command, variables and working directory with the job's own folders in them."""
    ml, argv, folder = root / "ml", order["argv"], order["working_directory"]
    path_rewriting.files(ml)
    for name in ("root", "home"):
        (root / name).mkdir(exist_ok=True)
    for name, content in environment.installers_settings(Path.home()).items():
        file = root / "home" / name[len(job_root.HOME) + 1 :]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for place, source in order["read_only"].items():
        argv = [source if word == place else word for word in argv]
    own = {
        "LOCAL_SAGEMAKER_ML": str(ml),
        "TMPDIR": str(root / "tmp"),
        "HOME": job_variables.get("HOME", str(root / "home")),
    }
    path_rewriting.resolve_hosts(order["hosts"])
    folder = str(root / "root") if folder == "/" else path_rewriting.text(folder, ml)
    return [path_rewriting.text(word, ml) for word in argv], path_rewriting.mapping(job_variables, ml) | own, folder


def _has_others(way: Isolation) -> bool:
    """Whether the job has other processes than this one."""
    try:
        if way.own_pids:
            own = ("1", str(os.getpid()))
            return any(name.isdigit() and name not in own for name in os.listdir("/proc"))  # noqa: PTH208 - names only
        return any((task / "children").read_text() for task in Path("/proc/self/task").iterdir())
    except OSError:
        return False


def _adopt(prepared: Path, root: Path, *, keep_changes: bool) -> None:
    """Moves what was prepared to the job; a server that is started again finds what the one before it left.

    With `keep_changes` also what that one wrote elsewhere, for `filesystem_changes`; it is complete as long as
    it exists.
    """
    root.mkdir(parents=True, exist_ok=True)
    earlier, layers = root / filesystem_changes.NAME, root / "layers"
    if keep_changes and layers.is_dir() and not earlier.exists():
        layers.rename(earlier)
    filesystem_changes.remove_layers(layers)
    for name in ("env", "layers"):
        with contextlib.suppress(OSError):
            (prepared / name).rename(root / name)
    shutil.rmtree(prepared, ignore_errors=True)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)


def _take_terminal(terminal: int) -> None:
    """Makes it the controlling one of this session: Ctrl-C ends what runs in the foreground, as in any shell."""
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(terminal, descriptor)


def _close_others(kept: set[int]) -> None:
    last = 2
    for descriptor in sorted(kept):
        os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, 1 << 20)


def _replace_environment(variables: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    os.environ.update(variables)
    if "TZ" in variables:
        time.tzset()
