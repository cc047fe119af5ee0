"""Versions: the table of what each write and deletion leaves, in every state of a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.stored_object import StoredObject
from tests.support import until
from tests.unit.objects.leftovers import leftovers


def history(store: DiskObjects, key: str = "x") -> list[tuple[str, str, bool]]:
    """(Bytes or "marker", version or "id", latest) of every version, newest first."""
    shown = []
    for item in store.version_page("box", prefix=key).items:
        data = "marker" if item.marker else store.file(item).read_text()
        shown.append((data, "null" if item.version_id == "null" else "id", item.latest))
    return shown


def apply(store: DiskObjects, script: str) -> None:
    """Runs steps: E(nabled) S(uspended) are versioning, D deletes, digits are written."""
    for step in script:
        if step in "ES":
            store.buckets.set_versioning("box", {"E": "Enabled", "S": "Suspended"}[step])
        elif step == "D":
            store.delete("box", "x")
        else:
            store.put("box", "x", step.encode())


TABLE = {
    "12": [("2", "null", True)],
    "1D": [],
    "1E2": [("2", "id", True), ("1", "null", False)],
    "E12": [("2", "id", True), ("1", "id", False)],
    "E1D": [("marker", "id", True), ("1", "id", False)],
    "1ED": [("marker", "id", True), ("1", "null", False)],
    "ED": [("marker", "id", True)],
    "E1DD": [("marker", "id", True), ("marker", "id", False), ("1", "id", False)],
    "E1D2": [("2", "id", True), ("marker", "id", False), ("1", "id", False)],
    "E1S2": [("2", "null", True), ("1", "id", False)],
    "E1S23": [("3", "null", True), ("1", "id", False)],
    "E1SD": [("marker", "null", True), ("1", "id", False)],
    "E1S2D": [("marker", "null", True), ("1", "id", False)],
    "E1SD2": [("2", "null", True), ("1", "id", False)],
    "1E2S3": [("3", "null", True), ("2", "id", False)],
    "E1S2E3": [("3", "id", True), ("2", "null", False), ("1", "id", False)],
    "1SD": [("marker", "null", True)],
}


@pytest.mark.parametrize("script", TABLE)
def test_what_a_series_of_writes_and_deletions_leaves(store: DiskObjects, folder: Path, script: str) -> None:
    apply(store, script)
    assert history(store) == TABLE[script]
    current = TABLE[script][:1]
    expected = current[0][0].encode() if current and current[0][0] != "marker" else None
    assert store.read("box", "x") == expected
    assert (store.find_delete_marker("box", "x") is not None) == bool(current and current[0][0] == "marker")
    assert (folder / "box/x").exists() == (expected is not None), "the current version is the plain file"
    kept = {file for file in (folder / ".index/versions").rglob("*") if file.is_file()}
    assert len(kept) == sum(data != "marker" and not latest for data, _, latest in TABLE[script])
    until(lambda: not leftovers(folder), "what was overwritten is gone")


def versions(store: DiskObjects) -> list[StoredObject]:
    return store.version_page("box", prefix="x").items


@pytest.mark.parametrize(
    ("script", "gone", "left"),
    [
        ("E12", 0, [("1", "id", True)]),
        ("E12", 1, [("2", "id", True)]),
        ("E1", 0, []),
        ("E1D", 0, [("1", "id", True)]),
        ("E1D", 1, [("marker", "id", True)]),
        ("E1D2", 0, [("marker", "id", True), ("1", "id", False)]),
        ("E123", 0, [("2", "id", True), ("1", "id", False)]),
        ("E1SD", 0, [("1", "id", True)]),
        ("1E2", 1, [("2", "id", True)]),
    ],
)
def test_deleting_a_version_for_good(
    store: DiskObjects, folder: Path, script: str, gone: int, left: list[tuple[str, str, bool]]
) -> None:
    apply(store, script)
    item = versions(store)[gone]
    removed = store.delete("box", "x", item.version_id)
    assert removed is not None
    assert removed.marker == item.marker
    assert history(store) == left
    assert (folder / "box/x").exists() == bool(left and left[0][0] != "marker")
    assert store.delete("box", "x", item.version_id) is None


def test_each_version_can_be_read(store: DiskObjects) -> None:
    store.buckets.set_versioning("box", "Enabled")
    written = [store.put("box", "x", data) for data in (b"1", b"22", b"333")]
    for item, data in zip(written, (b"1", b"22", b"333"), strict=True):
        opened = store.open("box", "x", item.version)
        assert opened is not None
        with opened[1] as file:
            assert file.read() == data


def test_an_old_version_comes_back_beside_a_folder_of_its_name(store: DiskObjects) -> None:
    store.buckets.set_versioning("box", "Enabled")
    store.put("box", "x", b"1")
    marker = store.delete("box", "x")
    assert marker is not None
    store.put("box", "x/y", b"2")
    store.delete("box", "x", marker.version_id)
    assert store.read("box", "x") == b"1"
    assert store.read("box", "x/y") == b"2"


def test_pages_of_versions_go_on_where_they_ended(store: DiskObjects) -> None:
    store.buckets.set_versioning("box", "Enabled")
    for key in ("a/1", "b", "c"):
        for data in (b"1", b"2", b"3"):
            store.put("box", key, data)
    store.delete("box", "c")
    everything = [(item.key, item.version_id) for item in store.version_page("box").items]
    assert len(everything) == 10
    shown: list[tuple[str, str]] = []
    start: tuple[str, str | None] = ("", None)
    while True:
        page = store.version_page("box", start=start, limit=2)
        shown += [(item.key, item.version_id) for item in page.items]
        if page.next is None:
            break
        start = (page.next, page.next_version)
    assert shown == everything
    page = store.version_page("box", delimiter="/")
    assert page.prefixes == ["a/"]
    assert [item.latest for item in page.items if item.key == "c"] == [True, False, False, False]


def test_a_current_file_removed_by_hand_counts_as_deleted(store: DiskObjects, folder: Path) -> None:
    apply(store, "E12")
    (folder / "box/x").unlink()
    assert store.read("box", "x") is None
    assert history(store) == [("marker", "id", True), ("1", "id", False)]


def test_sequences_rise_across_restarts_also_when_the_newest_objects_are_gone(folder: Path) -> None:
    """S3's events order changes by them (DEL-35)."""
    given = []
    for _ in range(3):
        store = DiskObjects(folder)
        if not given:
            store.buckets.create("box")
        given.append(store.put("box", "x", b"1").sequence)
        store.delete("box", "x")
        store.close()
    assert given == sorted(set(given))
