"""The record store: order, atomic changes, and what a damaged file says."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from local_sagemaker.errors import says_full
from local_sagemaker.records.store import AlreadyExists, CorruptedState, Records, public


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path / "records.sqlite")


def test_bodies_come_back_in_the_order_they_were_added(records: Records) -> None:
    for name in ("b", "a", "c"):
        records.insert("model", name, {"Name": name})
    records.put("model", "b", {"Name": "b", "Changed": True})
    assert [body["Name"] for body in records.list("model")] == ["b", "a", "c"]
    assert records.get("model", "b") == {"Name": "b", "Changed": True}
    assert [key for key, _ in records.items("model", "a")] == ["a"]


def test_a_taken_key_is_refused_and_changes_nothing(records: Records) -> None:
    records.insert("model", "a", {"v": 1})
    with pytest.raises(AlreadyExists):
        records.insert("model", "a", {"v": 2})
    assert records.get("model", "a") == {"v": 1}


def test_a_failed_transaction_leaves_nothing(records: Records) -> None:
    with pytest.raises(RuntimeError), records.transaction():
        records.put("model", "a", {})
        with records.transaction():
            records.put("model", "b", {})
        raise RuntimeError
    assert records.list("model") == []


def test_updates_from_many_threads_are_all_counted(records: Records) -> None:
    records.put("counter", "c", {"n": 0})

    def count() -> None:
        for _ in range(50):
            records.update("counter", "c", lambda body: {"n": body["n"] + 1})

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records.get("counter", "c") == {"n": 400}


def test_a_deleted_record_is_gone(records: Records) -> None:
    records.put("model", "a", {})
    assert records.delete("model", "a")
    assert not records.delete("model", "a")
    assert records.update("model", "a", lambda body: body) is None


def test_the_oldest_of_a_kind_are_removed(records: Records) -> None:
    for region in (records, records.of("eu-west-1")):
        for name in ("c", "a", "b"):
            region.insert("note", name, {})
    records.insert("other", "c", {})
    records.delete_oldest("note", 2)
    assert [key for key, _ in records.items("note")] == ["b"]
    assert records.get("other", "c") == {} and len(records.of("eu-west-1").items("note")) == 3


def test_underscored_members_are_the_services_own() -> None:
    assert public({"Name": "a", "_queue": 1}) == {"Name": "a"}


def test_a_corrupted_file_is_named_with_the_way_out(tmp_path: Path) -> None:
    file = tmp_path / "records.sqlite"
    file.write_bytes(b"this is not a database" * 1000)
    with pytest.raises(CorruptedState, match=r"records\.sqlite can't be read .* 'local-sagemaker reset'"):
        Records(file)


def test_a_full_disk_is_said_and_the_store_goes_on(records: Records) -> None:
    """SQLite rolls back by itself then: a second rollback must not hide what happened."""
    records.put("model", "a", {})
    [(pages,)] = records._database.rows("PRAGMA page_count")
    records._database.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full") as raised, records.transaction():
        records.put("model", "b", {})
        records.put("model", "large", {"text": "x" * 500_000})
    assert says_full(raised.value)
    assert [key for key, _ in records.items("model")] == ["a"]
    records._database.rows("PRAGMA max_page_count = 100000")
    records.put("model", "b", {})
