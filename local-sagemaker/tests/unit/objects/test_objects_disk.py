"""The store on real files: what is where, what is true after edits by hand, what is left after failures."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import (
    BucketNotEmpty,
    InvalidBucketName,
    InvalidURI,
    KeyTooLong,
    NoSuchBucket,
    ObjectTooLarge,
    S3Error,
)
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject
from tests.support import until
from tests.unit.objects.leftovers import leftovers


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def found(store: DiskObjects, key: str) -> StoredObject:
    item = store.find("box", key)
    assert item is not None
    return item


def test_an_object_is_a_plain_file_under_its_own_name(store: DiskObjects, folder: Path) -> None:
    info = store.put("box", "data/train.csv", b"1,2\n", "text/csv")
    assert (folder / "box/data/train.csv").read_bytes() == b"1,2\n"
    assert store.path("box", "data/train.csv") == folder / "box/data/train.csv"
    assert (info.size, info.etag, info.content_type) == (4, md5(b"1,2\n"), "text/csv")
    assert store.head("box", "data/train.csv") == info
    assert store.read("box", "data/train.csv") == b"1,2\n"
    until(lambda: not leftovers(folder), "no temporary file is left")


def test_streams_are_read_to_their_end_in_pieces(store: DiskObjects) -> None:
    data = os.urandom((3 << 20) + 17)

    class Slow(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Slow.largest = max(Slow.largest, size or 0)
            return super().read(min(size or 0, 70_000))

    info = store.put("box", "big", Slow(data))
    assert (info.size, info.etag) == (len(data), md5(data))
    assert store.read("box", "big") == data
    assert Slow.largest <= 1 << 20


def test_what_is_not_there(store: DiskObjects) -> None:
    assert store.head("box", "nothing") is None
    assert store.path("box", "nothing") is None
    assert store.read("box", "nothing") is None
    assert store.head("nowhere", "x") is None
    assert not store.bucket_exists("nowhere")
    with pytest.raises(NoSuchBucket):
        store.put("nowhere", "x", b"")
    with pytest.raises(NoSuchBucket):
        list(store.list("nowhere"))
    assert store.delete("box", "nothing") is None


@pytest.mark.parametrize(("key", "error"), [("", InvalidURI), ("a\ud800", InvalidURI), ("é" * 513, KeyTooLong)])
def test_keys_that_s3_refuses(store: DiskObjects, key: str, error: type[S3Error]) -> None:
    with pytest.raises(error):
        store.put("box", key, b"")


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Upper", "a_b", "-start", "end-", "a..b", "10.0.0.1", "xn--x", "x-s3alias", ".index", "a/b"],
)
def test_bucket_names_that_s3_refuses(store: DiskObjects, name: str) -> None:
    with pytest.raises(InvalidBucketName):
        store.buckets.create(name)


def test_only_empty_buckets_are_deleted(store: DiskObjects, folder: Path) -> None:
    store.put("box", "x", b"")
    with pytest.raises(BucketNotEmpty):
        store.buckets.delete("box")
    store.delete("box", "x")
    store.buckets.delete("box")
    assert not store.bucket_exists("box")
    assert not (folder / "box").exists()


def test_deleting_removes_the_file_and_the_folders_that_became_empty(store: DiskObjects, folder: Path) -> None:
    store.put("box", "a/b/c", b"1")
    store.put("box", "a/x", b"2")
    store.delete("box", "a/b/c")
    assert not (folder / "box/a/b").exists()
    store.delete("box", "a/x")
    assert list((folder / "box").iterdir()) == []
    until(lambda: not leftovers(folder), "no temporary file is left")


def test_a_file_edited_by_hand_is_the_truth(store: DiskObjects, folder: Path) -> None:
    attributes = ObjectAttributes("text/plain", metadata={"by": "me"}, checksums={"ChecksumCRC32": "AAAA"})
    store.write("box", "x", b"old", attributes)
    (folder / "box/x").write_bytes(b"edited")
    info = found(store, "x")
    assert (info.size, info.etag) == (6, md5(b"edited"))
    assert info.metadata == {"by": "me"}
    assert info.attributes.checksums == {}, "the old bytes' checksum"
    assert [item.size for item in store.list("box")] == [6]
    assert store.read("box", "x") == b"edited"


def test_an_edit_of_the_same_size_is_seen_too(store: DiskObjects, folder: Path) -> None:
    store.put("box", "x", b"one")
    (folder / "box/x").write_bytes(b"two")
    assert found(store, "x").etag == md5(b"two")


def test_a_file_removed_by_hand_is_gone(store: DiskObjects, folder: Path) -> None:
    store.put("box", "a/x", b"1")
    store.put("box", "y", b"2")
    (folder / "box/a/x").unlink()
    assert [item.key for item in store.list("box")] == ["y"]
    assert store.read("box", "a/x") is None
    store.delete("box", "y")
    store.buckets.delete("box")


def test_a_file_dropped_into_the_bucket_can_be_read(store: DiskObjects, folder: Path) -> None:
    (folder / "box/by").mkdir()
    (folder / "box/by/hand.txt").write_bytes(b"hello")
    assert store.read("box", "by/hand.txt") == b"hello"
    assert [item.key for item in store.list("box", "by/")] == ["by/hand.txt"]


def test_a_moved_file_becomes_the_object(store: DiskObjects, folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"model")
    source.chmod(0o600)
    inode = source.stat().st_ino
    info = store.put_file("box", "out/model.tar.gz", source, move=True, content_type="application/gzip")
    assert not source.exists()
    assert (folder / "box/out/model.tar.gz").stat().st_ino == inode
    assert (folder / "box/out/model.tar.gz").stat().st_mode & 0o777 == 0o644
    assert (info.etag, info.content_type) == (md5(b"model"), "application/gzip")


@pytest.mark.parametrize("kind", ["plain", "hard link"])
def test_files_that_others_refer_to_are_copied(store: DiskObjects, folder: Path, tmp_path: Path, kind: str) -> None:
    original, source = tmp_path / "original", tmp_path / "source"
    original.write_bytes(b"bytes")
    if kind == "hard link":
        source.hardlink_to(original)
    else:
        source = original
    store.put_file("box", "x", source, move=kind != "plain")
    original.write_bytes(b"changed")
    assert store.read("box", "x") == b"bytes"
    assert source.exists() == (kind == "plain")


@pytest.mark.parametrize("move", [False, True])
def test_what_a_link_leads_to_is_no_file_of_its_folder(store: DiskObjects, tmp_path: Path, move: bool) -> None:
    (tmp_path / "original").write_bytes(b"bytes")
    (tmp_path / "link").symlink_to("original")
    with Folder(tmp_path) as folder, pytest.raises(OSError):
        store.put_from("box", "x", folder, "link", move=move)
    assert store.read("box", "x") is None
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "original").read_bytes() == b"bytes"


def test_a_file_is_put_back_when_it_cannot_be_stored(store: DiskObjects, tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"1")
    with pytest.raises(NoSuchBucket):
        store.put_file("nowhere", "x", source, move=True)
    assert source.read_bytes() == b"1"


class Breaking(io.RawIOBase):
    """A stream that fails after its first piece."""

    def __init__(self) -> None:
        self.pieces = [b"half"]

    def read(self, size: int = -1, /) -> bytes:
        if self.pieces:
            return self.pieces.pop()
        raise ConnectionError("the client went away")


def test_a_broken_upload_leaves_nothing_and_changes_nothing(store: DiskObjects, folder: Path) -> None:
    store.put("box", "x", b"before")
    for key in ("x", "new/y"):
        with pytest.raises(ConnectionError):
            store.put("box", key, Breaking())  # type: ignore[arg-type]
    assert store.read("box", "x") == b"before"
    assert store.head("box", "new/y") is None
    until(lambda: not leftovers(folder), "no temporary file is left")


@pytest.mark.parametrize("key", ["x", "new/y", "//odd"])
def test_a_write_that_the_index_refuses_is_undone(store: DiskObjects, folder: Path, key: str) -> None:
    store.put("box", "x", b"before")

    def fail() -> None:
        raise RuntimeError("the index can't be written")

    from local_sagemaker.objects.temporary_files import receive

    with pytest.raises(RuntimeError), receive(store._layout, b"after") as written:
        store.commit("box", key, written, ObjectAttributes(), also=fail)
    assert store.read("box", key) == (b"before" if key == "x" else None)
    assert [item.key for item in store.list("box")] == ["x"]
    until(lambda: not leftovers(folder), "no temporary file is left")


def test_an_open_object_stays_what_it_was(store: DiskObjects) -> None:
    store.put("box", "x", b"first")
    opened = store.open("box", "x")
    assert opened is not None
    item, file = opened
    store.put("box", "x", b"second, longer")
    store.delete("box", "x")
    with file:
        assert file.read() == b"first"
    assert item.etag == md5(b"first")


def test_readers_never_see_a_mixture(store: DiskObjects) -> None:
    versions = {md5(data): data for data in (bytes([65 + n]) * (1000 * n + 1) for n in range(5))}
    store.put("box", "x", versions[next(iter(versions))])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for data in versions.values():
                store.put("box", "x", data)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(300):
            opened = store.open("box", "x")
            assert opened is not None
            with opened[1] as file:
                assert file.read() == versions[opened[0].etag]
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def test_a_condition_decides_before_anything_changes(store: DiskObjects) -> None:
    def only_new(current: StoredObject | None) -> None:
        if current is not None:
            raise S3Error("taken")

    store.write("box", "x", b"1", condition=only_new)
    with pytest.raises(S3Error, match="taken"):
        store.write("box", "x", b"2", condition=only_new)
    assert store.read("box", "x") == b"1"


def test_of_many_conditional_writers_one_wins(store: DiskObjects) -> None:
    won: list[int] = []

    def only_new(current: StoredObject | None) -> None:
        if current is not None:
            raise S3Error("taken")

    def write(number: int) -> None:
        try:
            store.write("box", "lock", str(number).encode(), condition=only_new)
        except S3Error:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("box", "lock") == str(won[0]).encode()


def test_a_copy_is_independent_and_keeps_the_etag(store: DiskObjects, folder: Path) -> None:
    item = store.put("box", "x", b"bytes")
    opened = store.open("box", "x")
    assert opened
    with opened[1]:
        copy = store.copy(
            opened, "box", "y/z", lambda written: ObjectAttributes("text/plain", {"CacheControl": written.md5})
        )
    assert (copy.etag, copy.content_type) == (item.etag, "text/plain")
    assert copy.attributes.headers == {"CacheControl": item.etag}
    (folder / "box/x").write_bytes(b"other")
    assert store.read("box", "y/z") == b"bytes"


def test_clear_empties_everything(store: DiskObjects, folder: Path) -> None:
    store.put("box", "a/b", b"1")
    store.put("box", "//", b"2")
    store.buckets.set_versioning("box", "Enabled")
    store.put("box", "a/b", b"3")
    store.clear()
    assert store.buckets.list() == []
    assert {entry.name for entry in folder.iterdir()} == {".index"}
    store.buckets.create("box")
    assert list(store.list("box")) == []
    store.put("box", "//", b"4")
    assert store.read("box", "//") == b"4"


def test_no_object_is_read_whole_that_is_too_large_for_a_document(store: DiskObjects) -> None:
    store.put("box", "a", b"12345")
    assert store.read("box", "a", 5) == b"12345"
    with pytest.raises(ObjectTooLarge, match="s3://box/a has more than 4 bytes"):
        store.read("box", "a", 4)
