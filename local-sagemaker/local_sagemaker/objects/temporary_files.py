"""Bytes on their way into the store: a temporary file, its MD5 and size, flat memory."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from local_sagemaker.errors import FULL
from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.objects.errors import disk_errors
from local_sagemaker.objects.layout import StoreLayout

PIECE = 1 << 20


@dataclass(frozen=True)
class TemporaryFile:
    """A temporary file, complete. `md5` is hex; `mtime_ns` is unique enough to tell any two writes apart.

    The bytes of a part of an upload may begin at an `offset`."""

    path: str
    size: int
    md5: str
    mtime_ns: int
    offset: int = 0


def now_ns() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns()


class Md5:
    """The MD5 of a stream. From the second MiB on it is computed in a thread of its own, beside receiving and writing:
    MD5 is the slowest of what is done with a byte, and hashlib gives other threads way in the meantime."""

    def __init__(self) -> None:
        self._digest = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._pieces: queue.Queue[bytes] = queue.Queue(maxsize=16)
        self._thread: threading.Thread | None = None

    def update(self, piece: bytes) -> None:
        """Takes a piece; waits when the thread is behind."""
        if self._thread is None:
            self._size += len(piece)
            if self._size <= PIECE:
                self._digest.update(piece)
                return
            self._thread = threading.Thread(target=self._run, name="md5", daemon=True)
            self._thread.start()
        if piece:
            self._pieces.put(piece)

    def _run(self) -> None:
        while piece := self._pieces.get():
            self._digest.update(piece)

    def close(self) -> None:
        """Waits for the thread; to be called in any case."""
        if self._thread is not None:
            self._pieces.put(b"")
            self._thread.join()
            self._thread = None

    def hexdigest(self) -> str:
        """The digest of all pieces."""
        self.close()
        return self._digest.hexdigest()


def stamp(path: str | int) -> os.stat_result:
    """Sets the time of now, in nanoseconds (file systems only count clock ticks); returns what the file then says."""
    now = now_ns()
    os.utime(path, ns=(now, now))
    return os.stat(path)


def md5_of(path: str | Path) -> tuple[str, int]:
    """(hex MD5, size) of a file, in pieces."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


@contextmanager
def receive(layout: StoreLayout, source: bytes | IO[bytes]) -> Iterator[TemporaryFile]:
    """Writes bytes, or all of a stream, to a temporary file, which is removed afterwards unless it was renamed."""
    path = layout.sweeper.spare() or layout.scratch()
    digest, size = Md5(), 0
    try:
        with disk_errors(layout.folder), closing(digest):
            with open(path, "wb", buffering=0) as file:
                for piece in [source] if isinstance(source, bytes) else iter(lambda: source.read(PIECE), b""):
                    digest.update(piece)
                    size += write_all(file.fileno(), piece, room=layout.sweeper.finish)
                facts = stamp(file.fileno())
            yield TemporaryFile(path, size, digest.hexdigest(), facts.st_mtime_ns)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def write_all(
    descriptor: int, piece: bytes, offset: int | None = None, room: Callable[[], bool] = lambda: False
) -> int:
    """Writes every byte: a nearly full disk takes less than it is given before it says so.

    Then `room` is called, which says whether it made some.
    """
    view, done = memoryview(piece), 0
    while done < len(view):
        try:
            if offset is None:
                done += os.write(descriptor, view[done:])
            else:
                done += os.pwrite(descriptor, view[done:], offset + done)
        except OSError as error:
            if error.errno not in FULL or not room():
                raise
    return done


def receive_at(layout: StoreLayout, path: str, offset: int, length: int, source: bytes | IO[bytes]) -> TemporaryFile:
    """Writes `length` bytes, which must be all that the stream has, into a file from `offset` on."""
    digest, size = Md5(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with disk_errors(layout.folder), closing(digest):
            for piece in [source] if isinstance(source, bytes) else iter(lambda: source.read(PIECE), b""):
                if size + len(piece) > length:
                    raise ValueError("the stream has more bytes than it said")
                digest.update(piece)
                size += write_all(descriptor, piece, offset + size, room=layout.sweeper.finish)
    finally:
        os.close(descriptor)
    if size != length:
        raise ValueError("the stream has fewer bytes than it said")
    return TemporaryFile(path, size, digest.hexdigest(), now_ns(), offset)


@contextmanager
def take(layout: StoreLayout, folder: Folder, name: str, move: bool) -> Iterator[TemporaryFile]:
    """A file's bytes as a temporary file: the file itself when it may be moved and nothing else refers to it.

    When what follows fails, a moved file is put back.
    """
    path = layout.scratch()
    if not (move and folder.take(name, path)):
        with folder.open(name) as file, receive(layout, file) as written:
            yield written
        if move:
            folder.unlink(name)
        return
    try:
        os.chmod(path, 0o644)  # an object is readable by its owner
        digest, size = md5_of(path)
        yield TemporaryFile(path, size, digest, stamp(path).st_mtime_ns)
    except BaseException:
        with suppress(FileNotFoundError):
            folder.put(path, name)
        raise


def concatenate(layout: StoreLayout, sources: list[tuple[str, int, int]]) -> str:
    """A temporary file of several (file, offset, length) one after the other, copied in the kernel where it can."""
    path = layout.scratch()
    try:
        with disk_errors(layout.folder), open(path, "wb", buffering=0) as target:
            for source, offset, length in sources:
                with open(source, "rb", buffering=0) as file:
                    if append(target.fileno(), file.fileno(), offset, length) != length:
                        raise FileNotFoundError(source)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(path)
        raise
    return path


def append(target: int, source: int, offset: int, length: int) -> int:
    """Appends a range of an open file to another, in the kernel where it can; returns how many bytes."""
    done = 0
    while done < length:
        try:
            count = os.copy_file_range(source, target, min(length - done, 1 << 30), offset + done)
        except (AttributeError, OSError) as error:
            if getattr(error, "errno", None) in FULL:  # not a reason to try another way
                raise
            count = write_all(target, os.pread(source, min(length - done, PIECE), offset + done))
        if not count:
            break
        done += count
    return done
