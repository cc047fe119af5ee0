"""This terminal's side of a job in the foreground: makes a terminal for the job and passes on what goes in and out.

The other end is `jobs/terminal.py`. Standard input may be a pipe, too: its end is then the end of the job's.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import socket
import sys
import tempfile
import termios
import tty
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local_sagemaker.cli.control import post
from local_sagemaker.cli.executions import StepJob
from local_sagemaker.config import Settings
from local_sagemaker.lifecycle import LifecycleError

_PIECE = 65_536
_END_OF_INPUT = b"\x04"
_PAUSE = 0.5
"""Seconds between two of them, once the input has ended: a program may ask at any time, and gets no end but that."""


def run_here(
    settings: Settings,
    service: dict[str, Any],
    region: str,
    job: StepJob,
    *,
    shell: bool,
    environment: Mapping[str, str],
    shown: str = "",
) -> int:
    """Runs a job's program, or a shell in its place, at this terminal; its exit code.

    `environment` are variables that it gets, `shown` a folder of the machine that it needs.
    """
    variables = {"TERM": os.environ.get("TERM", "dumb"), **environment}
    with tempfile.TemporaryDirectory(prefix="local-sagemaker-") as folder, _listen(folder) as listener:
        post(
            settings, service, "run-in-foreground", address=str(Path(folder, "socket")), region=region, kind=job.kind,
            job=job.name, shell="yes" if shell else "", environment=json.dumps(variables), shown=shown,
        )  # fmt: skip
        channel, _ = listener.accept()
    with channel:
        master, slave = pty.openpty()
        _copy_size(master)
        socket.send_fds(channel, [b"."], [slave])
        os.close(slave)
        with _raw(), _follow_size(master):
            response = _pass_on(master, channel)
        os.close(master)
    if response is None:
        raise LifecycleError("The service has ended, and the job with it.")
    if response["error"]:
        raise LifecycleError(response["error"])
    return int(response["code"])


def _listen(folder: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(Path(folder, "socket")))
    listener.listen(1)
    return listener


def _pass_on(master: int, channel: socket.socket) -> dict[str, Any] | None:
    """What the service says at the end; None when it ends itself."""
    typed = sys.stdin.fileno()
    sources: list[Any] = [typed, master, channel]
    while True:
        ready, _, _ = select.select(sources, [], [], None if typed in sources else _PAUSE)
        if master in ready and not _show(master):
            sources.remove(master)  # nobody has it open any more: the response comes
        if channel in ready:
            line = channel.makefile("rb").readline()
            while select.select([master], [], [], 0)[0] and _show(master):
                pass
            return dict(json.loads(line)) if line else None
        data = os.read(typed, _PIECE) if typed in ready else b""
        if typed in ready and not data:
            sources.remove(typed)
        if data or not ready:
            with contextlib.suppress(OSError):
                os.write(master, data or _END_OF_INPUT)


def _show(master: int) -> bool:
    """Shows what the job has written; False when it has closed its end."""
    try:
        data = os.read(master, _PIECE)
    except OSError:
        return False
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]
    return True


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    """Has each key go to the job, Ctrl-C, too, as long as this lasts."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _follow_size(master: int) -> Iterator[None]:
    """Has the job's terminal follow the size of this one."""
    before = signal.signal(signal.SIGWINCH, lambda *_: _copy_size(master))
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _copy_size(master: int) -> None:
    with contextlib.suppress(OSError):
        fcntl.ioctl(master, termios.TIOCSWINSZ, fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8)))
