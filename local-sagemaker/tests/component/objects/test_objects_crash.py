"""A kill before every single step that a write or deletion takes: each system call on files, each SQL statement."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_sagemaker.objects import part_placement
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject

STEPS = {"os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.utime", "open"}
LONG = b"a longer text than before"


def _upload(store: DiskObjects) -> None:
    upload = store.uploads.create("box", "x", ObjectAttributes(), {})
    parts = [store.uploads.put(upload, number, LONG, lambda _: {}) for number in (1, 2)]
    store.uploads.complete(upload, parts, ObjectAttributes(), lambda _: None)


def _newest(store: DiskObjects) -> StoredObject:
    return store.version_page("box", prefix="x").items[0]


CHANGES: dict[str, Callable[[DiskObjects], object]] = {
    "put": lambda store: store.put("box", "x", LONG),
    "put beside": lambda store: store.put("box", "x/below", LONG),
    "put odd": lambda store: store.put("box", "x//", LONG),
    "delete": lambda store: store.delete("box", "x"),
    "delete newest": lambda store: store.delete("box", "x", _newest(store).version_id),
    "upload": _upload,
    "upload in place": _upload,
    "tag": lambda store: store.tag(_newest(store), {"a": "b"}),
}


def _prepare(folder: Path, versioning: str) -> DiskObjects:
    store = DiskObjects(folder)
    store.buckets.create("box")
    store.put("box", "other/y", b"other")
    store.put("box", "x", b"first")
    if versioning:
        store.buckets.set_versioning("box", "Enabled")
        store.put("box", "x", b"second")
    if versioning == "Suspended":
        store.buckets.set_versioning("box", "Suspended")
    return store


def _state(store: DiskObjects) -> tuple[dict[str, bytes | None], list[tuple[str, str, bytes]]]:
    """(Bytes by key, every version with its bytes). Checks that each ETag is of the bytes."""
    current = {item.key: store.read("box", item.key) for item in store.list("box")}
    versions = []
    for item in store.version_page("box").items:
        data = b"" if item.marker else store.file(item).read_bytes()
        if "-" not in item.etag and not item.marker:
            assert hashlib.md5(data).hexdigest() == item.etag
        versions.append((item.key, item.version_id, data))
    return current, versions


def _killed_at(folder: Path, change: Callable[[DiskObjects], object], step: int) -> bool:
    """Makes the change in a child that is killed before its nth step; says whether it was."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = [step]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)

    try:
        store = DiskObjects(folder)
        sys.addaudithook(lambda event, _: count() if event in STEPS else None)
        store.index._connection.set_trace_callback(count)
        change(store)
    except BaseException:
        os._exit(1)
    os._exit(0)


CASES = [(name, versioning) for name in CHANGES for versioning in ("", "Enabled")]
CASES += [("put", "Suspended"), ("delete", "Suspended")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where there is room: a killed process leaves the same there, and hundreds of stores are made."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 100_000_000 else None
    with tempfile.TemporaryDirectory(prefix="kills-", dir=place) as made:
        yield Path(made)


@pytest.mark.parametrize(("name", "versioning"), CASES)
def test_a_kill_before_any_step_leaves_the_state_before_or_after(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, versioning: str
) -> None:
    if name == "upload in place":
        monkeypatch.setattr(part_placement, "SMALLEST_UNIT", 1)
    prepared = folder / "prepared"
    store = _prepare(prepared, versioning)
    before, versions = _state(store)
    store.close()
    reference = DiskObjects(shutil.copytree(prepared, folder / "reference"))
    CHANGES[name](reference)
    after = _state(reference)[0]
    reference.close()
    step, killed = 0, True
    while killed:
        step += 1
        place = shutil.copytree(prepared, folder / str(step))
        killed = _killed_at(place, CHANGES[name], step)
        again = DiskObjects(place)
        current, kept = _state(again)
        assert current in (before, after), f"killed before step {step}"
        if name != "delete newest" and versioning:
            lost = [version for version in versions if version not in kept and version[1] != "null"]
            assert not lost, f"killed before step {step}"
        if not killed:
            assert current == after
        assert not list((place / ".index/temporary").iterdir())
        again.close()
    assert step > 3, "steps were counted"
