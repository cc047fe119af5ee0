"""The record store: a table of (kind, key, body), written ahead, safe against a kill at any moment.

A body is the AWS-shaped dict that Describe answers from; times in it are seconds since the epoch. Keys that start
with an underscore are the service's own and never leave it (`public` drops them).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_sagemaker.errors import ServiceError

Body = dict[str, Any]
Items = list[tuple[str, Body]]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE (kind, key));
"""


class AlreadyExists(Exception):
    """A record of that kind and key is there; the caller words the AWS error."""


class CorruptedState(ServiceError):
    """The state file can't be read; the message names it and says what to do."""


def public(body: Body) -> Body:
    """The body without the service's own (underscored) top-level members."""
    return {name: value for name, value in body.items() if not name.startswith("_")}


class Records:
    """Thread-safe access to the record file. Keys are compared exactly; bodies are copied in and out."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        try:
            self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise CorruptedState(
                f"The state file {file} can't be read ({error}). Move it away and start again, "
                "or run 'local-sagemaker reset' to begin with an empty state."
            ) from error

    def close(self) -> None:
        """Closes the file; the write-ahead log is folded in."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several reads and writes as one; nested use joins the outer transaction."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._connection.execute("COMMIT")

    def insert(self, kind: str, key: str, body: Body) -> None:
        """Adds a record; raises `AlreadyExists` when the key is taken."""
        with self.transaction():
            try:
                self._connection.execute(
                    "INSERT INTO records (kind, key, body) VALUES (?, ?, ?)", (kind, key, json.dumps(body))
                )
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"{kind} {key}") from error

    def put(self, kind: str, key: str, body: Body) -> None:
        """Adds or replaces a record; a replaced one keeps its place in the order."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO records (kind, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, json.dumps(body)),
            )

    def get(self, kind: str, key: str) -> Body | None:
        """The body, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM records WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def update(self, kind: str, key: str, change: Callable[[Body], Body | None]) -> Body | None:
        """Reads, changes (in place, or by the returned body) and writes in one transaction. None if not there."""
        with self.transaction():
            body = self.get(kind, key)
            if body is None:
                return None
            changed = change(body)
            body = body if changed is None else changed
            self._connection.execute(
                "UPDATE records SET body = ? WHERE kind = ? AND key = ?", (json.dumps(body), kind, key)
            )
        return body

    def delete(self, kind: str, key: str) -> bool:
        """Removes a record; says whether it was there."""
        with self.transaction():
            cursor = self._connection.execute("DELETE FROM records WHERE kind = ? AND key = ?", (kind, key))
        return cursor.rowcount > 0

    def list(self, kind: str, prefix: str = "") -> list[Body]:
        """All bodies of a kind, in the order they were added; `prefix` keeps keys that start with it."""
        return [body for _, body in self.items(kind, prefix)]

    def items(self, kind: str, prefix: str = "") -> Items:
        """Like `list`, with the keys."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM records WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY sequence",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [(key, json.loads(body)) for key, body in rows]

    def clear(self) -> None:
        """Removes everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM records")
