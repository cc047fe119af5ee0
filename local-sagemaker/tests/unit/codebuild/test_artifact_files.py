"""Which files an artifact has, after the examples of CodeBuild's guide ("Build spec", artifacts/base-directory)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from local_sagemaker.codebuild.artifact_files import ArtifactFailure, collect


def names(folder: Path, base: str, *files: str, **members: Any) -> list[str]:
    artifact = {"files": list(files), "exclude_paths": [], "discard_paths": False, "base_directory": base, **members}
    archive = folder.parent / "archive.zip"
    count = collect(artifact, folder / base, archive, lambda _: None)
    with zipfile.ZipFile(archive) as read:
        assert len(read.namelist()) == count
        return sorted(read.namelist())


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    for name in ("my-build-1/one.txt", "my-build-2/two.txt", "my-build-2/deep/three.txt", "other/four.txt"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def test_a_base_directory_may_have_wildcards(built: Path) -> None:
    assert names(built, "my-build-2", "*/three.txt") == ["deep/three.txt"]
    assert names(built, "my-build*", "**/*") == ["deep/three.txt", "one.txt", "two.txt"]
    assert names(built, "my-build*", "**/*", discard_paths=True) == ["one.txt", "three.txt", "two.txt"]
    assert names(built, "my-build*", "**/*", exclude_paths=["deep/*"]) == ["one.txt", "two.txt"]
    with pytest.raises(ArtifactFailure, match="no matching base directory path found for your-build"):
        names(built, "your-build*", "**/*")
    with pytest.raises(ArtifactFailure, match=r"no matching base directory path found for build\*\*"):
        names(built, "build**", "**/*")


def test_two_files_of_one_name_are_refused(built: Path) -> None:
    (built / "my-build-1/two.txt").write_text("another")
    with pytest.raises(ArtifactFailure, match=r"base-directory: more than one file is named two\.txt"):
        names(built, "my-build*", "**/*")
    (built / "my-build-2/deep/two.txt").write_text("a third")
    with pytest.raises(ArtifactFailure, match=r"discard-paths: more than one file is named two\.txt"):
        names(built, "my-build-2", "**/*", discard_paths=True)
