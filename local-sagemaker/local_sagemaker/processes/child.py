"""What a forked child does: waits for its order, becomes the job's process, runs the program.

The fork server keeps a few of these waiting, so that a start costs neither a fork nor a new namespace.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import struct
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local_sagemaker.processes import environment, isolation, program, rewriting
from local_sagemaker.processes.isolation import Isolation
from local_sagemaker.processes.messages import Message, receive

CODE = struct.Struct("!i")
FAILED_SETUP = 125  # as `docker run`: the container itself could not be made


@dataclass(frozen=True)
class Setting:
    """What every child inherits from the fork server."""

    isolation: Isolation
    keep: tuple[Path, ...]
    outer: Mapping[str, str]
    server: int
    home: Path


def wait_and_run(channel: socket.socket, setting: Setting) -> NoReturn:
    """The whole life of a child. Its exit code goes over the channel first, since tearing down takes a while."""
    own = os.getpid()

    def finish(code: int) -> NoReturn:
        # With processes of its own still there the fork server tells the code, once it has ended them.
        if os.getpid() == own and not _has_children():
            with contextlib.suppress(OSError):
                channel.sendall(CODE.pack(code))
        os._exit(code & 0xFF)

    try:
        prepared = _settle(setting)
        order = receive(channel)
        if order is None:
            os._exit(0)
        _adopt(prepared, Path(order[0]["root"]))
        _obey(*order, channel=channel, setting=setting, finish=finish)
    except BaseException:  # nothing may leave a forked child but by os._exit
        os.write(2, traceback.format_exc().encode())
    finish(FAILED_SETUP)


def _settle(setting: Setting) -> Path:
    """All that needs no order yet; answers a folder with a Python environment ready to be moved."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    isolation.die_with_parent(setting.server)
    prepared = setting.home / "jobs" / f".prepared-{os.getpid()}"
    environment.make(prepared)
    program.refresh()
    if setting.isolation.namespaces:
        isolation.unshare()
    gc.enable()
    return prepared


def _obey(
    order: Message, descriptors: list[int], *, channel: socket.socket, setting: Setting, finish: program.Finish
) -> None:
    root = Path(order["root"])
    _redirect(Path(order["log"]))
    _close_others({channel.fileno(), *descriptors})
    for name in ("ml", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    argv, given = order["argv"], dict(order["environment"])
    for name, position in order["listen"].items():
        os.set_inheritable(descriptors[position], True)
        given[name] = str(descriptors[position])
    folder = order["working_directory"]
    if setting.isolation.namespaces:
        isolation.mount_root(root, order["hosts"], (*setting.keep, *_named(order)))
    else:
        ml = root / "ml"
        rewriting.files(ml)
        argv = [rewriting.text(word, ml) for word in argv]
        given = rewriting.mapping(given, ml) | {"LOCAL_SAGEMAKER_ML": str(ml), "TMPDIR": str(root / "tmp")}
        folder = rewriting.text(folder, ml)
        rewriting.resolve_hosts(order["hosts"])
    variables = environment.variables(root, given, setting.outer)
    _replace_environment(variables)
    if "/ml/" in folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    program.open_stdio()
    if order["entry"]:
        program.become(root, keep_project=True)
        program.run_entry(order["entry"], argv, finish)
    elif not program.wants_own_start(given, setting.outer) and (found := program.main_of(argv)):
        program.become(root, keep_project=False)
        program.run_main(*found, finish)
    environment.make(root)
    finish(program.execute(argv, variables))


def _has_children() -> bool:
    try:
        return any((task / "children").read_text() for task in Path("/proc/self/task").iterdir())
    except OSError:
        return False


def _adopt(prepared: Path, root: Path) -> None:
    """Moves the prepared environment to the job; on another file system the job makes its own."""
    root.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        (prepared / "env").rename(root / "env")
        prepared.rmdir()


def _named(order: Message) -> list[Path]:
    """The machine's own folders that an image's entry is given by argument (a user's image below /tmp, say)."""
    return [Path(word) for word in order["argv"] if order["entry"] and word.startswith("/") and Path(word).is_dir()]


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(target, 1)
    os.dup2(target, 2)


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
