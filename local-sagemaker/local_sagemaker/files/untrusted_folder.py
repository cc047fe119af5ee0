"""Folders that a job or a client may write: what is below them is opened without following a link out of them.

Every name is resolved from an open folder by openat2(2), which refuses symbolic links, ``..`` above the folder and
mounts on the way, whatever changes below. Where the kernel lacks it (before Linux 5.6, other systems), each part
of a name is opened by itself with O_NOFOLLOW.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

_OPENAT2 = 437  # the same number on every architecture
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_HOW = struct.pack("QQQ", 0, 0, _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
_ABSENT = (errno.ENOSYS, errno.EPERM)  # EPERM: what container runtimes return for calls that they do not know
_RETRY = (errno.EAGAIN, errno.EINTR)  # a rename elsewhere came between
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LONGEST = 3000
"""Bytes of a name that are resolved at once: the kernel takes 4,095."""

LEADS_OUT = (errno.ELOOP, errno.EXDEV, errno.ENOTDIR)
"""What opening says of a name that is a link, lies on another mount or behind something that is no folder."""


@dataclass(frozen=True)
class Entry:
    """A regular file below a folder: its name relative to it, with ``/`` between the parts, and its status."""

    name: str
    status: os.stat_result


class Folder:
    """An open folder. It stays the same one when its own name is given to another, and is to be closed."""

    def __init__(self, place: Path | str) -> None:
        """Opens a folder by a path that is trusted, links included."""
        self.descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes it."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    @property
    def identity(self) -> tuple[int, int]:
        """Device and number: what a folder keeps when it is renamed."""
        status = os.fstat(self.descriptor)
        return status.st_dev, status.st_ino

    def folder(self, name: str) -> Folder:
        """A folder below this one. OSError with an `errno` of `LEADS_OUT` when it can't be reached without links."""
        try:
            return _to_folder(self._resolve(name, _FOLDER))
        except PermissionError:
            self._grant(name)
            return _to_folder(self._resolve(name, _FOLDER))

    def make(self, name: str) -> Folder:
        """A folder below this one, made with those above it where they do not exist."""
        try:
            return self.folder(name)
        except FileNotFoundError:
            pass
        folder = _to_folder(os.dup(self.descriptor))
        for part in filter(None, name.split("/")):
            with folder:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=folder.descriptor)
                folder = folder.folder(part)
        return folder

    def create(self, name: str, mode: int = 0o644) -> int:
        """A descriptor of a new file in this folder, to be written, instead of what has that name and is no folder."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(name, flags, mode, dir_fd=self.descriptor)
        except FileExistsError:
            os.unlink(name, dir_fd=self.descriptor)
            return os.open(name, flags, mode, dir_fd=self.descriptor)

    def open(self, name: str) -> BinaryIO:
        """A regular file below this folder, to be read without a buffer. OSError for whatever else it is."""
        try:
            descriptor = self._resolve(name, _FILE)
        except PermissionError:
            self._grant(name)
            descriptor = self._resolve(name, _FILE)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.ENOTDIR, "not a regular file", name)
            return os.fdopen(descriptor, "rb", buffering=0)  # type: ignore[return-value]
        except BaseException:
            os.close(descriptor)
            raise

    def walk(self) -> Iterator[Entry]:
        """Every regular file below this folder, however deep; links are neither followed nor listed.

        What vanishes while this looks is passed over; so are sockets, pipes and devices. OSError when a folder is
        moved elsewhere in the meantime.
        """
        for kind, name, status in self.tree():
            if kind == stat.S_IFREG:
                yield Entry(name, status)

    def tree(self) -> Iterator[tuple[int, str, os.stat_result]]:
        """Like `walk`, with the folders: (S_IFREG or S_IFDIR, name, status), a folder before what is in it."""
        walk = _Walk(_to_folder(os.dup(self.descriptor)))
        try:
            yield from walk.run()
        finally:
            walk.current.close()

    def take(self, name: str, target: str) -> os.stat_result | None:
        """Moves a regular file out to an absolute path of this file system; its status, or None if that can't be.

        A file with other names stays: a process that has those could change it afterwards.
        """
        parent, _, last = name.rpartition("/")
        with self.folder(parent) if parent else _to_folder(os.dup(self.descriptor)) as folder:
            before = _status(last, folder.descriptor)
            if before is None or not stat.S_ISREG(before.st_mode) or before.st_nlink > 1:
                return None
            try:
                os.rename(last, target, src_dir_fd=folder.descriptor)
            except OSError:
                return None
            after = os.lstat(target)
            if (after.st_dev, after.st_ino, after.st_nlink) == (before.st_dev, before.st_ino, 1):
                return after
            os.rename(target, last, dst_dir_fd=folder.descriptor)  # changed in between
            return None

    def put(self, source: str, name: str) -> None:
        """Moves a file to a name below this folder, over what has that name."""
        parent, _, last = name.rpartition("/")
        with self.folder(parent) if parent else _to_folder(os.dup(self.descriptor)) as folder:
            os.replace(source, last, dst_dir_fd=folder.descriptor)

    def unlink(self, name: str) -> None:
        """Removes a file below this folder."""
        parent, _, last = name.rpartition("/")
        with self.folder(parent) if parent else _to_folder(os.dup(self.descriptor)) as folder:
            os.unlink(last, dir_fd=folder.descriptor)

    def _grant(self, name: str) -> None:
        """Lets this user read what it owns: an ordinary user's job may have left files that nobody may read."""
        if not hasattr(os, "O_PATH"):
            return
        descriptor = self._resolve(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            more = stat.S_IRWXU if stat.S_ISDIR(status.st_mode) else stat.S_IRUSR
            if stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1):
                os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IMODE(status.st_mode) | more)
        finally:
            os.close(descriptor)

    def _resolve(self, name: str, flags: int) -> int:
        """An open descriptor of what a name leads to; names that are longer than the kernel takes go in steps."""
        base, encoded = self.descriptor, os.fsencode(name)
        try:
            while len(encoded) > _LONGEST:
                cut = encoded.rfind(b"/", 0, _LONGEST)
                if cut <= 0:
                    break  # a part of that length: the kernel says so
                step = open_beneath(base, encoded[:cut], _FOLDER)
                if base != self.descriptor:
                    os.close(base)
                base, encoded = step, encoded[cut + 1 :]
            return open_beneath(base, encoded, flags)
        finally:
            if base != self.descriptor:
                os.close(base)


@dataclass
class _FolderLevel:
    """A folder on the way down: its name, its identity, and the folders in it that are still to be entered."""

    name: str
    identity: tuple[int, int]
    left: list[str]


class _Walk:
    """One walk. It holds one descriptor, whatever the depth."""

    def __init__(self, current: Folder) -> None:
        self.current = current
        self._levels: list[_FolderLevel] = []

    def run(self) -> Iterator[tuple[int, str, os.stat_result]]:
        """The entries of all folders."""
        self._levels.append(_FolderLevel("", self.current.identity, []))
        yield from self._list()
        while self._levels:
            left = self._levels[-1].left
            if not left:
                self._leave()
            elif self._enter(left.pop()):
                yield from self._list()

    def _list(self) -> Iterator[tuple[int, str, os.stat_result]]:
        level = self._levels[-1]
        prefix = f"{level.name}/" if level.name else ""
        for name in sorted(os.listdir(self.current.descriptor)):
            status = _status(name, self.current.descriptor)
            kind = stat.S_IFMT(status.st_mode) if status else 0
            if status and kind in (stat.S_IFREG, stat.S_IFDIR):
                yield kind, prefix + name, status
                if kind == stat.S_IFDIR:
                    level.left.append(name)
        level.left.reverse()

    def _enter(self, name: str) -> bool:
        try:
            inner = self.current.folder(name)
        except OSError as error:
            if error.errno not in (*LEADS_OUT, errno.ENOENT):
                raise
            return False  # replaced or removed since it was listed
        above = self._levels[-1].name
        self.current.close()
        self.current = inner
        self._levels.append(_FolderLevel(f"{above}/{name}" if above else name, inner.identity, []))
        return True

    def _leave(self) -> None:
        self._levels.pop()
        if self._levels:
            above = _to_folder(os.open("..", _FOLDER, dir_fd=self.current.descriptor))
            self.current.close()
            self.current = above
            if above.identity != self._levels[-1].identity:
                raise OSError(errno.ESTALE, "moved while it was read", self._levels[-1].name)


def _to_folder(descriptor: int) -> Folder:
    folder = Folder.__new__(Folder)
    folder.descriptor = descriptor
    return folder


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def open_beneath(folder: int, name: bytes, flags: int) -> int:
    """A descriptor of what a relative name is below an open folder, without links, other mounts or a way up."""
    if b"\0" in name:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), os.fsdecode(name))
    if _SYSCALL is not None:
        how = struct.pack("Q", flags) + _HOW[8:]
        while True:
            result = _SYSCALL(_OPENAT2, folder, name, how, len(how))
            if result >= 0:
                return result
            number = ctypes.get_errno()
            if number not in _RETRY:
                raise OSError(number, os.strerror(number), os.fsdecode(name))
    return walk_beneath(folder, name, flags)


def walk_beneath(folder: int, name: bytes, flags: int) -> int:
    """The same part by part, for kernels without openat2. A mount of the same file system is not noticed by this."""
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if b".." in parts or name.startswith(b"/"):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), os.fsdecode(name))
    device, base = os.fstat(folder).st_dev, os.dup(folder)
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        try:
            step = os.open(part, (flags if last else _FOLDER) | os.O_NOFOLLOW, dir_fd=base)
        finally:
            os.close(base)
        if os.fstat(step).st_dev != device:
            os.close(step)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), os.fsdecode(name))
        base = step
    return base


def _find_syscall() -> Callable[..., int] | None:
    """The C library's syscall function, where the kernel has openat2."""
    if not sys.platform.startswith("linux"):
        return None
    call: Any = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t)
    call.restype = ctypes.c_long
    how = struct.pack("Q", _FOLDER | os.O_PATH) + _HOW[8:]
    descriptor: int = call(_OPENAT2, -100, b".", how, len(how))
    if descriptor < 0:
        return None if ctypes.get_errno() in _ABSENT else call
    os.close(descriptor)
    return call


_SYSCALL = _find_syscall()
