"""Unpacks archives of clients in processes that may fail: bounded in bytes, members, memory and time."""

from __future__ import annotations

import base64
import errno
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from local_sagemaker.workers.pool import CallFailed, CallTimedOut, Workers

_WORKERS = Workers("local_sagemaker.files.archive_extraction", most=4)
_READERS = Workers("local_sagemaker.files.archive_extraction", memory=512 << 20)
"""Of single files: they wait for no archive that is being unpacked."""
MOST_MEMBERS = 1_000_000
MOST_FILES = 100_000
"""Of an archive whose files are listed."""
MOST_SECONDS = 3600.0
"""AWS's longest ModelDataDownloadTimeoutInSeconds."""
_RESERVE = 1 << 30
"""Bytes that stay free on the disk, or a tenth of the free ones where there are fewer."""


@dataclass(frozen=True)
class UnpackedFile:
    """A file of an archive: the name that it has there, which may be any text, and where its bytes are now.

    `streamable` if a reader finds its end without the directory at the archive's end: a file that is stored with its
    size behind its data is not.
    """

    name: str
    path: Path
    streamable: bool


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
    _call(_WORKERS, "unpack_tar", str(archive), str(folder), room(folder), MOST_MEMBERS, False, seconds=seconds)


def unpack_zip(archive: Path, folder: Path, most_bytes: int, *, seconds: float = MOST_SECONDS) -> int:
    """Unpacks a zip into a folder; how many members it has. `ArchiveError`, or OSError for faults of the disk."""
    response = _call(_WORKERS, "unpack_zip", str(archive), str(folder), most_bytes, MOST_MEMBERS, seconds=seconds)
    return int(response["members"])


def unpack_files(archive: Path, folder: Path, most_bytes: int, *, seconds: float = MOST_SECONDS) -> list[UnpackedFile]:
    """Unpacks the files of a zip, whatever their names, flat into a folder. `ArchiveError`, or OSError of the disk."""
    most = min(most_bytes, room(folder))
    response = _call(_WORKERS, "unpack_files", str(archive), str(folder), most, MOST_FILES, seconds=seconds)
    files = zip(response["names"], response["streamable"], strict=True)
    return [UnpackedFile(name, folder / str(number), streamable) for number, (name, streamable) in enumerate(files)]


def read_zip(archive: Path, name: str, *, largest: int, seconds: float) -> bytes | None:
    """The bytes of a file of a zip, None where it has none of that name. `ArchiveError`, or OSError of the disk."""
    response = _call(_READERS, "read_zip", str(archive), name, largest, seconds=seconds)
    return None if response["data"] is None else base64.b64decode(response["data"])


def read_tar(archive: bytes, name: str, *, most_bytes: int, largest: int, seconds: float) -> str | None:
    """The text of a file of a tar.gz, None where it has none of that name with at most `largest` bytes.

    `ArchiveError`, with `too_large` also for one that holds more than `most_bytes` before the file, or takes longer.
    """
    with NamedTemporaryFile() as file:
        file.write(archive)
        file.flush()
        response = _call(_READERS, "read_tar", file.name, name, most_bytes, largest, seconds=seconds)
    return None if response["text"] is None else str(response["text"])


def room(folder: Path) -> int:
    """How many bytes may be written into a folder."""
    free = shutil.disk_usage(folder).free
    return free - min(_RESERVE, free // 10)


def _call(workers: Workers, function: str, *arguments: Any, seconds: float) -> dict[str, Any]:
    try:
        return dict(workers.call(function, *arguments, seconds=seconds))
    except CallTimedOut as error:
        raise ArchiveError(f"it takes longer than {seconds:g} s", too_large=True) from error
    except CallFailed as error:
        if error.errno is not None and error.errno not in (errno.ENAMETOOLONG, errno.EINVAL):
            raise OSError(error.errno, str(error)) from error
        raise ArchiveError(str(error) or error.kind, too_large=error.kind in ("TooLarge", "MemoryError")) from error
