"""Multipart uploads: parts are files until they are joined into one object."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, BinaryIO, Protocol

from local_sagemaker import clock
from local_sagemaker.files.removal import discard
from local_sagemaker.objects.errors import NoSuchUpload, disk_errors
from local_sagemaker.objects.index import Index
from local_sagemaker.objects.layout import INTERNAL, StoreLayout
from local_sagemaker.objects.part_placement import OWN_FILE, Assembly, in_place, length_of
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject
from local_sagemaker.objects.temporary_files import (
    TemporaryFile,
    append,
    concatenate,
    md5_of,
    receive,
    receive_at,
    stamp,
)

REMEMBERED = 10_000
"""How many completed uploads are remembered, so that they can be completed again."""


class Commit(Protocol):
    """`DiskObjects.commit`."""

    def __call__(
        self,
        bucket: str,
        key: str,
        written: TemporaryFile,
        attributes: ObjectAttributes,
        *,
        etag: str | None,
        condition: Callable[[StoredObject | None], None],
        also: Callable[[], None],
        reason: str,
    ) -> StoredObject:
        """Makes a temporary file the current object."""
        ...


@dataclass(frozen=True)
class MultipartUpload:
    """An unfinished upload. `initiated` is in seconds since the epoch; `options` are the request's, by member name."""

    bucket: str
    key: str
    id: str
    initiated: float
    attributes: ObjectAttributes
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """A part. `etag` is its hex MD5, `modified` in seconds since the epoch; `offset`: see `part_placement.py`."""

    number: int
    size: int
    mtime_ns: int
    etag: str
    place: str
    offset: int
    checksums: Mapping[str, str]

    @property
    def modified(self) -> float:
        """When the part was written."""
        return self.mtime_ns // 1_000_000 / 1000


class Uploads:
    """The uploads of one store."""

    def __init__(self, *, index: Index, layout: StoreLayout, commit: Commit) -> None:
        self._index = index
        self._layout = layout
        self._commit = commit
        self._assembly = Assembly()

    def create(
        self, bucket: str, key: str, attributes: ObjectAttributes, options: Mapping[str, Any]
    ) -> MultipartUpload:
        """Begins an upload."""
        upload = MultipartUpload(bucket, key, secrets.token_urlsafe(48), clock.now(), attributes, options)
        body = json.dumps({"attributes": attributes.dump(), "options": dict(options)})
        (self._layout.uploads / upload.id).mkdir()
        with self._index.transaction():
            self._index.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?)", bucket, key, upload.id, upload.initiated, body
            )
        return upload

    def get(self, bucket: str, key: str, upload: str) -> MultipartUpload:
        """The upload, or `NoSuchUpload`."""
        sql = "SELECT bucket, key, id, initiated, body FROM uploads WHERE bucket = ? AND key = ? AND id = ?"
        for row in self._index.rows(sql, bucket, key, upload):
            return _upload(row)
        raise NoSuchUpload(UploadId=upload)

    def parts(self, upload: MultipartUpload) -> list[Part]:
        """The parts by number."""
        sql = "SELECT number, size, mtime_ns, etag, place, offset, checksums FROM parts WHERE upload = ? ORDER BY 1"
        return [
            Part(number, size, mtime_ns, etag, place, offset, json.loads(checksums))
            for number, size, mtime_ns, etag, place, offset, checksums in self._index.rows(sql, upload.id)
        ]

    def put(
        self,
        upload: MultipartUpload,
        number: int,
        data: bytes | IO[bytes],
        checksums: Callable[[TemporaryFile], Mapping[str, str]],
    ) -> Part:
        """Writes a part, over one of the same number. `checksums` is called once the bytes have been read."""
        length = length_of(data)
        with self._assembly.slot(upload.id, number, length, lambda: self.parts(upload)) as offset:
            if offset == OWN_FILE or length is None:
                with receive(self._layout, data) as written:
                    return self._keep(upload, number, written, checksums(written))
            try:
                written = receive_at(self._layout, self._layout.path(_whole(upload)), offset, length, data)
            except FileNotFoundError as error:
                raise NoSuchUpload(UploadId=upload.id) from error
            return self._keep(upload, number, written, checksums(written), offset)

    def copy(
        self,
        upload: MultipartUpload,
        number: int,
        source: BinaryIO,
        extent: tuple[int, int],
        checksums: Callable[[TemporaryFile], Mapping[str, str]],
    ) -> Part:
        """Writes a part from a range (offset, length) of an open file."""
        path = self._layout.scratch()
        try:
            with disk_errors(self._layout.folder), open(path, "wb", buffering=0) as target:
                append(target.fileno(), source.fileno(), *extent)
            md5, size = md5_of(path)
            written = TemporaryFile(path, size, md5, stamp(path).st_mtime_ns)
            return self._keep(upload, number, written, checksums(written))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _keep(
        self,
        upload: MultipartUpload,
        number: int,
        written: TemporaryFile,
        checksums: Mapping[str, str],
        offset: int = OWN_FILE,
    ) -> Part:
        place = _whole(upload) if offset != OWN_FILE else _own_file(upload, number)
        part = Part(number, written.size, written.mtime_ns, written.md5, place, offset, dict(checksums))
        with disk_errors(self._layout.folder), self._index.transaction():
            self.get(upload.bucket, upload.key, upload.id)
            sql = "SELECT place FROM parts WHERE upload = ? AND number = ? AND offset = ?"
            before = self._index.rows(sql, upload.id, number, OWN_FILE)
            self._index.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                upload.id, number, part.size, part.mtime_ns, part.etag, place, offset, json.dumps(part.checksums),
            )  # fmt: skip
            if offset == OWN_FILE:
                os.replace(written.path, self._layout.path(place))
        for (old,) in before:
            with suppress(FileNotFoundError):
                os.unlink(self._layout.path(old))
        return part

    def complete(
        self,
        upload: MultipartUpload,
        chosen: Sequence[Part],
        attributes: ObjectAttributes,
        condition: Callable[[StoredObject | None], None],
    ) -> StoredObject:
        """Joins the chosen parts into the object and ends the upload, as one change."""
        quiet = self._assembly.seal(upload.id)
        path = self._layout.scratch()
        try:
            path = self._join(upload, chosen, quiet)
            facts = stamp(path)
            item = self._commit(
                upload.bucket, upload.key, TemporaryFile(path, facts.st_size, "", facts.st_mtime_ns), attributes,
                etag=etag_of([part.etag for part in chosen]), condition=condition, also=lambda: self._complete(upload),
                reason="CompleteMultipartUpload",
            )  # fmt: skip
        except BaseException as error:
            self._assembly.unseal(upload.id)
            if isinstance(error, FileNotFoundError):
                raise NoSuchUpload(UploadId=upload.id) from error
            raise
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)
        self._clean(upload)
        return item

    def _join(self, upload: MultipartUpload, chosen: Sequence[Part], quiet: bool) -> str:
        """A temporary name of the parts' bytes: a second name of ``whole`` if it holds just them, else a copy."""
        whole = self._layout.path(_whole(upload))
        if quiet and in_place(chosen) and os.path.getsize(whole) == sum(part.size for part in chosen):
            path = self._layout.scratch()
            os.link(whole, path)
            return path
        return concatenate(
            self._layout,
            [(self._layout.path(part.place), max(part.offset, 0), part.size) for part in chosen],
        )

    def abort(self, upload: MultipartUpload) -> None:
        """Ends the upload and deletes its parts."""
        with self._index.transaction():
            self._end(upload)
        self._clean(upload)

    def _clean(self, upload: MultipartUpload) -> None:
        """The folder first: without it nobody can write to ``whole``, which is the object now."""
        discard(self._layout.uploads / upload.id)
        self._assembly.forget(upload.id)

    def list(self, bucket: str, prefix: str = "") -> list[MultipartUpload]:
        """The uploads of a bucket by key, then by when they began."""
        sql = "SELECT bucket, key, id, initiated, body FROM uploads WHERE bucket = ? ORDER BY key, initiated, id"
        return [_upload(row) for row in self._index.rows(sql, bucket) if row[1].startswith(prefix)]

    def _complete(self, upload: MultipartUpload) -> None:
        """Ends an upload, and remembers that it became an object: a client may not have received that."""
        self._end(upload)
        self._index.execute(
            "INSERT INTO completed (id, bucket, key) VALUES (?, ?, ?)", upload.id, upload.bucket, upload.key
        )
        self._index.execute("DELETE FROM completed WHERE number <= last_insert_rowid() - ?", REMEMBERED)

    def was_completed(self, bucket: str, key: str, upload: str) -> bool:
        """Whether an upload with this id became an object, as far as that is remembered."""
        sql = "SELECT 1 FROM completed WHERE id = ? AND bucket = ? AND key = ?"
        return bool(self._index.rows(sql, upload, bucket, key))

    def _end(self, upload: MultipartUpload) -> None:
        if not self._index.execute("DELETE FROM uploads WHERE id = ?", upload.id):
            raise NoSuchUpload(UploadId=upload.id)
        self._index.execute("DELETE FROM parts WHERE upload = ?", upload.id)


def etag_of(parts: Sequence[str]) -> str:
    """The ETag of an object from those of its parts: the MD5 of their MD5s, and their number. "" if one is none."""
    try:
        joined = b"".join(bytes.fromhex(part) for part in parts)
    except ValueError:
        return ""
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _whole(upload: MultipartUpload) -> str:
    return f"{INTERNAL}/uploads/{upload.id}/whole"


def _own_file(upload: MultipartUpload, number: int) -> str:
    return f"{INTERNAL}/uploads/{upload.id}/{number}-{secrets.token_hex(4)}"


def _upload(row: tuple[Any, ...]) -> MultipartUpload:
    bucket, key, upload, initiated, text = row
    body = json.loads(text)
    return MultipartUpload(bucket, key, upload, initiated, ObjectAttributes.load(body["attributes"]), body["options"])
