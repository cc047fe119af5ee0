"""One version of one object, as the index holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local_sagemaker.objects.types import ObjectInfo

DEFAULT_TYPE = "binary/octet-stream"


@dataclass(frozen=True)
class ObjectAttributes:
    """What a client said of an object beside its bytes. Names are those of S3's API members.

    `headers` are kept and given back as they came (CacheControl, StorageClass, ...; Expires in seconds since the
    epoch); `checksums` are base64 by member name (ChecksumCRC32); `parts` are the parts of a multipart upload.
    """

    content_type: str = DEFAULT_TYPE
    headers: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Mapping[str, Any], ...] = ()

    def dump(self) -> str:
        """JSON of what differs from the defaults; empty when nothing does."""
        kept = {name: value for name, value in vars(self).items() if value and value != DEFAULT_TYPE}
        return json.dumps(kept, separators=(",", ":")) if kept else ""

    @classmethod
    def load(cls, text: str) -> ObjectAttributes:
        """The reverse of `dump`."""
        if not text:
            return PLAIN
        members = json.loads(text)
        return cls(**members | {"parts": tuple(members.get("parts", ()))})

    def with_tags(self, tags: Mapping[str, str]) -> ObjectAttributes:
        """The same with other tags."""
        return replace(self, tags=dict(tags))

    def with_checksums(self, checksums: Mapping[str, str]) -> ObjectAttributes:
        """The same with these checksums."""
        return replace(self, checksums=dict(checksums))


PLAIN = ObjectAttributes()


@dataclass(frozen=True)
class StoredObject(ObjectInfo):
    """A version of an object. `sequence` grows with every write; `place` is where its bytes are; a delete `marker`
    has none. `version` is ``null`` where the bucket was not versioned at the time.
    """

    sequence: int = 0
    mtime_ns: int = 0
    place: str = ""
    marker: bool = False
    latest: bool = True
    attributes: ObjectAttributes = PLAIN

    @property
    def version_id(self) -> str:
        """The version id, never None."""
        return self.version or "null"


IndexRow = tuple[Any, ...]
COLUMNS = "bucket, key, sequence, version, size, mtime_ns, etag, place, marker, attributes"


def from_row(row: IndexRow, latest: bool = True) -> StoredObject:
    """A stored object of a row of `COLUMNS`."""
    bucket, key, sequence, version, size, mtime_ns, etag, place, marker, text = row
    attributes = ObjectAttributes.load(text)
    return StoredObject(
        bucket=bucket,
        key=key,
        size=size,
        etag=etag,
        modified=mtime_ns // 1_000_000 / 1000,
        content_type=attributes.content_type,
        metadata=attributes.metadata,
        version=version,
        sequence=sequence,
        mtime_ns=mtime_ns,
        place=place or f"{bucket}/{key}",
        marker=bool(marker),
        latest=latest,
        attributes=attributes,
    )


def to_row(item: StoredObject) -> IndexRow:
    """The row of a stored object; a plain place is implied by bucket and key, and left empty."""
    place = "" if item.place == f"{item.bucket}/{item.key}" else item.place
    return (
        item.bucket,
        item.key,
        item.sequence,
        item.version_id,
        item.size,
        item.mtime_ns,
        item.etag,
        place,
        int(item.marker),
        item.attributes.dump(),
    )


def with_content(item: StoredObject, size: int, etag: str, mtime_ns: int, *, keep: bool = False) -> StoredObject:
    """The object with what depends on its bytes; checksums and parts are kept only if they are of these bytes."""
    attributes = item.attributes if keep else replace(item.attributes, checksums={}, parts=())
    return replace(
        item,
        size=size,
        etag=etag,
        mtime_ns=mtime_ns,
        modified=mtime_ns // 1_000_000 / 1000,
        content_type=attributes.content_type,
        metadata=attributes.metadata,
        attributes=attributes,
    )
