"""The numbered log of events: what rules and pages read, bounded in size, in the transaction of the change itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from local_sagemaker.events import Event
from local_sagemaker.records.sqlite import Database, Row

KEPT = 5_000
"""How many events are kept, of all regions together."""
TABLE = """
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  region TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL,
  status TEXT NOT NULL, previous TEXT, time REAL NOT NULL, body TEXT NOT NULL)"""
_COLUMNS = "region, kind, key, name, arn, status, previous, time, body"
_EVERY = 64
"""How many events are added between two looks for old ones."""


class EventLog:
    """The newest events. Numbers only grow, also after a reset and a restart."""

    def __init__(self, database: Database, kept: int = KEPT) -> None:
        self._database, self._kept = database, kept

    def add(self, event: Event) -> Event:
        """Writes an event, and returns it with its number. To be used inside a transaction."""
        values = (
            event.region, event.kind, event.key, event.name, event.arn, event.status, event.previous, event.time,
            json.dumps(event.body),
        )  # fmt: skip
        number = self._database.insert(f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *values)
        if number % _EVERY == 0:
            self._database.execute("DELETE FROM events WHERE number <= ?", number - self._kept)
        return replace(event, number=number)

    def after(self, number: int, *, region: str = "", limit: int = 100) -> list[Event]:
        """At most `limit` events with a higher number, in order; of one region unless it is empty."""
        condition, values = (" AND region = ?", (region,)) if region else ("", ())
        sql = f"SELECT number, {_COLUMNS} FROM events WHERE number > ?{condition} ORDER BY number LIMIT ?"
        return [_event(row) for row in self._database.rows(sql, number, *values, limit)]

    def newest(self) -> int:
        """The highest number so far; 0 before the first event."""
        rows = self._database.rows("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        return int(rows[0][0]) if rows else 0

    def oldest(self) -> int:
        """The lowest number that is kept; one more than the newest when none is."""
        rows = self._database.rows("SELECT min(number) FROM events")
        return self.newest() + 1 if rows[0][0] is None else int(rows[0][0])


def _event(row: Row) -> Event:
    number, region, kind, key, name, arn, status, previous, time, body = row
    loaded: dict[str, Any] = json.loads(body)
    return Event(
        arn, kind, status, name=name, key=key, region=region, previous=previous, body=loaded, time=time, number=number
    )
