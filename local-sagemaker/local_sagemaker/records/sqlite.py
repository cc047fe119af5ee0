"""One SQLite file under one lock, written ahead, safe against a crash at any moment: of records, and of the index."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Row = tuple[Any, ...]
SYNCHRONOUS = "NORMAL"
"""What SQLite waits for: with NORMAL a crash of the process loses nothing, one of the machine the last transactions."""


class Database:
    """Thread-safe access to a file. Statements outside of `transaction` are transactions of their own."""

    def __init__(self, file: Path, corrupted: Callable[[sqlite3.DatabaseError], Exception]) -> None:
        """`corrupted` words the error for a file that cannot be read."""
        self._corrupted = corrupted
        self._lock = threading.RLock()
        self._depth = 0
        self._committed: list[Callable[[], None]] = []
        try:
            self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            self._connection.execute(f"PRAGMA synchronous={SYNCHRONOUS}")
            self._connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.DatabaseError as error:
            raise corrupted(error) from error

    def script(self, sql: str) -> None:
        """Runs several statements, each a transaction of its own."""
        with self._lock, self._readable():
            self._connection.executescript(sql)

    def close(self) -> None:
        """Closes the file; the write-ahead log is folded in."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the file's lock: no other thread reads or writes within."""
        with self._lock:
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several reads and writes as one; nested use joins the outer transaction."""
        committed: list[Callable[[], None]] = []
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if outermost:
                    self._connection.execute("COMMIT")
                    committed = self._committed
            except BaseException:
                if outermost and self._connection.in_transaction:  # SQLite has rolled back already on a full disk
                    with suppress(sqlite3.Error):  # what went wrong first is what the caller must see
                        self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1
                if outermost:
                    self._committed = []
        for action in committed:
            action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Does something when the transaction is committed and others may write; nothing when it is rolled back."""
        self._committed.append(action)

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        with self._lock, self._readable():
            return self._connection.execute(sql, values).fetchall()

    def scan(self, sql: str, *values: Any) -> Iterator[Row]:
        """Rows one by one; to be used inside `lock` or `transaction`."""
        with self._readable():
            yield from self._connection.execute(sql, values)

    def execute(self, sql: str, *values: Any) -> int:
        """Runs a statement and returns how many rows it changed."""
        with self._lock, self._readable():
            return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """Adds a row and returns its row id."""
        with self._lock, self._readable():
            return self._connection.execute(sql, values).lastrowid or 0

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Damage inside the file shows only when that page is read."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # its subclasses say other things: a full disk, a taken key
                raise self._corrupted(error) from error
            raise
