"""Multipart uploads in the store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import NoSuchUpload
from local_sagemaker.objects.stored import Attributes, StoredObject
from local_sagemaker.objects.uploads import Part, Upload


def begin(store: DiskObjects, key: str = "big/file") -> Upload:
    return store.uploads.create("box", key, Attributes("text/plain"), {})


def put(store: DiskObjects, upload: Upload, number: int, data: bytes) -> Part:
    return store.uploads.put(upload, number, data, lambda _: {})


def anyhow(_: StoredObject | None) -> None:
    """No condition."""


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
    source = store.put("box", "source", b"0123456789")
    upload = begin(store)
    parts = [store.uploads.copy(upload, 1, source.place, 2, 3), store.uploads.copy(upload, 2, source.place, 0, 10)]
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
