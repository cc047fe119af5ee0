"""Unpacks archives of clients in processes that may fail: bounded in bytes, members, memory and time."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers

_WORKERS = Workers("local_sagemaker.files.unpacker", most=4)
_READERS = Workers("local_sagemaker.files.unpacker", memory=512 << 20)
"""Of single files: they wait for no archive that is being unpacked."""
MOST_MEMBERS = 1_000_000
MOST_SECONDS = 3600.0
"""AWS's longest ModelDataDownloadTimeoutInSeconds."""
_RESERVE = 1 << 30
"""Bytes that stay free on the disk, or a tenth of the free ones where there are fewer."""


class ArchiveError(Exception):
    """An archive that can't be unpacked; with `too_large`, one that held more than allowed. Half of it may exist."""

    def __init__(self, text: str, *, too_large: bool = False) -> None:
        super().__init__(text)
        self.too_large = too_large


def warm() -> None:
    """Has a process wait for the first archive."""
    _WORKERS.warm()


def unpack_tar(archive: Path, folder: Path, *, seconds: float = MOST_SECONDS) -> None:
    """Unpacks a tar.gz without symbolic links into a folder. `ArchiveError`, or OSError for faults of the disk."""
    free = shutil.disk_usage(folder).free
    most = free - min(_RESERVE, free // 10)
    _call(_WORKERS, "unpack_tar", str(archive), str(folder), most, MOST_MEMBERS, False, seconds=seconds)


def unpack_zip(archive: Path, folder: Path, most_bytes: int, *, seconds: float = MOST_SECONDS) -> int:
    """Unpacks a zip into a folder; how many members it has. `ArchiveError`, or OSError for faults of the disk."""
    answer = _call(_WORKERS, "unpack_zip", str(archive), str(folder), most_bytes, MOST_MEMBERS, seconds=seconds)
    return int(answer["members"])


def read_tar(archive: bytes, name: str, *, most_bytes: int, largest: int, seconds: float) -> str | None:
    """The text of a file of a tar.gz, None where it has none of that name with at most `largest` bytes.

    `ArchiveError`, with `too_large` also for one that holds more than `most_bytes` before the file, or takes longer.
    """
    with NamedTemporaryFile() as file:
        file.write(archive)
        file.flush()
        answer = _call(_READERS, "read_tar", file.name, name, most_bytes, largest, seconds=seconds)
    return None if answer["text"] is None else str(answer["text"])


def _call(workers: Workers, function: str, *arguments: Any, seconds: float) -> dict[str, Any]:
    try:
        return dict(workers.call(function, *arguments, seconds=seconds))
    except CallTimedOut as error:
        raise ArchiveError(f"it takes longer than {seconds:g} s", too_large=True) from error
    except CallFailed as error:
        if error.errno is not None and error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise OSError(error.errno, str(error)) from error
        raise ArchiveError(str(error) or error.kind, too_large=error.kind in ("TooLarge", "MemoryError")) from error
