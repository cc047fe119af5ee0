"""What survives: kill -9 of a writer, a full disk, a lost or damaged index."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import CorruptedIndex, StorageFull

WRITER = """
import sys
from pathlib import Path
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.stored_object import ObjectAttributes

store, seed = DiskObjects(Path(sys.argv[1])), int(sys.argv[2])
for number in range(10**9):
    key = f"k{number % 7}/x" if number % 3 else f"k{number % 7}//odd"
    data = f"{seed}:{number}:".encode() * (1 + number * 997 % 40_000)
    if number % 11 == 10:
        store.delete("box", key)
        print("delete", key, flush=True)
        continue
    if number % 5:
        item = store.put("box", key, data)
    else:
        upload = store.uploads.create("box", key, ObjectAttributes(), {})
        part = store.uploads.put(upload, 1, data, lambda _: {})
        item = store.uploads.complete(upload, [part], ObjectAttributes(), lambda _: None)
    print("put", key, item.version_id, len(data), number, flush=True)
"""


def data_of(seed: int, number: int) -> bytes:
    return f"{seed}:{number}:".encode() * (1 + number * 997 % 40_000)


@pytest.mark.parametrize("versioning", ["", "Enabled"])
def test_no_acknowledged_object_is_lost_or_torn_by_a_kill(folder: Path, versioning: str) -> None:
    store = DiskObjects(folder)
    store.buckets.create("box")
    if versioning:
        store.buckets.set_versioning("box", versioning)
    store.close()
    dice = random.Random(7)
    acknowledged: dict[str, bytes | None] = {}
    versions: dict[tuple[str, str], bytes] = {}
    for seed in range(5):
        lines = _killed_writer(folder, seed, dice.randrange(1, 60))
        pending = _note(lines, seed, acknowledged, versions)
        store = DiskObjects(folder)
        assert not list((folder / ".index/temporary").iterdir())
        for key, data in acknowledged.items():
            if key != pending:
                assert store.read("box", key) == data, key
        for (key, version), data in versions.items() if versioning else ():
            opened = store.open("box", key, version)
            assert opened is not None
            with opened[1] as file:
                assert file.read() == data
        for item in store.version_page("box", limit=10_000).items:
            if not item.marker and "-" not in item.etag:
                assert hashlib.md5(store.file(item).read_bytes()).hexdigest() == item.etag
        acknowledged = {item.key: store.read("box", item.key) for item in store.list("box")}
        store.close()


def _killed_writer(folder: Path, seed: int, after: int) -> list[str]:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(seed)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(after)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    return [line for line in lines if line.endswith("\n")]


def _note(
    lines: list[str], seed: int, acknowledged: dict[str, bytes | None], versions: dict[tuple[str, str], bytes]
) -> str:
    """Notes what was acknowledged; answers the key that was being written when the kill came."""
    for line in lines:
        kind, key, *rest = line.split()
        if kind == "delete":
            acknowledged[key] = None
            continue
        data = data_of(seed, int(rest[2]))
        assert len(data) == int(rest[1])
        acknowledged[key] = versions[key, rest[0]] = data
    number = len(lines)
    return f"k{number % 7}/x" if number % 3 else f"k{number % 7}//odd"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.buckets.create("box")
    store.put("box", "kept", b"before")
    with pytest.raises(StorageFull) as raised:
        store.put("box", "big", bytes(3 << 20))
    assert (raised.value.code, raised.value.status) == ("InsufficientCapacity", 507)
    assert str(small_disk) in raised.value.message
    assert "MB free" in raised.value.message
    with pytest.raises(StorageFull):
        store.put("box", "kept", bytes(3 << 20))
    upload = store.uploads.create("box", "joined", store.put("box", "x", b"").attributes, {})
    with pytest.raises(StorageFull):
        store.uploads.put(upload, 1, bytes(3 << 20), lambda _: {})
    assert store.head("box", "big") is None
    assert store.read("box", "kept") == b"before"
    assert not list((small_disk / "objects/.index/temporary").iterdir())
    assert store.put("box", "small", b"1").size == 1, "what fits is stored"
    store.close()


def test_the_disk_filling_up_byte_by_byte_never_breaks_the_store(small_disk: Path) -> None:
    store = DiskObjects(small_disk / "objects")
    store.buckets.create("box")
    model: dict[str, bytes] = {}
    refused = 0
    for number in range(400):
        key, data = f"k/{number % 150}", os.urandom(9_000 + number)
        try:
            store.put("box", key, data)
        except StorageFull:
            refused += 1
        else:
            model[key] = data
    assert refused > 0
    assert {item.key: store.read("box", item.key) for item in store.list("box")} == model
    store.close()
    for file in (small_disk / "objects/box/k").iterdir():
        if int(file.name) % 2:
            file.unlink()
    again = DiskObjects(small_disk / "objects")
    kept = {key: data for key, data in model.items() if int(key[2:]) % 2 == 0}
    assert {item.key: again.read("box", item.key) for item in again.list("box")} == kept
    again.close()


LIMITED = """
import resource, signal, sys
from pathlib import Path
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import StorageFull

store = DiskObjects(Path(sys.argv[1]))
store.buckets.create("box")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    store.put("box", "big", bytes(2 << 20))
except StorageFull as error:
    print(error.code)
print(list(store.list("box")), list(Path(sys.argv[1], ".index/temporary").iterdir()))
"""


def test_a_file_size_limit_is_answered_like_a_full_disk(folder: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", LIMITED, str(folder)], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n") == ["InsufficientCapacity", "[] []", ""]


def test_a_damaged_index_is_named_with_what_to_do(store: DiskObjects, folder: Path) -> None:
    store.close()
    file = folder / ".index/index.sqlite"
    for side in folder.glob(".index/index.sqlite-*"):
        side.unlink()
    file.write_bytes(b"this is no database, and long enough to be looked at " * 40)
    with pytest.raises(CorruptedIndex, match=str(file)) as raised:
        DiskObjects(folder)
    assert "reset" in raised.value.message


def test_damage_inside_the_index_is_named_when_it_is_met(store: DiskObjects, folder: Path) -> None:
    for number in range(2000):
        store.put("box", f"key-{number:05}", b"")
    store.close()
    file = folder / ".index/index.sqlite"
    data = bytearray(file.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    file.write_bytes(data)

    def use() -> None:
        damaged = DiskObjects(folder)
        try:
            list(damaged.list("box"))
        finally:
            damaged.close()

    with pytest.raises(CorruptedIndex, match=str(file)):
        use()


def test_a_lost_index_is_made_anew_from_the_files(store: DiskObjects, folder: Path) -> None:
    written = {"a/b.txt": b"1", "a": b"2", "//": b"3", "x" * 300: b"4", "é": b"5"}
    for key, data in written.items():
        store.put("box", key, data)
    store.close()
    for file in folder.glob(".index/index.sqlite*"):
        file.unlink()
    again = DiskObjects(folder)
    assert {item.key: again.read("box", item.key) for item in again.list("box")} == written
    again.close()


def test_leftovers_of_a_kill_are_removed_at_start(store: DiskObjects, folder: Path) -> None:
    store.buckets.set_versioning("box", "Enabled")
    store.put("box", "x", b"1")
    store.put("box", "x", b"2")
    store.close()
    (folder / ".index/temporary/half").write_bytes(b"half")
    (folder / ".index/uploads/gone").mkdir()
    (folder / ".index/versions/box/99-orphan").write_bytes(b"no row")
    again = DiskObjects(folder)
    assert not list((folder / ".index/temporary").iterdir())
    assert not list((folder / ".index/uploads").iterdir())
    assert len(list((folder / ".index/versions/box").iterdir())) == 1
    assert len(again.version_page("box").items) == 2
    again.close()


def test_a_second_store_on_the_folder_does_not_remove_what_the_first_is_writing(
    store: DiskObjects, folder: Path
) -> None:
    busy = folder / ".index/temporary/busy"
    busy.write_bytes(b"being written")
    second = DiskObjects(folder)
    assert busy.exists()
    second.close()


def test_a_store_can_be_moved_to_another_folder(store: DiskObjects, folder: Path, tmp_path: Path) -> None:
    store.put("box", "a", b"1")
    store.put("box", "a/b", b"2")
    store.close()
    shutil.move(folder, tmp_path / "elsewhere")
    again = DiskObjects(tmp_path / "elsewhere")
    assert (again.read("box", "a"), again.read("box", "a/b")) == (b"1", b"2")
    again.close()
