"""Pages of a listing, straight from the index.

A page is a range scan over the key, and a common prefix is passed over by seeking to the first key behind it: the
cost is that of what the page shows, not of what the prefixes hide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from local_sagemaker.objects.index import Index
from local_sagemaker.objects.stored_object import COLUMNS, StoredObject, from_row

Start = tuple[str, str | None]
"""Where a page of versions starts: a key (inclusive) or, with a version id, behind that version of the key."""


@dataclass(frozen=True)
class ListingPage:
    """`next` is the key to start the next page from (inclusive); None on the last page.

    `last` is the last key or common prefix shown; `next_version` the version behind which a page of versions continues.
    """

    items: list[StoredObject] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    next: str | None = None
    last: str = ""
    next_version: str | None = None


def successor(prefix: str) -> str | None:
    """The least key above all that start with the prefix; None when there is none."""
    while prefix:
        point = ord(prefix[-1]) + 1
        if point == 0xD800:
            point = 0xE000  # surrogates are no characters
        if point <= 0x10FFFF:
            return prefix[:-1] + chr(point)
        prefix = prefix[:-1]
    return None


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    """What stands for the key in a listing with a delimiter, or None when the key stands for itself."""
    if not delimiter:
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


def page(index: Index, bucket: str, prefix: str, delimiter: str, start: str, limit: int) -> ListingPage:
    """The current objects from `start` on, at most `limit` keys and common prefixes together."""
    sql = f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key >= ? ORDER BY key"
    items: list[StoredObject] = []
    prefixes: list[str] = []
    position: str | None = max(start, prefix, key=str.encode)
    last = ""
    with index.lock():
        while position is not None:
            seek, position = position, None
            for row in index.scan(sql, bucket, seek):
                key = row[1]
                if not key.startswith(prefix):
                    break
                if len(items) + len(prefixes) >= limit:
                    return ListingPage(items, prefixes, next=key, last=last)
                group = common_prefix(key, prefix, delimiter)
                if group is None:
                    items.append(from_row(row))
                    last = key
                else:
                    prefixes.append(group)
                    last, position = group, successor(group)
                    break
    return ListingPage(items, prefixes, last=last)


def version_page(index: Index, bucket: str, prefix: str, delimiter: str, start: Start, limit: int) -> ListingPage:
    """All versions and delete markers from `start` on, newest first within a key."""
    items: list[StoredObject] = []
    prefixes: list[str] = []
    last, last_version = "", None
    with index.lock():
        for item, group in _all_versions(index, bucket, prefix, delimiter, start):
            if len(items) + len(prefixes) >= limit:
                return ListingPage(items, prefixes, next=last, last=last, next_version=last_version)
            if group is None:
                items.append(item)
                last, last_version = item.key, item.version_id
            else:
                prefixes.append(group)
                last, last_version = group, None
    return ListingPage(items, prefixes, last=last)


def _all_versions(
    index: Index, bucket: str, prefix: str, delimiter: str, start: Start
) -> Iterator[tuple[StoredObject, str | None]]:
    sql = (
        f"SELECT {COLUMNS}, 1 FROM objects WHERE bucket = ?1 AND key >= ?2 UNION ALL "
        f"SELECT {COLUMNS}, 0 FROM versions WHERE bucket = ?1 AND key >= ?2 ORDER BY key, sequence DESC"
    )
    key, version = start
    position: str | None = max(key, prefix, key=str.encode)
    skipping = version is not None
    seen = None
    while position is not None:
        seek, position = position, None
        for row in index.scan(sql, bucket, seek):
            item = from_row(row[:-1], latest=row[1] != seen)
            seen = item.key
            if not item.key.startswith(prefix):
                return
            if skipping and item.key == key:
                skipping = item.version_id != version
                continue
            group = common_prefix(item.key, prefix, delimiter)
            yield item, group
            if group is not None:
                position = successor(group)
                break
