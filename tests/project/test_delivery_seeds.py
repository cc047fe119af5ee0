"""The first contents of a project's repositories, and what is said where they cannot be what AWS takes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from delivery.project import seed
from delivery.project.command import main
from delivery.project.preflight import Preflight
from delivery.project.seed import SOURCES, find_seed_problems, make_archive, render


@pytest.mark.parametrize("repository", sorted(SOURCES))
def test_an_archive_holds_the_repository_and_codecommit_takes_it(repository: str, tmp_path: Path) -> None:
    data = make_archive(repository)
    assert len(data) < 20_000_000
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    assert {*sizes} == {path.as_posix() for path in render(repository, tmp_path)}
    assert 0 not in sizes.values()


def test_nothing_of_this_project_stands_in_the_way() -> None:
    assert [*find_seed_problems()] == []


def test_every_empty_file_is_named_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def render_with_empty_files(_repository: str, folder: Path) -> list[Path]:
        for name in ("__init__.py", "py.typed"):
            (folder / name).touch()
        (folder / "rows.csv").write_bytes(b"1")
        return [Path(name) for name in ("__init__.py", "py.typed", "rows.csv")]

    monkeypatch.setattr(seed, "render", render_with_empty_files)
    line = "no CodeCommit repository can begin with an empty file: __init__.py, py.typed"
    assert [*find_seed_problems()] == [line] * len(SOURCES)


def test_a_large_archive_is_named_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seed, "LARGEST_ARCHIVE", 100_000)
    lines = [*find_seed_problems()]
    assert [line.split()[3] for line in lines] == ["modelbuild", "modelmonitor"]
    assert all("MB compressed, and a CodeCommit repository can begin with" in line for line in lines)


def test_without_the_project_s_sources_a_line_says_where_they_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(seed, "ROOT", tmp_path)  # as where only a wheel is installed
    assert next(find_seed_problems()).endswith("README.md: install a copy of the project with pip install --editable")


def test_of_a_connection_s_repository_the_preflight_says_what_it_does_not_see(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Preflight, "find_problems", lambda _preflight, _wish: iter(()))
    words = ["preflight", "a", "b", "--region", "us-east-1", "--monitors", "native", "--repository"]
    assert main([*words, "owner/name"]) == 0
    assert "read the branch main of owner/name at once" in capsys.readouterr().out
    assert main([*words, "owner/name", "--source", "codecommit"]) == 0
    assert "branch main" not in capsys.readouterr().out
