"""Removes folders that others wrote: of any depth, with any permissions, without leaving the folder.

`shutil.rmtree` calls itself for each level, stops at folders that it may not read, and empties what is mounted below.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import logging
import os
import stat
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.files.untrusted_folder import open_beneath

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602  # FS_IOC_GETFLAGS, FS_IOC_SETFLAGS
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20
_DETACH, _NO_FOLLOW = 2, 8  # MNT_DETACH, UMOUNT_NOFOLLOW
_ATTEMPTS = 5
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
log = logging.getLogger(__name__)


def discard(place: Path | str) -> None:
    """Removes a folder with all that is in it, or a file, or nothing; what can't be removed is said in the log."""
    try:
        remove(place)
    except OSError as error:
        log.warning("%s can't be removed: %s", place, error)


def remove(place: Path | str) -> None:
    """Removes a folder with all that is in it, or a file; nothing happens when it does not exist.

    A link is removed, not what it leads to. OSError, after all else has been removed, for what can't be.
    """
    parent, name = os.path.split(os.path.abspath(place))
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _Removal().entry(descriptor, name)
        finally:
            os.close(descriptor)


@dataclass
class _Level:
    """A folder on the way down: its name in the one above, its identity, and the names in it that are left."""

    name: str
    identity: tuple[int, int]
    left: list[str]
    attempts: int = 1


class _Removal:
    """One removal. It holds one descriptor at a time, so depth costs neither stack nor descriptors."""

    def __init__(self) -> None:
        self._error: OSError | None = None

    def entry(self, parent: int, name: str) -> None:
        """Removes one entry of an open folder, and reports the first error at the end."""
        if self._unlink(parent, name):
            self._folder(parent, name)
        if self._error:
            raise self._error

    def _folder(self, parent: int, name: str) -> None:
        levels: list[_Level] = []
        current = os.dup(parent)
        try:
            current = self._descend(levels, current, name)
            while levels:
                level = levels[-1]
                if level.left:
                    entry = level.left.pop()
                    if self._unlink(current, entry):
                        current = self._descend(levels, current, entry)
                    continue
                current = self._ascend(levels, current, parent)
        finally:
            os.close(current)

    def _descend(self, levels: list[_Level], current: int, name: str) -> int:
        """Opens a folder of the current one instead of it; the current one stays when that can't be."""
        try:
            inner = self._open(current, name)
        except OSError as error:
            self._note(error)
            return current
        status = os.fstat(inner)
        levels.append(_Level(name, (status.st_dev, status.st_ino), os.listdir(inner)))
        os.close(current)
        return inner

    def _ascend(self, levels: list[_Level], current: int, outermost: int) -> int:
        """Goes back to the folder above and removes the empty one; tries again where something came in the meantime."""
        level = levels.pop()
        above = os.dup(outermost) if not levels else os.open("..", _FOLDER, dir_fd=current)
        status = os.fstat(above)
        if levels and (status.st_dev, status.st_ino) != levels[-1].identity:
            os.close(above)
            levels.clear()
            self._note(OSError(errno.ESTALE, "moved while it was removed", level.name))
            return current
        try:
            try:
                os.rmdir(level.name, dir_fd=above)
            except PermissionError:
                _clear_flags(above)
                _clear_flags(current)
                os.rmdir(level.name, dir_fd=above)
        except OSError as error:
            if error.errno == errno.ENOTEMPTY and level.attempts < _ATTEMPTS and self._error is None:
                os.close(above)
                level.left, level.attempts = os.listdir(current), level.attempts + 1
                levels.append(level)
                return current
            self._note(error)
        os.close(current)
        return above

    def _open(self, current: int, name: str) -> int:
        """A folder of the current one, readable and writable by now; what is mounted there is taken away first."""
        for _ in range(2):
            try:
                inner = open_beneath(current, os.fsencode(name), _FOLDER)
            except PermissionError:
                _permit(current, name)
                inner = open_beneath(current, os.fsencode(name), _FOLDER)
            except OSError as error:
                if error.errno != errno.EXDEV or not _unmount(current, name):
                    raise
                continue
            if stat.S_IMODE(os.fstat(inner).st_mode) & stat.S_IRWXU != stat.S_IRWXU:
                with contextlib.suppress(OSError):
                    os.fchmod(inner, stat.S_IRWXU)
            return inner
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), name)

    def _unlink(self, folder: int, name: str) -> bool:
        """Removes what is no folder; True for a folder."""
        try:
            if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                return True
            try:
                os.unlink(name, dir_fd=folder)
            except PermissionError:
                _unlock(folder, name)
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._note(error)
        return False

    def _note(self, error: OSError) -> None:
        self._error = self._error or error


def _permit(folder: int, name: str) -> None:
    """Gives the owner all rights on a folder that may not even be opened."""
    if hasattr(os, "O_PATH"):
        descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{descriptor}", stat.S_IRWXU)
        finally:
            os.close(descriptor)


def _unlock(folder: int, name: str) -> None:
    """Clears the flags (chattr +i, +a) of a file and of its folder that forbid its removal."""
    _clear_flags(folder)
    with contextlib.suppress(OSError):
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            status = os.fstat(file)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                _clear_flags(file)
        finally:
            os.close(file)


def _clear_flags(descriptor: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):
        before = struct.unpack("l", fcntl.ioctl(descriptor, _GET_FLAGS, struct.pack("l", 0)))[0]
        if before & (_IMMUTABLE | _APPEND_ONLY):
            fcntl.ioctl(descriptor, _SET_FLAGS, struct.pack("l", before & ~(_IMMUTABLE | _APPEND_ONLY)))


def _unmount(folder: int, name: str) -> bool:
    """Takes away what a job with such rights mounted in its folder, so that it is not emptied."""
    if not sys.platform.startswith("linux"):
        return False
    place = f"/proc/self/fd/{folder}/{name}"
    return ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(place), _DETACH | _NO_FOLLOW) == 0
