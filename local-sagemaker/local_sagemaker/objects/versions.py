"""Versions of an object: which one is current, what a write or a deletion does to the others.

Invariant: the newest version of a key, unless it is a delete marker, is in the index's `objects`; all others, and
every marker, are in `versions`. A file that must survive gets its second name, and the index knows it, before the
first one is given to other bytes; so a crash at any point leaves each version with its own bytes.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace

from local_sagemaker import ids
from local_sagemaker.objects.index import Index
from local_sagemaker.objects.layout import INTERNAL, StoreLayout
from local_sagemaker.objects.stored_object import StoredObject, with_content
from local_sagemaker.objects.temporary_files import now_ns


@dataclass
class Displaced:
    """What a new version or marker takes the place of.

    `kept` becomes an older version, older ones in `ended` end, and the files at `places` then belong to nobody.
    """

    kept: StoredObject | None = None
    ended: list[StoredObject] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


class ObjectVersions:
    """Changes of versions. Every method is to be called under the index's lock."""

    def __init__(self, *, index: Index, layout: StoreLayout) -> None:
        self._index = index
        self._layout = layout

    def find(self, bucket: str, key: str, version: str) -> StoredObject | None:
        """A version or delete marker by its id, current or not, as the index has it."""
        current = self._index.current(bucket, key)
        if current is not None and current.version_id == version:
            return current
        return next((item for item in self._index.versions(bucket, key) if item.version_id == version), None)

    def replace(self, old: StoredObject, new: StoredObject) -> None:
        """Writes the row of a version anew, unless it has changed or ended since `old` was read."""
        version = self.find(old.bucket, old.key, old.version_id)
        if version is None or version.sequence != old.sequence or version.place != old.place:
            return
        current = self._index.current(old.bucket, old.key)
        if current is not None and current.sequence == old.sequence:
            self._index.save(new)
        else:
            self._index.save_version(new)

    def displace(self, bucket: str, key: str, state: str) -> Displaced:
        """Prepares a write of a new version or, unless the bucket's versioning `state` is Enabled, of ``null``, which
        replaces the ``null`` there is."""
        displaced = Displaced()
        current = self._index.current(bucket, key)
        if current is not None:
            displaced.places.append(current.place)
            if state == "Enabled" or current.version_id != "null":
                displaced.kept = self._set_aside(current)
        if state == "Suspended":
            nulls = [item for item in self._index.versions(bucket, key) if item.version_id == "null"]
            displaced.ended += nulls
            displaced.places += [item.place for item in nulls if not item.marker]
        if displaced.kept is not None:
            displaced.places = [place for place in displaced.places if place != displaced.kept.place]
        return displaced

    def _set_aside(self, item: StoredObject) -> StoredObject:
        """Gives a version its own place beside the plain one, so that the plain one can be written."""
        place = self._layout.version(item.bucket, item.version_id, item.sequence)
        if item.place == place:
            return item
        aside = replace(item, place=place)
        with self._index.transaction():
            self._layout.link(item.place, place)
            self._index.save(aside)
        return aside

    def retire(self, displaced: Displaced) -> None:
        """Inside the transaction of the write: moves the rows; that of the current object is yet to be replaced."""
        for item in displaced.ended:
            self._index.forget_version(item)
        if displaced.kept is not None:
            self._index.forget(displaced.kept)
            self._index.save_version(displaced.kept)

    def drop(self, places: list[str]) -> None:
        """Deletes files that no version owns any more."""
        for place in places:
            scratch = self._layout.discard(place)
            if scratch is not None:
                os.unlink(scratch)

    def new_id(self) -> str:
        """A version id in the form of S3's."""
        return ids.suffix(32)

    def delete(self, bucket: str, key: str, version: str | None, state: str) -> StoredObject | None:
        """See `DiskObjects.delete`; `state` is the bucket's versioning."""
        if version is not None:
            return self._delete_version(bucket, key, version)
        current = self._index.current(bucket, key)
        if not state:
            if current is not None:
                self._remove(current)
            return current
        displaced = self.displace(bucket, key, state)
        with self._index.transaction():
            self.retire(displaced)
            if current is not None and displaced.kept is None:
                self._index.forget(current)
            marker = self._mark(bucket, key, self.new_id() if state == "Enabled" else "null")
        self.drop(displaced.places)
        return marker

    def _mark(self, bucket: str, key: str, version: str) -> StoredObject:
        row = StoredObject(
            bucket, key, 0, "", 0.0, version=version, sequence=self._index.next_sequence(), marker=True, place="-"
        )
        marker = with_content(row, 0, "", now_ns())
        self._index.save_version(marker)
        return marker

    def _delete_version(self, bucket: str, key: str, version: str) -> StoredObject | None:
        item = self.find(bucket, key, version)
        if item is not None:
            self._remove(item)
        return item

    def _remove(self, item: StoredObject) -> None:
        """Removes a version for good. A crash in between leaves it, or removes it, and never shows another's bytes.

        The only version loses its file first, since a row without a file counts as deleted; one that uncovers
        another loses its row first, since then the other would count as hidden.
        """
        with self._index.transaction():
            self._index.forget(item)
            self._index.forget_version(item)
            promoted = self._promote(item.bucket, item.key)
            alone = not (promoted or self._index.versions(item.bucket, item.key))
            scratch = self._layout.discard(item.place) if alone and not item.marker else None
        if scratch is not None:
            os.unlink(scratch)
        if not alone and not item.marker:
            self.drop([item.place])
        if promoted is not None:
            self._settle(promoted)

    def drop_lost(self, item: StoredObject) -> None:
        """The file of a version was removed by hand: the version ends. Where others remain, a marker hides them."""
        current = self._index.current(item.bucket, item.key)
        with self._index.transaction():
            self._index.forget(item)
            self._index.forget_version(item)
            was_current = current is not None and current.sequence == item.sequence
            if was_current and self._index.versions(item.bucket, item.key):
                self._mark(item.bucket, item.key, self.new_id())

    def _promote(self, bucket: str, key: str) -> StoredObject | None:
        """Makes the newest version current again when the one above it no longer exists."""
        newest = self._index.versions(bucket, key)[:1]
        if not newest or newest[0].marker or not newest[0].latest:
            return None
        self._index.forget_version(newest[0])
        self._index.save(newest[0])
        return newest[0]

    def _settle(self, item: StoredObject) -> None:
        """Gives a promoted version its plain name back; it stays where it is when the name is a folder now."""
        plain = self._layout.plain(item.bucket, item.key)
        if plain is None or not item.place.startswith(INTERNAL):
            return
        with suppress(IsADirectoryError, NotADirectoryError, FileExistsError):
            with self._index.transaction():
                self._layout.link(item.place, plain)
                self._index.save(replace(item, place=plain))
            self.drop([item.place])
