"""Files below a folder that others write: what leads out of it is neither opened nor listed nor moved."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from local_sagemaker.files import untrusted_folder
from local_sagemaker.files.removal import remove
from local_sagemaker.files.untrusted_folder import Folder

FLAGS = os.O_RDONLY | os.O_NOFOLLOW


@pytest.fixture(params=["openat2", "parts"])
def folder(request: pytest.FixtureRequest, deep_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file, beside another folder; by the kernel's way, and by the way without it."""
    if request.param == "parts":
        monkeypatch.setattr(untrusted_folder, "_SYSCALL", None)
    elif untrusted_folder._SYSCALL is None:
        pytest.skip("this kernel has no openat2")
    (deep_folder / "outside").mkdir()
    (deep_folder / "outside" / "secret").write_text("secret")
    (deep_folder / "job" / "out" / "deep").mkdir(parents=True)
    (deep_folder / "job" / "out" / "deep" / "file").write_text("own")
    return deep_folder / "job"


OUT: dict[str, Callable[[Path], None]] = {
    "link to a folder": lambda job: (job / "out" / "x").symlink_to(job.parent / "outside"),
    "relative link": lambda job: (job / "out" / "x").symlink_to("../../outside"),
    "link to a file": lambda job: (job / "out" / "secret").symlink_to(job.parent / "outside" / "secret"),
    "link to a link": lambda job: ((job / "l").symlink_to(job.parent), (job / "out" / "x").symlink_to("../l/outside")),
    "magic link": lambda job: (job / "out" / "x").symlink_to("/proc/self/root"),
    "own folder": lambda job: (job / "out" / "x").symlink_to("."),
    "pipe": lambda job: os.mkfifo(job / "out" / "x"),
    "socket": lambda job: os.mknod(job / "out" / "x", stat.S_IFSOCK | 0o644),
}


@pytest.mark.parametrize("way", OUT)
def test_what_leads_out_is_not_listed(folder: Path, way: str) -> None:
    OUT[way](folder)
    with Folder(folder) as job:
        assert [entry.name for entry in job.walk()] == ["out/deep/file"]
        with job.folder("out") as out, out.open("deep/file") as file:
            assert file.read() == b"own"


@pytest.mark.parametrize(
    "name", ["../outside/secret", "out/../../outside/secret", "/etc/passwd", "x/secret", "out", "pipe", "a\0b", "none"]
)
def test_what_leads_out_is_not_opened(folder: Path, name: str) -> None:
    (folder / "x").symlink_to("../outside")
    os.mkfifo(folder / "pipe")
    with Folder(folder) as job:
        with pytest.raises(OSError):
            job.open(name)
        with suppress(OSError, ValueError):
            assert job.take(name, str(folder / "taken")) is None
    assert not (folder / "taken").exists()
    assert (folder.parent / "outside" / "secret").read_text() == "secret"


def test_a_folder_that_became_a_link_is_not_entered(folder: Path) -> None:
    with Folder(folder) as job:
        (folder / "out").rename(folder / "old")
        (folder / "out").symlink_to("../outside")
        with pytest.raises(OSError) as raised:
            job.folder("out")
        assert raised.value.errno in untrusted_folder.LEADS_OUT
        assert [entry.name for entry in job.walk()] == ["old/deep/file"]


def test_an_open_folder_stays_the_same(folder: Path) -> None:
    with Folder(folder / "out") as out:
        (folder / "out").rename(folder / "old")
        (folder / "out").symlink_to("../outside")
        assert [entry.name for entry in out.walk()] == ["deep/file"]


def test_files_are_moved_out_unless_others_have_their_names(folder: Path, deep_folder: Path) -> None:
    os.link(deep_folder / "outside" / "secret", folder / "out" / "linked")
    with Folder(folder / "out") as out:
        status = out.take("deep/file", str(deep_folder / "taken"))
        assert status is not None and status.st_size == 3
        assert out.take("linked", str(deep_folder / "not")) is None
        assert out.take("deep/none", str(deep_folder / "not")) is None
        assert [entry.name for entry in out.walk()] == ["linked"]
    assert (deep_folder / "taken").read_text() == "own"
    assert not (deep_folder / "not").exists()


def test_swapping_a_folder_and_a_link_never_shows_what_is_outside(folder: Path) -> None:
    """A job that exchanges its folder for a link and back, as fast as it can, while the service reads."""
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (folder / "out").rename(folder / "aside")
            (folder / "out").symlink_to("../outside")
            (folder / "out").unlink()
            (folder / "aside").rename(folder / "out")

    thread = threading.Thread(target=swap)
    thread.start()
    seen = set()
    try:
        with Folder(folder) as job:
            for _ in range(300):
                with suppress(OSError):
                    seen.update(entry.name for entry in job.walk())
                for name in ("out/secret", "out/deep/file"):
                    try:
                        with job.open(name) as file:
                            assert file.read() == b"own"
                    except OSError:
                        continue
    finally:
        stop.set()
        thread.join()
    assert seen <= {"out/deep/file", "aside/deep/file"}


def deep(place: Path, levels: int) -> None:
    """Folders in folders, deeper than a path can name."""
    descriptor = os.open(place, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("a-folder-in-a-folder", dir_fd=descriptor)
        inner = os.open("a-folder-in-a-folder", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("last", os.O_WRONLY | os.O_CREAT, 0o000, dir_fd=descriptor))
    os.close(descriptor)


def test_depth_is_no_limit(folder: Path) -> None:
    levels = sys.getrecursionlimit() + 100  # and, by the length of their names, several times what a path can name
    deep(folder, levels)
    with Folder(folder) as job:
        names = [entry.name for entry in job.walk()]
        assert [name.count("/") for name in names] == [levels, 2]
        with job.open(names[0]) as file:
            assert file.read() == b""
        job.unlink(names[0])
    remove(folder)
    assert not folder.exists()


def test_removal_needs_no_permissions(folder: Path) -> None:
    (folder / "out" / "deep" / "file").chmod(0)
    (folder / "out" / "deep").chmod(0)
    (folder / "out").chmod(0o500)
    folder.chmod(0)
    remove(folder)
    assert not folder.exists()


def test_removal_leaves_what_links_lead_to(folder: Path, deep_folder: Path) -> None:
    for way in ("link to a folder", "link to a file"):
        OUT[way](folder)
    (deep_folder / "name").symlink_to(folder)
    remove(deep_folder / "name")
    assert folder.is_dir()
    remove(folder)
    remove(folder)
    assert [path.name for path in deep_folder.iterdir()] == ["outside"]
    assert (deep_folder / "outside" / "secret").read_text() == "secret"


def test_a_file_that_nobody_may_read_is_read(folder: Path) -> None:
    (folder / "out" / "deep" / "file").chmod(0)
    (folder / "out" / "deep").chmod(0)
    with Folder(folder) as job, job.open("out/deep/file") as file:
        assert file.read() == b"own"
