"""A PID namespace for each process that is forked for a job: the machine's other processes do not exist in it.

The first process of a PID namespace is one like that of ``docker run --init``: the job's own is the second, so that
signals do to it what they do to any process. The first one adopts orphans, and with its end the kernel ends all
others. A small process, forked before the libraries are loaded, clones these first processes in a fraction of a
millisecond. Each has a mount namespace, too, which the job's process joins: there is no other root to be found in
``/proc/1/root``.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from dataclasses import dataclass

from local_sagemaker.processes import system_calls

_REQUEST, _DONE = b"+", b"."


@dataclass(frozen=True)
class Namespace:
    """A PID namespace with its mount namespace, as open descriptors; `first` is the pidfd of its first process.

    Over `channel` that one is to kill all others.
    """

    pids: int
    mounts: int
    first: int
    channel: int

    def kill_all(self) -> None:
        """Has every process killed; `channel` is readable when none is left."""
        with contextlib.suppress(OSError):
            os.write(self.channel, _REQUEST)

    def end(self) -> None:
        """Ends the namespace, with every process in it, and closes the descriptors."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        for descriptor in (self.pids, self.mounts, self.first, self.channel):
            os.close(descriptor)


class PidNamespaces:
    """Makes PID namespaces. To be made while the calling process is small: its helper is a fork of it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        own = os.getpid()
        self.helper = os.fork()
        if self.helper == 0:
            try:
                ours.close()
                system_calls.die_with_parent(own)
                _serve(theirs)
            finally:  # nothing may leave it but by os._exit
                os._exit(0)
        theirs.close()
        self._channel = ours

    def new(self) -> Namespace:
        """A namespace, with its first process."""
        self._channel.sendall(_REQUEST)
        text, descriptors, _, _ = socket.recv_fds(self._channel, 200, 4)
        if len(descriptors) != 4:
            raise OSError(f"no PID namespace: {text.decode(errors='replace') or 'their maker has ended'}")
        return Namespace(*descriptors)

    def close(self) -> None:
        """Ends the helper, and with it every namespace that is left."""
        self._channel.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.helper, 0)


def fork_into(namespace: Namespace) -> int:
    """`os.fork`, with the child in the PID namespace; in the parent the pid is that of the parent's own namespace.

    Afterwards the parent can fork into namespaces only, and start no thread.
    """
    system_calls.set_namespace(namespace.pids, system_calls.NEWPID)
    return os.fork()


def _serve(channel: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # also in the first processes: nobody waits for orphans
    own = os.getpid()
    while channel.recv(1):
        ours, theirs = socket.socketpair()
        try:
            pid, first = system_calls.clone(system_calls.NEWPID | system_calls.NEWNS)
            if pid == 0:
                _be_first(theirs.fileno(), own)
            opened = [*(os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in ("pid", "mnt")), first]
            socket.send_fds(channel, [_DONE], [*opened, ours.fileno()])
        except OSError as error:
            channel.sendall(str(error).encode()[:200] or b"?")
            continue
        finally:
            ours.close()
            theirs.close()
        for descriptor in opened:
            os.close(descriptor)


def _be_first(channel: int, parent: int) -> None:
    """Ends with its parent; on request, kills all others and says when none is left."""
    try:
        system_calls.die_with_parent(parent)
        os.closerange(0, channel)
        os.closerange(channel + 1, 1 << 16)
        while os.read(channel, 1):
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(-1, 0)  # SIGCHLD is ignored: this returns when the last child has ended
            os.write(channel, _DONE)
    finally:
        os._exit(0)


def is_ended(namespace: Namespace, seconds: float) -> bool:
    """Whether all processes of the namespace end within the time, after `kill_all`."""
    return bool(select.select([namespace.channel], [], [], seconds)[0])
