"""Where the bytes of an object are.

An object is the plain file ``<folder>/<bucket>/<key>`` wherever a file system can hold it under that name. All else
is inside ``<folder>/.index``, which no bucket can be called:

- ``escaped/<bucket>/...``: keys with empty, ``.`` or ``..`` segments (so also a trailing slash), segments over 255
  bytes or control characters, and an object whose name is a folder of others (``a`` beside ``a/b``). The name is the
  percent-encoded key, cut into pieces of 200 characters; each piece but the last is a folder that ends in ``+``.
- ``versions/<bucket>/<version>``: versions that are not current.
- ``uploads/<upload>/<part>``: parts of multipart uploads.
- ``temporary/``: files being written, and empty ones for the next writes; emptied at start.
"""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

from local_sagemaker.objects.deferred_deletion import Sweeper
from local_sagemaker.objects.errors import InvalidURI, KeyTooLong
from local_sagemaker.objects.rename_exchange import exchange

INTERNAL = ".index"
_PIECE = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"(?!xn--|sthree-|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9]|[.-](?![.]))+[a-z0-9]")


def valid_bucket_name(name: str) -> bool:
    """S3's rules for general purpose buckets (user guide, "General purpose bucket naming rules")."""
    return 3 <= len(name) <= 63 and _BUCKET.fullmatch(name) is not None and not name.endswith(("-s3alias", "--ol-s3"))


def check_key(key: str) -> None:
    """Raises for a key that S3 itself would refuse: empty, over 1024 bytes, or not UTF-8."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidURI() from error
    if not key:
        raise InvalidURI()
    if size > 1024:
        raise KeyTooLong(Size=str(size), MaxSizeAllowed="1024")


def escape(key: str) -> str:
    """The relative path of a key that can't be a plain path; `unescape` reads it back."""
    name = quote(key, safe="").replace(".", "%2E")
    pieces = [name[start : start + _PIECE] for start in range(0, len(name), _PIECE)]
    return "+/".join(pieces)


def unescape(path: str) -> str:
    """The key of an escaped relative path."""
    return unquote(path.replace("+/", ""))


class StoreLayout:
    """The folders of one store. Places are paths relative to the store's folder, as text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = str(folder)
        internal = folder / INTERNAL
        self.index_file = internal / "index.sqlite"
        self.lock_file = internal / "lock"
        self.temporary = internal / "temporary"
        self.uploads = internal / "uploads"
        self.escaped = internal / "escaped"
        self.versions = internal / "versions"
        self.make()
        self.sweeper = Sweeper()
        self._names = itertools.count()
        self._token = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._folds_names = (internal / "UPLOADS").exists()

    def make(self) -> None:
        """Makes the folders that do not exist."""
        for part in (self.temporary, *self.internal_data()):
            part.mkdir(parents=True, exist_ok=True)

    def internal_data(self) -> tuple[Path, ...]:
        """The internal folders that hold bytes of objects."""
        return self.uploads, self.escaped, self.versions

    def path(self, place: str) -> str:
        """The absolute path of a place."""
        return f"{self.root}/{place}"

    def scratch(self) -> str:
        """A new name for a temporary file, in the same file system as every object."""
        return f"{self.root}/{INTERNAL}/temporary/{self._token}-{next(self._names)}"

    def plain(self, bucket: str, key: str) -> str | None:
        """The plain place of a key, or None where a file system can't hold that name.

        Where the file system takes ``A`` and ``a`` for one (macOS), only lower-case ASCII keys are plain.
        """
        if _CONTROL.search(key) or (self._folds_names and (key != key.lower() or not key.isascii())):
            return None
        for segment in key.split("/"):
            if segment in ("", ".", "..") or (len(segment) > 63 and len(segment.encode()) > 255):
                return None
        return f"{bucket}/{key}"

    def escape(self, bucket: str, key: str) -> str:
        """The place of a key that can't be plain."""
        return f"{INTERNAL}/escaped/{bucket}/{escape(key)}"

    def version(self, bucket: str, version: str, sequence: int) -> str:
        """The place of a version that is not current. ``null`` is not unique, hence the sequence."""
        return f"{INTERNAL}/versions/{bucket}/{sequence}-{version}"

    @contextmanager
    def install(self, temporary: str, bucket: str, key: str) -> Iterator[str]:
        """Renames a temporary file to the key's place, over what exists; undoes it when what follows fails."""
        place, before = self._install(temporary, bucket, key)
        try:
            yield place
        except BaseException:
            if before is None:
                before = self.discard(place)
            else:
                self._move(before, place)
            raise
        finally:
            if before is not None:
                self.sweeper.take(before)

    def _install(self, temporary: str, bucket: str, key: str) -> tuple[str, str | None]:
        """(The place, a second name of what existed before)."""
        plain = self.plain(bucket, key)
        if plain is not None:
            try:
                return plain, self._put(temporary, plain)
            except (IsADirectoryError, NotADirectoryError, FileExistsError):
                pass  # the name is a folder of other objects, or one of its folders is itself an object
        escaped = self.escape(bucket, key)
        return escaped, self._put(temporary, escaped)

    def _put(self, temporary: str, place: str) -> str | None:
        """Renames a file over what exists; returns a name of what existed."""
        if exchange(temporary, self.path(place)):
            old = self.scratch()
            os.rename(temporary, old)
            return old
        before = self._second_name(place)
        self._move(temporary, place)
        return before

    def _second_name(self, place: str) -> str | None:
        scratch = self.scratch()
        try:
            os.link(self.path(place), scratch)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        return scratch

    def _move(self, temporary: str, place: str) -> str:
        path = self.path(place)
        try:
            os.replace(temporary, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.replace(temporary, path)
        return place

    def link(self, source: str, target: str) -> None:
        """Gives the file of one place a second name, replacing what has it."""
        scratch = self.scratch()
        os.link(self.path(source), scratch)
        self._move(scratch, target)
        with suppress(FileNotFoundError):
            os.unlink(scratch)  # still there when both names were the same file already

    def discard(self, place: str) -> str | None:
        """Takes a file out of its place, quickly; the returned temporary file is to be deleted afterwards."""
        scratch = self.scratch()
        try:
            os.replace(self.path(place), scratch)
        except (FileNotFoundError, NotADirectoryError):
            return None
        self._prune(place)
        return scratch

    def _prune(self, place: str) -> None:
        """Removes the folders that became empty, up to the bucket's own."""
        keep = 3 if place.startswith(INTERNAL) else 1
        parts = place.split("/")
        for end in range(len(parts) - 1, keep, -1):
            try:
                os.rmdir(self.path("/".join(parts[:end])))
            except OSError:
                return
