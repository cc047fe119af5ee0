"""What the object store offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from local_sagemaker.files.untrusted_folder import Folder


@dataclass(frozen=True)
class ObjectInfo:
    """One object without its bytes. `etag` is unquoted; `modified` is in seconds since the epoch."""

    bucket: str
    key: str
    size: int
    etag: str
    modified: float
    content_type: str = "binary/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True)
class FileRange:
    """A streaming response: `length` bytes of a plain file from `offset` on.

    `file`, when given, is the same file already open: a stream reads from it (`os.pread`, `os.sendfile`) and
    closes it, so that an object replaced or deleted during the download still arrives whole.
    """

    path: Path
    offset: int
    length: int
    file: BinaryIO | None = field(default=None, compare=False)


class Objects(Protocol):
    """The part of the object store that engine, jobs and endpoints use (S3's own operations use all of it)."""

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket exists."""
        ...

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """The current version of an object, or None."""
        ...

    def path(self, bucket: str, key: str) -> Path | None:
        """The plain file that holds the object's bytes; to be read, never written."""
        ...

    def read(self, bucket: str, key: str, largest: int = ...) -> bytes | None:
        """All bytes of a small object, or None. ServiceError for one of more than `largest` bytes."""
        ...

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = ...) -> ObjectInfo:
        """Writes an object atomically. The bucket must exist (`NoSuchBucket` otherwise)."""
        ...

    def put_file(self, bucket: str, key: str, file: Path, *, move: bool = False, content_type: str = ...) -> ObjectInfo:
        """Writes an object from a file; with `move` the file itself becomes the object where possible."""
        ...

    def put_from(
        self, bucket: str, key: str, folder: Folder, name: str, *, move: bool = False, content_type: str = ...
    ) -> ObjectInfo:
        """Like `put_file`, from a regular file below a folder that others write; OSError for anything else."""
        ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with the prefix, in S3's order (UTF-8 bytes of the key)."""
        ...
