"""The archive of a user's code: unpacked with the links that stay inside, refused when it leads out."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from local_sagemaker.containers.toolkit import source
from local_sagemaker.files.archive_extraction import Refused


def write(file: Path, *members: tuple[str, bytes, str], mode: str = "w:gz") -> str:
    """An archive of (name, kind, content or the target of a link)."""
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content
            archive.addfile(info, io.BytesIO(content.encode()))
    return str(file)


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def test_folders_files_and_links_inside_are_made(tmp_path: Path) -> None:
    members = [
        ("lib/a.py", FILE, "1"),
        ("train.py", FILE, "2"),
        ("b.py", LINK, "lib/a.py"),
        ("lib/c.py", HARD, "train.py"),
    ]
    source.fetch(write(tmp_path / "s.tar.gz", *members), tmp_path / "code")
    read = {name: (tmp_path / "code" / name).read_text() for name in ("lib/a.py", "train.py", "b.py", "lib/c.py")}
    assert read == {"lib/a.py": "1", "train.py": "2", "b.py": "1", "lib/c.py": "2"}


@pytest.mark.parametrize(
    "members",
    [
        [("../evil", FILE, "x")],
        [("a/../../evil", FILE, "x")],
        [("link", LINK, ".."), ("link/evil", FILE, "x")],
        [("link", LINK, "/etc"), ("x", FILE, "x")],
        [("a", LINK, "b"), ("b", LINK, "../.."), ("a/evil", FILE, "x")],
        [("hard", HARD, "../canary")],
        [("pipe", tarfile.FIFOTYPE, "")],
    ],
)
def test_archives_that_lead_out_are_refused(tmp_path: Path, members: list[tuple[str, bytes, str]]) -> None:
    (tmp_path / "canary").write_text("canary")
    with pytest.raises(Refused):
        source.fetch(write(tmp_path / "s.tar.gz", *members), tmp_path / "job" / "code")
    assert {path.name for path in tmp_path.iterdir()} == {"canary", "s.tar.gz", "job"}
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["code"]
    assert (tmp_path / "canary").stat().st_nlink == 1


def test_an_archive_must_be_compressed_by_gzip_as_in_the_containers(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gzip"):
        source.fetch(write(tmp_path / "s.tar", ("train.py", FILE, "1"), mode="w"), tmp_path / "code")
