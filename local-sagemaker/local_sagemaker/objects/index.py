"""The index of objects: what the files themselves do not say (ETags, headers, versions, uploads), in SQLite.

Current objects and other versions are two tables, so that listing a bucket is a range scan over exactly what it
shows. Keys compare as UTF-8 bytes (SQLite's BINARY collation), which is S3's order. All access is under one lock;
file renames happen inside the write transactions of `disk.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.objects.errors import CorruptedIndex
from local_sagemaker.objects.stored_object import COLUMNS, StoredObject, from_row, to_row
from local_sagemaker.records.sqlite import Database

_OBJECT_COLUMNS = """
  bucket TEXT NOT NULL, key TEXT NOT NULL, sequence INTEGER NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL, etag TEXT NOT NULL, place TEXT NOT NULL, marker INTEGER NOT NULL,
  attributes TEXT NOT NULL"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS buckets (
  name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL, versioning TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (
  bucket TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (bucket, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects ({_OBJECT_COLUMNS}, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS versions ({_OBJECT_COLUMNS}, PRIMARY KEY (bucket, key, sequence DESC)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
  bucket TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL UNIQUE, initiated REAL NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
  upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  etag TEXT NOT NULL, place TEXT NOT NULL, offset INTEGER NOT NULL, checksums TEXT NOT NULL,
  PRIMARY KEY (upload, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS completed (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, bucket TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS reserved (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL);
"""
_RESERVE = 1000
"""Sequence numbers that are reserved at a time: all below may have been given, to objects that were removed."""
_MARKS = ", ".join("?" * 10)


@dataclass(frozen=True)
class BucketRow:
    """A bucket. `created` is in seconds since the epoch; `versioning` is "", "Enabled" or "Suspended"."""

    name: str
    created: float
    region: str
    versioning: str = ""


class Index(Database):
    """The index file. Methods that write are to be called inside `transaction`."""

    def __init__(self, file: Path) -> None:
        self.is_new = not file.exists()
        super().__init__(file, lambda error: _corruption(file, error))
        self.script(_SCHEMA)
        self._sequence: int = self.rows(
            "SELECT max((SELECT coalesce(max(sequence), 0) FROM objects),"
            " (SELECT coalesce(max(sequence), 0) FROM versions), (SELECT coalesce(max(sequence), 0) FROM reserved))"
        )[0][0]
        self._reserved = self._sequence
        self._buckets = self._load_buckets()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several writes as one; nested use joins the outer transaction."""
        with self.lock():
            try:
                with super().transaction():
                    yield
            except BaseException:
                self._buckets = self._load_buckets()
                self._reserved = self.rows("SELECT coalesce(max(sequence), 0) FROM reserved")[0][0]
                raise

    def next_sequence(self) -> int:
        """A number above all that were given before, also before a restart, to objects that were removed since."""
        with self.lock():
            if self._sequence >= self._reserved:
                self.execute("INSERT OR REPLACE INTO reserved VALUES (1, ?)", self._sequence + _RESERVE)
                self._reserved = self._sequence + _RESERVE
            self._sequence += 1
            return self._sequence

    # Buckets: kept in memory too, since every operation requests one

    def _load_buckets(self) -> dict[str, BucketRow]:
        rows = self.rows("SELECT name, created, region, versioning FROM buckets ORDER BY name")
        return {row[0]: BucketRow(*row) for row in rows}

    def bucket(self, name: str) -> BucketRow | None:
        """The bucket, or None."""
        return self._buckets.get(name)

    def buckets(self) -> list[BucketRow]:
        """All buckets, by name."""
        with self.lock():
            return list(self._buckets.values())

    def save_bucket(self, bucket: BucketRow) -> None:
        """Adds or replaces a bucket's row."""
        values = (bucket.name, bucket.created, bucket.region, bucket.versioning)
        self.execute("INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?)", *values)
        self._buckets = self._load_buckets()

    def forget_bucket(self, name: str) -> None:
        """Removes a bucket with its settings and uploads."""
        self.execute("DELETE FROM parts WHERE upload IN (SELECT id FROM uploads WHERE bucket = ?)", name)
        for table in ("uploads", "settings", "completed"):
            self.execute(f"DELETE FROM {table} WHERE bucket = ?", name)
        self.execute("DELETE FROM buckets WHERE name = ?", name)
        self._buckets = self._load_buckets()

    def clear(self) -> None:
        """Removes every row."""
        for table in ("buckets", "settings", "objects", "versions", "uploads", "parts", "completed"):
            self.execute(f"DELETE FROM {table}")
        self._buckets = {}

    # Objects

    def current(self, bucket: str, key: str) -> StoredObject | None:
        """The row of the current object, whether or not its file still says the same."""
        for row in self.rows(f"SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ?", bucket, key):
            return from_row(row)
        return None

    def versions(self, bucket: str, key: str) -> list[StoredObject]:
        """What is not in `objects`: older versions and delete markers, newest first."""
        rows = self.rows(
            f"SELECT {COLUMNS} FROM versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC", bucket, key
        )
        if not rows:
            return []
        covered = self.current(bucket, key) is not None
        return [from_row(row, latest=number == 0 and not covered) for number, row in enumerate(rows)]

    def save(self, item: StoredObject) -> None:
        """Makes it the current object of its key."""
        self.execute(f"INSERT OR REPLACE INTO objects ({COLUMNS}) VALUES ({_MARKS})", *to_row(item))

    def save_version(self, item: StoredObject) -> None:
        """Adds it to the versions that are not current."""
        self.execute(f"INSERT OR REPLACE INTO versions ({COLUMNS}) VALUES ({_MARKS})", *to_row(item))

    def forget(self, item: StoredObject) -> bool:
        """Removes the current object's row, if it is still this version."""
        sql = "DELETE FROM objects WHERE bucket = ? AND key = ? AND sequence = ?"
        return self.execute(sql, item.bucket, item.key, item.sequence) > 0

    def forget_version(self, item: StoredObject) -> bool:
        """Removes the row of a version that is not current."""
        sql = "DELETE FROM versions WHERE bucket = ? AND key = ? AND sequence = ?"
        return self.execute(sql, item.bucket, item.key, item.sequence) > 0

    # Settings of buckets

    def setting(self, bucket: str, name: str) -> Any:
        """What was kept of a bucket under that name (JSON), or None."""
        for row in self.rows("SELECT body FROM settings WHERE bucket = ? AND name = ?", bucket, name):
            return json.loads(row[0])
        return None

    def keep_setting(self, bucket: str, name: str, body: Any) -> None:
        """Keeps a JSON value; None removes it."""
        if body is None:
            self.execute("DELETE FROM settings WHERE bucket = ? AND name = ?", bucket, name)
        else:
            self.execute("INSERT OR REPLACE INTO settings VALUES (?, ?, ?)", bucket, name, json.dumps(body))


def _corruption(file: Path, error: sqlite3.DatabaseError) -> CorruptedIndex:
    return CorruptedIndex(
        f"The index of S3 objects, {file}, can't be read ({error}). Move it away together with its -wal and "
        "-shm files and start again: the objects are then indexed anew from their files, without metadata and "
        "older versions. Or begin with an empty state: 'local-sagemaker reset'."
    )
