"""Paths in a job's own files are rewritten whatever else is in its folder, and nothing outside is touched."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from local_sagemaker.processes import path_rewriting

TEXT = "open('/opt/ml/model/x')\n"


@pytest.fixture
def ml(deep_folder: Path) -> Path:
    folder = deep_folder / "ml"
    folder.mkdir()
    return folder


def archive(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_code_at_any_depth_keeps_its_mode(ml: Path) -> None:
    descriptor = os.open(ml, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    file = os.open("run.sh", os.O_WRONLY | os.O_CREAT, 0o750, dir_fd=descriptor)
    os.write(file, TEXT.encode())
    os.close(file)
    path_rewriting.files(ml)
    file = os.open("run.sh", os.O_RDONLY, dir_fd=descriptor)
    assert os.read(file, 1000).decode() == TEXT.replace("/opt/ml", str(ml))
    assert os.fstat(file).st_mode & 0o777 == 0o750
    os.close(file)
    os.close(descriptor)


def test_links_lead_to_nothing_that_is_rewritten(ml: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "code.py").write_text(TEXT)
    (ml / "folder").symlink_to(outside)
    (ml / "code.py").symlink_to(outside / "code.py")
    os.mkfifo(ml / "pipe.py")
    os.link(outside / "code.py", ml / "hard.py")
    path_rewriting.files(ml)
    assert (outside / "code.py").read_text() == TEXT
    assert str(ml) in (ml / "hard.py").read_text()


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"no archive",
        lambda: archive("a.py", TEXT.encode())[:-20],
        lambda: archive("a.py", TEXT.encode() * 100)[:60],
        lambda: b"\x1f\x8b",
        lambda: archive("a.txt", bytes(300 << 20)),
    ],
    ids=["text", "cut", "cut early", "empty", "a bomb"],
)
def test_an_archive_that_cannot_be_rewritten_stays(ml: Path, make: Callable[[], bytes]) -> None:
    data = make()
    (ml / "sourcedir.tar.gz").write_bytes(data)
    path_rewriting.files(ml)
    assert (ml / "sourcedir.tar.gz").read_bytes() == data
