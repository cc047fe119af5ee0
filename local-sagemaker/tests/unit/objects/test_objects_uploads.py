"""Multipart uploads in the store."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from pathlib import Path

import pytest

from local_sagemaker.objects import part_placement
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import NoSuchUpload, S3Error
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject
from local_sagemaker.objects.uploads import MultipartUpload, Part


def begin(store: DiskObjects, key: str = "big/file") -> MultipartUpload:
    return store.uploads.create("box", key, ObjectAttributes("text/plain"), {})


def put(store: DiskObjects, upload: MultipartUpload, number: int, data: bytes) -> Part:
    return store.uploads.put(upload, number, data, lambda _: {})


def anyhow(_: StoredObject | None) -> None:
    """No condition."""


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of a few bytes are written in place, as large ones are."""
    monkeypatch.setattr(part_placement, "SMALLEST_UNIT", 4)


def finish(store: DiskObjects, upload: MultipartUpload) -> StoredObject:
    return store.uploads.complete(upload, store.uploads.parts(upload), upload.attributes, anyhow)


SCRIPTS: dict[str, tuple[list[tuple[int, bytes]], bool]] = {
    "in order": ([(1, b"aaaa"), (2, b"bbbb"), (3, b"c")], True),
    "out of order": ([(2, b"bbbb"), (3, b"c"), (1, b"aaaa")], True),
    "one part": ([(1, b"aaaa")], True),
    "the last first": ([(3, b"c"), (1, b"aaaa"), (2, b"bbbb")], False),
    "a larger last": ([(1, b"aaaa"), (2, b"bbbbb")], False),
    "sent again": ([(1, b"aaaa"), (2, b"bbbb"), (1, b"AAAA")], False),
    "sent again, shorter": ([(1, b"aaaa"), (2, b"bbbb"), (2, b"B")], False),
    "of different sizes": ([(1, b"aaaaaa"), (2, b"bbbb"), (3, b"cccccc")], False),
    "with gaps": ([(2, b"bbbb"), (5, b"eeee")], False),
    "empty": ([(1, b"")], False),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_parts_in_place_are_not_copied(store: DiskObjects, folder: Path, small_units: None, name: str) -> None:
    script, in_place = SCRIPTS[name]
    upload = begin(store)
    whole: dict[int, bytes] = {}
    for number, data in script:
        put(store, upload, number, data)
        whole[number] = data
    file = folder / ".index/uploads" / upload.id / "whole"
    inode = file.stat().st_ino if file.exists() else None
    item = finish(store, upload)
    expected = b"".join(data for _, data in sorted(whole.items()))
    assert (store.read("box", "big/file"), item.size) == (expected, len(expected))
    assert (store.file(item).stat().st_ino == inode) == in_place
    assert store.file(item).stat().st_nlink == 1
    assert list((folder / ".index/uploads").iterdir()) == []


class Sized(io.BytesIO):
    """A body that says how long it is, as the wire's does."""

    def __init__(self, data: bytes, length: int | None = None) -> None:
        super().__init__(data)
        self.length = len(data) if length is None else length


def test_a_broken_part_in_place_is_no_part_and_can_be_sent_again(store: DiskObjects, small_units: None) -> None:
    upload = begin(store)
    put(store, upload, 1, b"aaaa")
    for data, said in ((b"bb", 4), (b"bbbbbb", 4)):
        with pytest.raises(ValueError, match="bytes than it said"):
            store.uploads.put(upload, 2, Sized(data, said), lambda _: {})
    assert [part.number for part in store.uploads.parts(upload)] == [1]
    put(store, upload, 2, b"BBBB")
    finish(store, upload)
    assert store.read("box", "big/file") == b"aaaaBBBB"


def test_an_upload_goes_on_in_place_after_a_restart(store: DiskObjects, folder: Path, small_units: None) -> None:
    upload = begin(store)
    put(store, upload, 2, b"bbbb")
    store.close()
    again = DiskObjects(folder)
    put(again, upload, 1, b"aaaa")
    put(again, upload, 3, b"cc")
    assert [part.offset for part in again.uploads.parts(upload)] == [0, 4, 8]
    finish(again, upload)
    assert again.read("box", "big/file") == b"aaaabbbbcc"
    again.close()


def test_completing_can_fail_and_be_tried_again(store: DiskObjects, small_units: None) -> None:
    upload = begin(store)
    for number, data in ((1, b"aaaa"), (2, b"bbbb")):
        put(store, upload, number, data)

    def refuse(_: StoredObject | None) -> None:
        raise S3Error("not now")

    with pytest.raises(S3Error, match="not now"):
        store.uploads.complete(upload, store.uploads.parts(upload), upload.attributes, refuse)
    assert store.head("box", "big/file") is None
    put(store, upload, 3, b"cc")
    finish(store, upload)
    assert store.read("box", "big/file") == b"aaaabbbbcc"


def test_a_late_part_cannot_touch_the_object(store: DiskObjects, small_units: None) -> None:
    upload = begin(store)
    put(store, upload, 1, b"aaaa")
    first = store.uploads.parts(upload)

    class Late(Sized):
        """Completes the upload while this part is on its way."""

        def read(self, size: int | None = -1, /) -> bytes:
            if store.head("box", "big/file") is None:
                store.uploads.complete(upload, first, upload.attributes, anyhow)
            return super().read(size)

    with pytest.raises(NoSuchUpload):
        store.uploads.put(upload, 2, Late(b"late"), lambda _: {})
    with pytest.raises(NoSuchUpload):
        put(store, upload, 1, b"LATE")
    assert store.read("box", "big/file") == b"aaaa"


def test_parts_written_at_once(store: DiskObjects, small_units: None) -> None:
    upload = begin(store)
    data = {number: bytes([64 + number]) * 50_000 for number in range(1, 17)}
    threads = [threading.Thread(target=put, args=(store, upload, number, data[number])) for number in data]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finish(store, upload)
    assert store.read("box", "big/file") == b"".join(data.values())


def test_parts_are_joined_in_order(store: DiskObjects, folder: Path) -> None:
    upload = begin(store)
    data = [os.urandom(100_000 + number) for number in range(3)]
    parts = [put(store, upload, number, data[number]) for number in (2, 0, 1)]
    assert store.head("box", "big/file") is None
    chosen = sorted(parts, key=lambda part: part.number)
    item = store.uploads.complete(upload, chosen, upload.attributes, anyhow)
    assert store.read("box", "big/file") == b"".join(data)
    md5s = b"".join(hashlib.md5(part).digest() for part in data)
    assert item.etag == hashlib.md5(md5s).hexdigest() + "-3"
    assert item.content_type == "text/plain"
    assert list((folder / ".index/uploads").iterdir()) == []
    assert list((folder / ".index/temporary").iterdir()) == []
    with pytest.raises(NoSuchUpload):
        store.uploads.get("box", "big/file", upload.id)


def test_a_part_sent_again_replaces_the_first(store: DiskObjects, folder: Path) -> None:
    upload = begin(store)
    put(store, upload, 1, b"old")
    put(store, upload, 1, b"new")
    parts = store.uploads.parts(upload)
    assert [part.size for part in parts] == [3]
    assert len(list((folder / ".index/uploads" / upload.id).iterdir())) == 1
    store.uploads.complete(upload, parts, upload.attributes, anyhow)
    assert store.read("box", "big/file") == b"new"


def test_a_part_can_be_a_range_of_an_object(store: DiskObjects) -> None:
    store.put("box", "source", b"0123456789")
    upload = begin(store)
    opened = store.open("box", "source")
    assert opened
    with opened[1] as file:
        parts = [
            store.uploads.copy(upload, number, file, extent, lambda _: {})
            for number, extent in ((1, (2, 3)), (2, (0, 10)))
        ]
    store.uploads.complete(upload, parts, upload.attributes, anyhow)
    assert store.read("box", "big/file") == b"2340123456789"


def test_an_aborted_upload_leaves_nothing(store: DiskObjects, folder: Path) -> None:
    upload = begin(store)
    put(store, upload, 1, b"1")
    store.uploads.abort(upload)
    assert list((folder / ".index/uploads").iterdir()) == []
    for late in (
        lambda: store.uploads.abort(upload),
        lambda: put(store, upload, 2, b"2"),
        lambda: store.uploads.complete(upload, [], upload.attributes, anyhow),
    ):
        with pytest.raises(NoSuchUpload):
            late()
    assert store.head("box", "big/file") is None


def test_uploads_survive_a_restart_and_go_with_their_bucket(store: DiskObjects, folder: Path) -> None:
    upload = begin(store)
    put(store, upload, 1, b"1")
    store.close()
    again = DiskObjects(folder)
    assert [found.id for found in again.uploads.list("box")] == [upload.id]
    assert [part.size for part in again.uploads.parts(upload)] == [1]
    again.buckets.delete("box")
    assert list((folder / ".index/uploads").iterdir()) == []
    again.close()
