"""Linux system calls that Python has no function for: namespaces, mounts, capabilities. They raise OSError.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import struct
import sys
from pathlib import Path

NEWNS, NEWUSER, NEWPID = 0x00020000, 0x10000000, 0x20000000
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC = 0x1, 0x2, 0x4, 0x8
REMOUNT, BIND, RECURSIVE, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
DETACH = 2

_CLONE3, _MOUNT_SETATTR = 435, 442  # the same numbers on every architecture
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_CLONE_PIDFD = 0x1000
_KEPT_FLAGS = (READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, 0x400, 0x800)  # statvfs has them at the same bits; atime's, too
_PDEATHSIG, _CAPBSET_DROP, _SUBREAPER, _AMBIENT, _CLEAR_ALL = 1, 24, 36, 47, 4
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63

# Those of a container: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW,
# SYS_CHROOT, AUDIT_WRITE, SETFCAP. Docker's default has MKNOD, too, and a device filter beside it.
CONTAINER = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31})


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
    libc.syscall.restype = ctypes.c_long
    return libc


def _check(result: int, action: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{action}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Moves this process (for NEWPID: its later children) into namespaces of its own."""
    _check(_libc().unshare(flags), "unshare")


def clone(flags: int) -> tuple[int, int]:
    """`os.fork` with the child in new namespaces; its pid (0 in the child) and its pidfd.

    Only for a process with a single thread that runs nothing but system calls afterwards: Python does not know of it.
    """
    pidfd = ctypes.c_int(-1)
    arguments = struct.pack("8Q", flags | _CLONE_PIDFD, ctypes.addressof(pidfd), 0, 0, 17, 0, 0, 0)  # 17: SIGCHLD
    pid = _libc().syscall(_CLONE3, arguments, ctypes.c_size_t(len(arguments)))
    if pid < 0:
        _check(-1, "clone3")
    return pid, pidfd.value


def set_namespace(descriptor: int, kind: int) -> None:
    """Moves this process (for NEWPID: its later children) into the namespace that the descriptor stands for."""
    _check(_libc().setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2)."""
    texts = [os.fsencode(text) if text is not None else None for text in (source, target, kind, options)]
    _check(_libc().mount(texts[0], texts[1], texts[2], flags, texts[3]), f"mount {target}")


def unmount(target: str) -> None:
    """Takes a mount, with those below it, out of this namespace; it ends when nobody uses it any more."""
    _check(_libc().umount2(os.fsencode(target), DETACH), f"umount {target}")


def pivot_root_here() -> None:
    """Makes the working directory, a mount point, the root of this namespace, and takes the old root out of it."""
    number = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}.get(os.uname().machine)
    if number is None:
        raise OSError(38, f"pivot_root on {os.uname().machine}")
    _check(_libc().syscall(number, b".", b"."), "pivot_root")
    unmount(".")
    os.chdir("/")


def make_read_only(place: str, *, recursive: bool = True) -> None:
    """Makes a mount read-only, by default with all that is mounted below it (alone on kernels before 5.12)."""
    attributes = struct.pack("QQQQ", READ_ONLY, 0, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    result = _libc().syscall(
        _MOUNT_SETATTR, _AT_FDCWD, os.fsencode(place), flags, attributes, ctypes.c_size_t(len(attributes))
    )
    if result != 0:
        now = os.statvfs(place).f_flag
        kept = sum(flag for flag in _KEPT_FLAGS if now & flag)
        mount("none", place, None, BIND | REMOUNT | READ_ONLY | kept)


def drop_capabilities(kept: frozenset[int]) -> None:
    """Leaves this process, and what it executes, with no other capability than the `kept` ones."""
    libc = _libc()
    for number in range(_LAST_CAPABILITY + 1):
        if number not in kept and libc.prctl(_CAPBSET_DROP, number, 0, 0, 0) != 0:
            break  # the kernel has no more of them, or this process may not: then it has none to lose
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    held = sum(1 << number for number in kept) & _permitted()
    low, high = held & 0xFFFFFFFF, held >> 32
    header = struct.pack("II", _CAPABILITY_VERSION, 0)
    _check(libc.capset(header, struct.pack("IIIIII", low, low, 0, high, high, 0)), "capset")


def _permitted() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapPrm:"):
                return int(line.split()[1], 16)
    return 0


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process when its parent ends; `parent` is the pid that is expected to live.

    The parent of a PID namespace's process is outside of it, and shows as 0.
    """
    if sys.platform.startswith("linux"):
        _libc().prctl(_PDEATHSIG, 9, 0, 0, 0)
        if os.getppid() not in (parent, 0):
            os._exit(0)


def adopt_orphans() -> None:
    """Makes this process the parent of its descendants' orphans, so that none can slip away."""
    if sys.platform.startswith("linux"):
        _libc().prctl(_SUBREAPER, 1, 0, 0, 0)
