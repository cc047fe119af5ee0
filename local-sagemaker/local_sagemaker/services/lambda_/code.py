"""The code of functions: zip archives kept by their hash, unpacked once for all sandboxes that run them."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.api.operations import Call, Request
from local_sagemaker.errors import ServiceError
from local_sagemaker.files.archives import ArchiveError, unpack_zip
from local_sagemaker.files.removal import discard
from local_sagemaker.services.lambda_.errors import EventTooLarge, InvalidValue
from local_sagemaker.services.object_reader import read_object

LARGEST_UPLOAD = 70_167_211
"""Bytes of a request with a ZipFile, 50 MB of archive as base64."""
LARGEST_UNPACKED = 262_144_000
_FRESH = 600.0
_SECONDS = 120.0
"""For the unpacking of an archive."""


@dataclass(frozen=True)
class Archive:
    """A stored archive: the name it is kept by, and its size and hash as configurations show them."""

    name: str
    size: int
    sha256: str


class CodeArchives:
    """Archives in a folder."""

    def __init__(self, *, folder: Path, call: Call) -> None:
        self._archives, self._unpacked = folder / "code", folder / "unpacked"
        self._call = call
        self._lock = threading.Lock()

    def take(self, source: Request) -> Archive:
        """Stores what ZipFile, or S3Bucket and S3Key, of a request name."""
        if source.get("ImageUri"):
            raise InvalidValue("Functions from container images are not supported by the local service; upload a zip.")
        data = source["ZipFile"] if source.get("ZipFile") else self._from_s3(source)
        if source.get("ZipFile") and len(data) * 4 / 3 > LARGEST_UPLOAD:
            raise EventTooLarge(f"Request must be smaller than {LARGEST_UPLOAD} bytes for the CreateFunction operation")
        if len(data) > LARGEST_UNPACKED:
            raise _too_large()
        digest = hashlib.sha256(data)
        archive = Archive(digest.hexdigest(), len(data), base64.b64encode(digest.digest()).decode())
        file = self.file(archive.name)
        if file.exists():
            file.touch()  # it may exist without a function: see `keep_only`
        else:
            self._archives.mkdir(parents=True, exist_ok=True)
            fresh = self._archives / f".{uuid.uuid4().hex}"
            fresh.write_bytes(data)
            fresh.replace(file)
        try:
            self.folder(archive.name)
        except InvalidValue:
            file.unlink(missing_ok=True)
            raise
        return archive

    def file(self, name: str) -> Path:
        """The archive itself."""
        return self._archives / f"{name}.zip"

    def folder(self, name: str) -> Path:
        """The folder with an archive's files, unpacked on first use."""
        folder = self._unpacked / name
        if not folder.is_dir():
            fresh = self._unpacked / f".{uuid.uuid4().hex}"
            _unpack(self.file(name), fresh)
            try:
                fresh.rename(folder)
            except OSError:
                discard(fresh)
                if not folder.is_dir():  # else another thread was quicker
                    raise
        return folder

    def keep_only(self, names: set[str]) -> None:
        """Removes the archives that no function needs, but for fresh ones, whose functions may be being made."""
        limit = time.time() - _FRESH
        with self._lock:
            for file in self._archives.glob("*.zip"):
                if file.stem not in names and file.stat().st_mtime < limit:
                    file.unlink()
                    discard(self._unpacked / file.stem)

    def clear(self) -> None:
        """Removes everything."""
        with self._lock:
            for folder in (self._archives, self._unpacked):
                discard(folder)

    def _from_s3(self, source: Request) -> bytes:
        if not source.get("S3Bucket") or not source.get("S3Key"):
            raise InvalidValue("Please provide a source for function code.")
        try:
            data = read_object(
                self._call, source["S3Bucket"], source["S3Key"], source.get("S3ObjectVersion"), LARGEST_UNPACKED
            )
        except ServiceError as error:
            raise InvalidValue(
                f"Error occurred while GetObject. S3 Error Code: {error.code}. S3 Error Message: {error.message}"
            ) from error
        if data is None:
            raise _too_large()
        return data


def _unpack(file: Path, folder: Path) -> None:
    """Raises for an archive of which anything can't be unpacked; then nothing of it is left."""
    try:
        folder.mkdir(parents=True)
        members = unpack_zip(file, folder, LARGEST_UNPACKED, seconds=_SECONDS)
        if not members:
            raise InvalidValue("Uploaded file must be a non-empty zip")
    except ArchiveError as error:
        discard(folder)
        if error.too_large:
            raise _too_large() from error
        raise InvalidValue(
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        ) from error
    except BaseException:
        discard(folder)
        raise


def _too_large() -> InvalidValue:
    return InvalidValue(f"Unzipped size must be smaller than {LARGEST_UNPACKED} bytes")
