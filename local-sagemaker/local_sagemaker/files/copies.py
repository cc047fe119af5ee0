"""Copies of files that share no bytes with the original once either is written: blocks are shared until then."""

from __future__ import annotations

import errno
import fcntl
import os
import sys

_CLONE = 0x40049409  # FICLONE, as linux/fs.h counts it on x86, ARM and RISC-V
_AT_ONCE = 1 << 30
_PIECE = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def copy(source: int, target: int) -> int:
    """Copies all bytes of an open file to an open empty one, in the kernel where that is possible; how many.

    On Btrfs, XFS and the like no byte is copied: the blocks belong to both until one file is written.
    """
    size = os.fstat(source).st_size
    if _clone(source, target):
        return size
    done = 0
    while True:
        try:
            count = os.copy_file_range(source, target, _AT_ONCE, done, done)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", None) in _FULL:
                raise
            count = _write(target, os.pread(source, _PIECE, done), done)
        if not count:
            return done
        done += count


def copy_file(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Copies a file to a new one, which must not exist; how many bytes."""
    reader = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            return copy(reader, writer)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def _clone(source: int, target: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True


def _write(target: int, piece: bytes, offset: int) -> int:
    done = 0
    while done < len(piece):
        done += os.pwrite(target, memoryview(piece)[done:], offset + done)
    return done
