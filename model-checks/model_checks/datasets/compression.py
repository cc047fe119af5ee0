"""Files that Spark decompresses because of the ending of their names, as plain copies in the job's temporary folder."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

Opened = Any
_PIECE = 1 << 20


class Unreadable(Exception):
    """A compressed file that is damaged, or of a codec that is not here; the text says which."""


class _Deflated:
    """A zlib stream as a readable object."""

    def __init__(self, path: Path) -> None:
        self._file, self._codec = path.open("rb"), zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        while piece := self._file.read(size):
            if text := self._codec.decompress(piece):
                return text
        rest = self._codec.flush()
        self._codec = zlib.decompressobj()
        return rest

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def _zstandard(path: Path) -> Opened:
    return pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")


def _unsupported(path: Path) -> Opened:
    raise Unreadable(f"{path.name}: Hadoop's {path.suffix[1:]} format is not supported.")


_CODECS: dict[str, Callable[[Path], Opened]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".deflate": _Deflated,
    ".zst": _zstandard,
    ".lz4": _unsupported,
    ".snappy": _unsupported,
}


def plain(path: Path) -> Path:
    """The file itself, or a decompressed copy of it, whose name lacks the ending. Raises `Unreadable`."""
    codec = _CODECS.get(path.suffix)
    if codec is None:
        return path
    status = path.stat()
    identity = f"{path} {status.st_size} {status.st_mtime_ns}"
    folder = (
        Path(os.environ.get("TMPDIR", "/tmp")) / "decompressed" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    )
    target = folder / path.stem
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{path.stem}.part"
    try:
        source = codec(path)
        with part.open("wb") as copy:
            shutil.copyfileobj(source, copy, _PIECE)
        source.close()
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise Unreadable(f"{path.name} can't be decompressed: {error}") from error
    part.replace(target)
    return target
