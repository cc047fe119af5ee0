"""What was overwritten: gone or used again, and never while someone reads it."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest

from local_sagemaker.objects.deferred_deletion import SMALL, SPARES, Sweeper


@pytest.fixture
def sweeper() -> Sweeper:
    return Sweeper()


def written(folder: Path, name: str, size: int = 10) -> str:
    file = folder / name
    file.write_bytes(b"x" * size)
    return str(file)


def test_a_small_file_is_emptied_for_the_next_write(sweeper: Sweeper, tmp_path: Path) -> None:
    path = written(tmp_path, "small")
    inode = Path(path).stat().st_ino
    sweeper.take(path)
    assert sweeper.finish() or not Path(path).stat().st_size
    assert sweeper.spare() == path
    facts = Path(path).stat()
    assert (facts.st_size, facts.st_ino) == (0, inode)
    assert sweeper.spare() is None


def test_what_is_read_linked_mapped_or_large_is_deleted_instead(sweeper: Sweeper, tmp_path: Path) -> None:
    read, linked, mapped = (written(tmp_path, name) for name in ("read", "linked", "mapped"))
    large = written(tmp_path, "large", SMALL + 1)
    os.link(linked, tmp_path / "other name")
    with Path(mapped).open("rb") as file:
        pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with Path(read).open("rb") as reader:
        for path in (read, linked, mapped, large, str(tmp_path / "gone already")):
            sweeper.take(path)
        sweeper.close()
        assert reader.read() == b"x" * 10
    assert pages[:] == b"x" * 10
    pages.close()
    assert [file.name for file in tmp_path.iterdir()] == ["other name"]
    assert (tmp_path / "other name").read_bytes() == b"x" * 10


def test_only_some_are_kept_and_none_after_the_end(sweeper: Sweeper, tmp_path: Path) -> None:
    for number in range(SPARES + 5):
        sweeper.take(written(tmp_path, str(number)))
    sweeper.finish()
    assert len(list(tmp_path.iterdir())) == SPARES
    sweeper.close()
    assert list(tmp_path.iterdir()) == []
