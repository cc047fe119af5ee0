"""What happens when a store is opened, and files that the index does not know yet."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from local_sagemaker.errors import ServiceError
from local_sagemaker.files.removal import discard
from local_sagemaker.objects.buckets import Buckets
from local_sagemaker.objects.index import Index
from local_sagemaker.objects.layout import StoreLayout, check_key, unescape, valid_bucket_name
from local_sagemaker.objects.stored_object import StoredObject, with_content
from local_sagemaker.objects.temporary_files import md5_of


def clean(layout: StoreLayout) -> IO[bytes] | None:
    """Empties the temporary folder, if no other process has the store open; the returned file holds that claim."""
    claim = layout.lock_file.open("wb")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        claim.close()
        return None
    discard(layout.temporary)
    layout.make()
    return claim


def drop_orphans(layout: StoreLayout, index: Index) -> None:
    """Removes uploads and versions that a crash left without a row."""
    uploads = {row[0] for row in index.rows("SELECT id FROM uploads")}
    for folder in layout.uploads.iterdir():
        if folder.name not in uploads:
            discard(folder)
    files = [file for bucket in layout.versions.iterdir() for file in bucket.iterdir()]
    if files:
        places = {row[0] for row in index.rows("SELECT place FROM versions UNION ALL SELECT place FROM objects")}
        for file in files:
            if file.relative_to(layout.folder).as_posix() not in places:
                file.unlink()


def adopt(layout: StoreLayout, index: Index, bucket: str, key: str) -> StoredObject | None:
    """A file that was put into a bucket's folder by hand becomes an object when it is first requested."""
    place = layout.plain(bucket, key)
    if place is None or index.bucket(bucket) is None:
        return None
    try:
        is_file = stat.S_ISREG(os.stat(layout.path(place)).st_mode)
    except OSError:
        return None
    if not is_file or index.versions(bucket, key):
        return None
    return _take_in(layout, index, bucket, key, place)


def _take_in(layout: StoreLayout, index: Index, bucket: str, key: str, place: str) -> StoredObject | None:
    path = layout.path(place)
    try:
        mtime_ns = os.stat(path).st_mtime_ns
        md5, size = md5_of(path)
    except FileNotFoundError:
        return None
    with index.transaction():
        known = index.current(bucket, key)
        if known is not None:
            return known
        row = StoredObject(bucket, key, 0, "", 0.0, version="null", sequence=index.next_sequence(), place=place)
        item = with_content(row, size, md5, mtime_ns)
        index.save(item)
    return item


def adopt_all(layout: StoreLayout, buckets: Buckets, index: Index) -> None:
    """Indexes the files of a store whose index was lost: folders are buckets, files are objects."""
    take_in_files(layout, buckets, index)
    for bucket in buckets.list():
        escaped = layout.escaped / bucket.name
        for file in _files(escaped):
            key = unescape(file.relative_to(escaped).as_posix())
            _take_in(layout, index, bucket.name, key, layout.escape(bucket.name, key))


def take_in_files(layout: StoreLayout, buckets: Buckets, index: Index) -> dict[str, int]:
    """Indexes the files that are in the folders of buckets and no objects yet; returns how many of each bucket.

    A folder with a bucket's name becomes one. Links are left alone, and so are names that no key can have.
    """
    counts: dict[str, int] = {}
    for folder in sorted(layout.folder.iterdir()):
        if folder.is_symlink() or not folder.is_dir() or not valid_bucket_name(folder.name):
            continue
        buckets.create(folder.name)
        known = {row[0] for row in index.rows("SELECT key FROM objects WHERE bucket = ?", folder.name)}
        keys = [file.relative_to(folder).as_posix() for file in _files(folder)]
        counts[folder.name] = sum(
            _is_key(key) and adopt(layout, index, folder.name, key) is not None for key in keys if key not in known
        )
    return counts


def _is_key(key: str) -> bool:
    with suppress(ServiceError):
        check_key(key)
        return True
    return False


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
