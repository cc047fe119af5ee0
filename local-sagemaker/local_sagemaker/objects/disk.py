"""The object store: S3's objects as plain files, with an index beside them.

The file is the truth: where its size or time differ from the index (edited by hand, or a crash between rename and
commit), what depends on the bytes is computed anew. Every write is a temporary file first and a rename at last, so
an object is either whole or not there. Layout and index: `layout.py`, `index.py`.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, BinaryIO

from local_sagemaker.files.removal import discard
from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.objects import listing, recovery
from local_sagemaker.objects.buckets import Buckets
from local_sagemaker.objects.errors import ObjectTooLarge, disk_errors
from local_sagemaker.objects.event_notifications import ObjectChanges
from local_sagemaker.objects.index import Index
from local_sagemaker.objects.layout import INTERNAL, StoreLayout, check_key
from local_sagemaker.objects.stored_object import DEFAULT_TYPE, PLAIN, ObjectAttributes, StoredObject, with_content
from local_sagemaker.objects.temporary_files import TemporaryFile, append, md5_of, receive, stamp, take
from local_sagemaker.objects.types import ObjectInfo
from local_sagemaker.objects.uploads import Uploads
from local_sagemaker.objects.versions import ObjectVersions

LARGEST_DOCUMENT = 16 << 20
"""Bytes of an object that is read whole: reports, configurations, property files."""
Condition = Callable[[StoredObject | None], None]
"""Called with the current object (None: there is none) just before it would be replaced or deleted; may raise."""


def _always(_: StoredObject | None) -> None:
    """No condition."""


class DiskObjects:
    """All buckets below one folder. Thread-safe; one process at a time writes (the service sees to that)."""

    def __init__(self, folder: Path) -> None:
        self._layout = StoreLayout(folder)
        self._lock_file = recovery.clean(self._layout)
        try:
            self.index = Index(self._layout.index_file)
        except BaseException:
            if self._lock_file is not None:
                self._lock_file.close()
            raise
        self.buckets = Buckets(index=self.index, layout=self._layout)
        self.changes = ObjectChanges(self.buckets)
        self._versions = ObjectVersions(index=self.index, layout=self._layout)
        self.uploads = Uploads(index=self.index, layout=self._layout, commit=self.commit)
        if self._lock_file is not None:
            recovery.drop_orphans(self._layout, self.index)
        if self.index.is_new:
            recovery.adopt_all(self._layout, self.buckets, self.index)

    def close(self) -> None:
        """Closes the index, once what was overwritten no longer exists."""
        self._layout.sweeper.close()
        self.index.close()
        if self._lock_file is not None:
            self._lock_file.close()

    def clear(self) -> None:
        """Removes every bucket and object at once; the files themselves go in the background."""
        scratch = Path(self._layout.scratch())
        with self.index.transaction():
            self.index.clear()
            self.buckets.forget_settings()
            scratch.mkdir()
            for entry in [*self._layout.folder.iterdir(), *self._layout.internal_data()]:
                if entry.name != INTERNAL:
                    entry.rename(scratch / entry.name)
            self._layout.make()
        threading.Thread(target=discard, args=(scratch,), daemon=True).start()

    # Reading

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket exists."""
        return self.buckets.find(bucket) is not None

    def find(self, bucket: str, key: str, version: str | None = None) -> StoredObject | None:
        """A version (the current one if none is given), in accordance with its file; a delete marker is one too."""
        if version is None:
            item = self.index.current(bucket, key)
            if item is None:
                return recovery.adopt(self._layout, self.index, bucket, key)
        else:
            item = self._versions.find(bucket, key, version)
        return item if item is None or item.marker else self._verify(item)

    def find_delete_marker(self, bucket: str, key: str) -> StoredObject | None:
        """The delete marker that hides the key, if one does."""
        newest = self.index.versions(bucket, key)[:1]
        return newest[0] if newest and newest[0].latest and newest[0].marker else None

    def open(self, bucket: str, key: str, version: str | None = None) -> tuple[StoredObject, BinaryIO] | None:
        """An object and its open file: the bytes are those that the object describes, whatever happens then."""
        while True:
            item = self.find(bucket, key, version)
            if item is None or item.marker:
                return None
            with suppress(FileNotFoundError):
                file = open(self._layout.path(item.place), "rb", buffering=0)  # noqa: SIM115
                if _same(item, os.fstat(file.fileno())):
                    return item, file  # type: ignore[return-value]
                file.close()  # replaced since it was looked up

    def file(self, item: StoredObject) -> Path:
        """The plain file of a version."""
        return Path(self._layout.path(item.place))

    def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """The current version of an object, or None."""
        return self.find(bucket, key)

    def path(self, bucket: str, key: str) -> Path | None:
        """The plain file that holds the object's bytes; to be read, never written."""
        item = self.find(bucket, key)
        return self.file(item) if item else None

    def read(self, bucket: str, key: str, largest: int = LARGEST_DOCUMENT) -> bytes | None:
        """All bytes of a small object, or None. `ObjectTooLarge` for one of more than `largest` bytes."""
        opened = self.open(bucket, key)
        if opened is None:
            return None
        with opened[1] as file:
            pieces, size = [], 0
            while piece := file.read(1 << 20):
                pieces.append(piece)
                size += len(piece)
                if size > largest:
                    raise ObjectTooLarge(bucket, key, largest)
            return b"".join(pieces)

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose key starts with the prefix, in S3's order. Raises `NoSuchBucket`."""
        self.buckets.get(bucket)
        start = ""
        while True:
            page = self.page(bucket, prefix=prefix, start=start, limit=1000)
            yield from page.items
            if page.next is None:
                return
            start = page.next

    def page(
        self, bucket: str, *, prefix: str = "", delimiter: str = "", start: str = "", limit: int = 1000
    ) -> listing.ListingPage:
        """One page of a listing from key `start` on (inclusive), with the common prefixes that a delimiter makes."""
        page = listing.page(self.index, bucket, prefix, delimiter, start, limit)
        checked = [self._verify(item) for item in page.items]
        return replace(page, items=[item for item in checked if item is not None])

    def version_page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        start: listing.Start = ("", None),
        limit: int = 1000,
    ) -> listing.ListingPage:
        """Like `page`, of all versions and delete markers, newest first within a key."""
        page = listing.version_page(self.index, bucket, prefix, delimiter, start, limit)
        checked = [item if item.marker else self._verify(item) for item in page.items]
        return replace(page, items=[item for item in checked if item is not None])

    def take_in_files(self) -> dict[str, int]:
        """Makes objects of the files that were put into the buckets' folders by hand, and buckets of new folders;
        returns how many of each bucket. An object that had been put there is found without this."""
        return recovery.take_in_files(self._layout, self.buckets, self.index)

    def _verify(self, item: StoredObject) -> StoredObject | None:
        """The object as its file is now: the file is the truth, the index only remembers."""
        path = self._layout.path(item.place)
        try:
            facts = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            facts = None
        if facts is not None and _same(item, facts):
            return item
        with self.index.transaction():
            now = self._versions.find(item.bucket, item.key, item.version_id)
            if now is None or now.sequence != item.sequence or now.place != item.place:
                return now  # replaced or moved since it was looked up
            if facts is None or not stat.S_ISREG(facts.st_mode):
                self._versions.drop_lost(item)
                return None
        md5, size = md5_of(path)
        fresh = with_content(item, size, md5, facts.st_mtime_ns)
        with self.index.transaction():
            self._versions.replace(item, fresh)
        return fresh

    # Writing

    def put(self, bucket: str, key: str, data: bytes | IO[bytes], content_type: str = DEFAULT_TYPE) -> StoredObject:
        """Writes an object atomically. Raises `NoSuchBucket` and `StorageFull`."""
        return self.write(bucket, key, data, ObjectAttributes(content_type))

    def put_file(
        self, bucket: str, key: str, file: Path, *, move: bool = False, content_type: str = DEFAULT_TYPE
    ) -> StoredObject:
        """Writes an object from a file; with `move` the file itself becomes the object where possible."""
        with Folder(file.parent) as folder:
            return self.put_from(bucket, key, folder, file.name, move=move, content_type=content_type)

    def put_from(
        self,
        bucket: str,
        key: str,
        folder: Folder,
        name: str,
        *,
        move: bool = False,
        content_type: str = DEFAULT_TYPE,
    ) -> StoredObject:
        """Like `put_file`, from a file below a folder that others write: neither links nor anything but a regular file
        (OSError), and with no other name for it left."""
        self._check(bucket, key)
        with take(self._layout, folder, name, move) as written:
            return self.commit(bucket, key, written, ObjectAttributes(content_type))

    def write(
        self,
        bucket: str,
        key: str,
        data: bytes | IO[bytes],
        attributes: ObjectAttributes | Callable[[TemporaryFile], ObjectAttributes] = PLAIN,
        condition: Condition = _always,
    ) -> StoredObject:
        """Writes an object with its attributes, which may be given after the bytes have been read (checksums)."""
        self._check(bucket, key)
        if condition is not _always:
            condition(self.find(bucket, key))  # so that a write which can't succeed costs nothing
        with receive(self._layout, data) as written:
            known = attributes if isinstance(attributes, ObjectAttributes) else attributes(written)
            return self.commit(bucket, key, written, known, condition=condition)

    def copy(
        self,
        source: tuple[StoredObject, BinaryIO],
        bucket: str,
        key: str,
        attributes: Callable[[TemporaryFile], ObjectAttributes],
        condition: Condition = _always,
    ) -> StoredObject:
        """A copy of what `open` returned: the bytes do not leave the kernel. The ETag is that of a single part."""
        self._check(bucket, key)
        item, file = source
        path = self._layout.scratch()
        try:
            with disk_errors(self._layout.folder), open(path, "wb", buffering=0) as target:
                append(target.fileno(), file.fileno(), 0, item.size)
            facts = stamp(path)
            md5 = md5_of(path)[0] if "-" in item.etag else item.etag
            written = TemporaryFile(path, facts.st_size, md5, facts.st_mtime_ns)
            return self.commit(bucket, key, written, attributes(written), condition=condition, reason="CopyObject")
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def commit(
        self,
        bucket: str,
        key: str,
        written: TemporaryFile,
        attributes: ObjectAttributes,
        *,
        etag: str | None = None,
        condition: Condition = _always,
        also: Callable[[], None] = lambda: None,
        reason: str = "PutObject",
    ) -> StoredObject:
        """Makes a temporary file the current object; `also` is done in the same transaction. `reason` is for events."""
        layout, versions = self._layout, self._versions
        with self.index.lock(), disk_errors(layout.folder):
            if condition is not _always:
                condition(self.find(bucket, key))
            state = self.buckets.get(bucket).versioning
            versioned = state == "Enabled"
            displaced = versions.displace(bucket, key, state)
            item = StoredObject(
                bucket, key, 0, "", 0.0, attributes=attributes, version=versions.new_id() if versioned else "null"
            )
            item = with_content(item, written.size, etag or written.md5, written.mtime_ns, keep=True)
            with layout.install(written.path, bucket, key) as place, self.index.transaction():
                also()
                versions.retire(displaced)
                item = replace(item, place=place, sequence=self.index.next_sequence())
                self.index.save(item)
            versions.drop([old for old in displaced.places if old != place])
        self.changes.publish(item, reason)
        return item

    def tag(self, item: StoredObject, tags: dict[str, str]) -> None:
        """Replaces the tags of a version."""
        with self.index.transaction():
            self._versions.replace(item, replace(item, attributes=item.attributes.with_tags(tags)))

    def delete(
        self, bucket: str, key: str, version: str | None = None, condition: Condition = _always
    ) -> StoredObject | None:
        """Deletes as S3 does: for good, or by a delete marker in a versioned bucket. Returns what was removed or, for
        a marker, made; None if there was nothing to remove."""
        state = self.buckets.get(bucket).versioning
        with self.index.lock():
            condition(self.find(bucket, key, version))
            item = self._versions.delete(bucket, key, version, state)
            number = self.index.next_sequence()
        if item is not None:
            marked = item.marker and version is None
            change = "Delete Marker Created" if marked else "Permanently Deleted"
            self.changes.publish(item if marked else replace(item, sequence=number), "DeleteObject", change)
        return item

    def _check(self, bucket: str, key: str) -> None:
        check_key(key)
        self.buckets.get(bucket)


def _same(item: StoredObject, facts: os.stat_result) -> bool:
    return facts.st_size == item.size and facts.st_mtime_ns == item.mtime_ns and stat.S_ISREG(facts.st_mode)
