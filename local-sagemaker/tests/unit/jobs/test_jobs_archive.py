"""tar.gz archives that every reader reads."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zlib

import pytest

from local_sagemaker.files.untrusted_folder import Folder
from local_sagemaker.jobs.archive import ParallelGzip, pack


@pytest.mark.parametrize("size", [0, 1, 1000, (1 << 20) - 1, 1 << 20, 5 * (1 << 20) + 17])
@pytest.mark.parametrize("threads", [1, 4])
def test_what_is_compressed_is_read_back(size, threads):
    data = random.Random(size).randbytes(size // 2) + b"a" * (size - size // 2)
    target = io.BytesIO()
    packed = ParallelGzip(target, threads=threads)
    for start in range(0, len(data), 300_000):
        packed.write(data[start : start + 300_000])
    packed.close()
    assert gzip.decompress(target.getvalue()) == data
    reader = zlib.decompressobj(31)  # one member: readers that stop after the first see everything
    assert reader.decompress(target.getvalue()) == data
    assert reader.eof
    assert not reader.unused_data


def test_matches_reach_over_block_boundaries():
    block = random.Random(1).randbytes(30_000)
    target = io.BytesIO()
    packed = ParallelGzip(target)
    packed.write(block * 105)  # a little over three blocks
    packed.close()
    assert len(target.getvalue()) < 60_000


def test_folders_are_merged_and_links_left_out(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        (folder / "sub").mkdir(parents=True)
    (one / "model").write_text("first")
    (two / "model").write_text("second")
    (one / "sub" / "a").write_text("a")
    (two / "link").symlink_to("/etc/passwd")
    (two / "folder-link").symlink_to(one)
    with Folder(one) as first, Folder(two) as second:
        assert pack([first, second], tmp_path / "m.tar.gz")
    with tarfile.open(tmp_path / "m.tar.gz") as archive:
        assert sorted(archive.getnames()) == ["model", "sub", "sub/a"]
        file = archive.extractfile("model")
        assert file is not None
        assert file.read() == b"second"


def test_nothing_is_packed_when_there_is_no_file(tmp_path):
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    with Folder(tmp_path / "empty") as empty:
        assert not pack([empty], tmp_path / "m.tar.gz")
    assert not (tmp_path / "m.tar.gz").exists()
