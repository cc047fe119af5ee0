"""The record store: a table of (region, kind, key, body), written ahead, safe against a crash at any moment.

A body is the AWS-shaped dict that Describe returns; times in it are seconds since the epoch. Keys that start
with an underscore are the service's own and never leave it (`public` drops them).

What a record hangs on stands before a slash in its key: the executions of a pipeline are ``pipeline/id``.

A change of a resource's status is an event: it is logged with the change, and published when that is committed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from copy import copy
from functools import partial
from pathlib import Path

from local_sagemaker.clock import now
from local_sagemaker.errors import ServiceError
from local_sagemaker.events import CREATED, DELETED, Event, Events
from local_sagemaker.records import event_log
from local_sagemaker.records.event_log import EventLog
from local_sagemaker.records.kinds import WATCHED
from local_sagemaker.records.migration import upgrade
from local_sagemaker.records.query import Position, Query
from local_sagemaker.records.schema import COLUMNS, GLOBAL, INDEXES, TABLE, Body, row
from local_sagemaker.records.selection import Selection
from local_sagemaker.records.sqlite import Database

__all__ = ["GLOBAL", "AlreadyExists", "Body", "CorruptedState", "Records", "public"]
Items = list[tuple[str, Body]]
_INSERT = f"INSERT INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_REPLACED = ", ".join(f"{column} = excluded.{column}" for column in COLUMNS.split(", ")[3:])


class AlreadyExists(Exception):
    """A record of that kind and key exists; the caller words the AWS error."""


class CorruptedState(ServiceError):
    """The state file can't be read; the message names it and says what to do."""


def public(body: Body) -> Body:
    """The body without the service's own (underscored) top-level members."""
    return {name: value for name, value in body.items() if not name.startswith("_")}


class Records:
    """Thread-safe access to one region's records. Keys are compared exactly; bodies are copied in and out."""

    def __init__(self, file: Path, region: str = "us-east-1") -> None:
        """`region` is also where the records of a file of the first layout belong if their ARNs don't say it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.region = region
        self._database = Database(file, lambda error: _corruption(file, error))
        self.event_log = EventLog(self._database)
        self._buses = {GLOBAL: Events()}
        try:
            upgrade(self._database, region)
            self._database.script(f"{TABLE};{INDEXES};{event_log.TABLE}")
        except sqlite3.DatabaseError as error:
            raise _corruption(file, error) from error

    def of(self, region: str) -> Records:
        """The records of another region, in the same file."""
        other = copy(self)
        other.region = region
        return other

    @property
    def events(self) -> Events:
        """The bus of the region's events; that of `GLOBAL` has the events of all regions."""
        return self._buses.get(self.region) or self._buses.setdefault(self.region, Events(self._buses[GLOBAL]))

    def regions(self) -> list[str]:
        """The regions that have records."""
        regions: list[str] = []
        rows = self._database.rows("SELECT min(region) FROM records WHERE region > ?", GLOBAL)
        while rows[0][0] is not None:
            regions.append(rows[0][0])
            rows = self._database.rows("SELECT min(region) FROM records WHERE region > ?", regions[-1])
        return regions

    def close(self) -> None:
        """Closes the file, for all regions; the write-ahead log is folded in."""
        self._database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Several reads and writes as one; nested use joins the outer transaction."""
        return self._database.transaction()

    def insert(self, kind: str, key: str, body: Body) -> None:
        """Adds a record; raises `AlreadyExists` when the key is taken."""
        with self.transaction():
            try:
                self._database.execute(_INSERT, *row(self.region, kind, key, body))
            except sqlite3.IntegrityError as error:
                raise AlreadyExists(f"{kind} {key}") from error
            self._log_change(kind, key, None, body)

    def put(self, kind: str, key: str, body: Body) -> None:
        """Adds or replaces a record; a replaced one keeps its place in the order."""
        if kind not in WATCHED:
            self._put(kind, key, body)
            return
        with self.transaction():
            before = self.get(kind, key)
            self._put(kind, key, body)
            self._log_change(kind, key, None if before is None else WATCHED[kind].state(before), body)

    def get(self, kind: str, key: str) -> Body | None:
        """The body, or None."""
        sql = "SELECT body FROM records WHERE region = ? AND kind = ? AND key = ?"
        rows = self._database.rows(sql, self.region, kind, key)
        return json.loads(rows[0][0]) if rows else None

    def find(self, kind: str, key: str) -> tuple[str, Body] | None:
        """Key and body of the record with this key in any case (of ASCII letters), the exact one first."""
        sql = (
            "SELECT key, body FROM records WHERE region = ? AND kind = ? AND key = ? COLLATE NOCASE "
            "ORDER BY key <> ? LIMIT 1"
        )
        rows = self._database.rows(sql, self.region, kind, key, key)
        return (rows[0][0], json.loads(rows[0][1])) if rows else None

    def update(self, kind: str, key: str, change: Callable[[Body], Body | None]) -> Body | None:
        """Reads, changes (in place, or by the returned body) and writes in one transaction. None if not there."""
        with self.transaction():
            body = self.get(kind, key)
            if body is None:
                return None
            before = WATCHED[kind].state(body) if kind in WATCHED else None
            changed = change(body)
            body = body if changed is None else changed
            self._put(kind, key, body)
            self._log_change(kind, key, before, body)
        return body

    def delete(self, kind: str, key: str) -> bool:
        """Removes a record; says whether it existed."""
        sql = "DELETE FROM records WHERE region = ? AND kind = ? AND key = ?"
        if kind not in WATCHED:
            return self._database.execute(sql, self.region, kind, key) > 0
        with self.transaction():
            before = self.get(kind, key)
            if before is None:
                return False
            self._database.execute(sql, self.region, kind, key)
            self._publish(kind, key, DELETED, WATCHED[kind].state(before)[0], before)
        return True

    def delete_oldest(self, kind: str, count: int) -> None:
        """Removes so many records of a kind, first those that were added first, without reading them. Not for kinds
        that are watched."""
        oldest = "SELECT key FROM records WHERE region = ? AND kind = ? ORDER BY sequence LIMIT ?"
        sql = f"DELETE FROM records WHERE region = ? AND kind = ? AND key IN ({oldest})"
        with self.transaction():
            self._database.execute(sql, self.region, kind, self.region, kind, count)

    def delete_all(self, kind: str, prefix: str) -> None:
        """Removes the records whose keys start with `prefix`, without events: what they belong to has one."""
        condition, values = _by_prefix(prefix)
        sql = f"DELETE FROM records WHERE region = ? AND kind = ?{condition}"
        self._database.execute(sql, self.region, kind, *values)

    def page(self, query: Query, size: int, after: Position | None = None) -> list[tuple[Position, Body]]:
        """At most `size` records that come behind a position, each with its own."""
        sql, values = query.sql(self.region, after, size)
        return [((value, sequence), json.loads(body)) for value, sequence, body in self._database.rows(sql, *values)]

    def select(self, selection: Selection, size: int, offset: int = 0) -> tuple[list[str], int]:
        """Keys of the records that a selection chooses, at most `size` from `offset` on, and how many it chooses."""
        sql, values = selection.statement(self.region)
        rows = self._database.rows(f"{sql} LIMIT ? OFFSET ?", *values, size, offset)
        if selection.is_scan and (rows or not offset):
            return [key for key, _ in rows], rows[0][1] if rows else 0
        condition, values = selection.where(self.region)
        total = self._database.rows(f"SELECT count(*) FROM records WHERE {condition}", *values)[0][0]
        return [key for key, _ in rows], int(total)

    def list(self, kind: str, prefix: str = "") -> list[Body]:
        """All bodies of a kind, in the order they were added; `prefix` keeps keys that start with it."""
        return [body for _, body in self.items(kind, prefix)]

    def items(self, kind: str, prefix: str = "") -> Items:
        """Like `list`, with the keys."""
        condition, values = _by_prefix(prefix)
        sql = f"SELECT key, body FROM records WHERE region = ? AND kind = ?{condition} ORDER BY sequence"
        return [(key, json.loads(body)) for key, body in self._database.rows(sql, self.region, kind, *values)]

    def has_any(self, kind: str, prefix: str = "") -> bool:
        """Whether there is a record whose key starts with `prefix`."""
        condition, values = _by_prefix(prefix)
        sql = f"SELECT 1 FROM records WHERE region = ? AND kind = ?{condition} LIMIT 1"
        return bool(self._database.rows(sql, self.region, kind, *values))

    def count(self, kind: str, *statuses: str) -> int:
        """How many there are in all regions, of these statuses if any are given."""
        sql = "SELECT count(*) FROM records WHERE kind = ?"
        if statuses:
            sql += f" AND status IN ({', '.join('?' * len(statuses))})"
        return int(self._database.rows(sql, kind, *statuses)[0][0])

    def count_below(self, kind: str, parent: str) -> int:
        """How many of a kind the region has whose key begins with this parent and a slash."""
        sql = "SELECT count(*) FROM records WHERE region = ? AND kind = ? AND parent = ?"
        return int(self._database.rows(sql, self.region, kind, parent)[0][0])

    def with_status(self, kind: str, *statuses: str) -> Items:
        """Key and body of those in one of these statuses, in the order they were added."""
        wanted = ", ".join("?" * len(statuses))
        condition = f"region = ? AND kind = ? AND status IN ({wanted})"
        sql = f"SELECT key, body FROM records WHERE {condition} ORDER BY sequence"
        return [(key, json.loads(body)) for key, body in self._database.rows(sql, self.region, kind, *statuses)]

    def clear(self) -> None:
        """Removes everything, in all regions."""
        with self.transaction():
            self._database.execute("DELETE FROM records")
            self._database.execute("DELETE FROM events")

    def _put(self, kind: str, key: str, body: Body) -> None:
        sql = f"{_INSERT} ON CONFLICT (region, kind, key) DO UPDATE SET {_REPLACED}"
        self._database.execute(sql, *row(self.region, kind, key, body))

    def _log_change(self, kind: str, key: str, before: tuple[str | None, ...] | None, body: Body) -> None:
        """An event, if this is a new resource or its status is another one. Inside the change's transaction."""
        watched = WATCHED.get(kind)
        if watched is None:
            return
        state = watched.state(body)
        if before is None or state != before:
            self._publish(kind, key, state[0] or CREATED, before[0] if before else None, body)

    def _publish(self, kind: str, key: str, status: str, previous: str | None, body: Body) -> None:
        watched = WATCHED[kind]
        shown = public(body) | ({watched.stage: body[watched.stage]} if watched.stage in body else {})
        event = self.event_log.add(
            Event(
                str(body.get(watched.arn, "")), kind, status, name=str(body.get(watched.name, key)), key=key,
                region=self.region, previous=previous, body=shown, time=now(),
            )
        )  # fmt: skip
        self._database.after_commit(partial(self.events.publish, event))


def _by_prefix(prefix: str) -> tuple[str, tuple[str, ...]]:
    """The condition that keys start with `prefix`, as a range, which an index serves."""
    if not prefix:
        return "", ()
    return " AND key >= ? AND key < ?", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))


def _corruption(file: Path, error: sqlite3.DatabaseError) -> CorruptedState:
    return CorruptedState(
        f"The state file {file} can't be read ({error}). Move it away and start again, "
        "or run 'local-sagemaker reset' to begin with an empty state."
    )
