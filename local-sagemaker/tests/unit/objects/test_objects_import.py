"""Files that were put into the store's folder by hand."""

from __future__ import annotations

import os
from pathlib import Path

from local_sagemaker.objects.disk import DiskObjects


def test_files_in_the_folders_of_buckets_become_objects(store: DiskObjects, folder: Path) -> None:
    store.put("box", "there", b"1")
    (folder / "box/dropped").mkdir()
    (folder / "box/dropped/a.csv").write_bytes(b"1,2")
    (folder / "new-bucket").mkdir()
    (folder / "new-bucket/b.csv").write_bytes(b"3,4")
    (folder / "No_Bucket").mkdir()
    (folder / "No_Bucket/c.csv").write_bytes(b"5")
    assert [item.key for item in store.list("box")] == ["there"]
    assert store.take_in_files() == {"box": 1, "new-bucket": 1}
    assert [item.key for item in store.list("box")] == ["dropped/a.csv", "there"]
    assert store.read("new-bucket", "b.csv") == b"3,4"
    assert store.buckets.find("No_Bucket") is None
    assert store.take_in_files() == {"box": 0, "new-bucket": 0}


def test_links_and_names_that_are_no_keys_are_left_alone(store: DiskObjects, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(b"s")
    (folder / "box/file").symlink_to(tmp_path / "outside/secret")
    (folder / "box/folder").symlink_to(tmp_path / "outside")
    (folder / "linked-bucket").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / "box/pipe")
    (folder / os.fsdecode(b"box/\xff")).touch()
    assert store.take_in_files() == {"box": 0}
    assert list(store.list("box")) == []
