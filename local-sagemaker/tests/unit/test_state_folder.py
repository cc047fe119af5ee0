"""What a killed service left is removed at the next start, and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from local_sagemaker.state_folder import discard_leftovers, keep_temporary_files
from tests.support import until

LEFT = (
    ".jobs-0123/us-east-1/processing-job-a/file", ".endpoints-0123/us-east-1/e/file", "jobs/us-east-1/b/file",
    "endpoints/us-east-1/e/1/file", "functions/us-east-1/unpacked/.0123/main.py", "functions/us-east-1/code/.0123",
    ".local-sagemaker-0123/root/file", "jobs/.temporary/tmp0123/file",
)  # fmt: skip
KEPT = (
    "objects/bucket/.hidden", "functions/us-east-1/unpacked/abc/.env", "functions/us-east-1/code/abc.zip",
    "failed-jobs/us-east-1/processing-job-c/algo-1/file", "logs/us-east-1/.group.json",
)  # fmt: skip


def test_leftovers_are_removed(tmp_path: Path) -> None:
    for name in (*LEFT, *KEPT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    discard_leftovers(tmp_path)

    def files() -> set[str]:
        found = [
            Path(folder, name) for folder, _, names in os.walk(tmp_path) for name in names
        ]  # some end while it looks
        return {str(file.relative_to(tmp_path)) for file in found if file.is_file()}

    def is_clean() -> bool:
        return files() == set(KEPT) and not [*tmp_path.glob(".jobs-*"), *tmp_path.glob(".endpoints-*")]

    until(is_clean, "the leftovers are removed")


def test_temporary_files_are_among_what_a_start_removes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    keep_temporary_files(tmp_path)
    left = Path(tempfile.mkdtemp())
    discard_leftovers(tmp_path)
    until(lambda: not left.exists(), "the folder is removed")
    keep_temporary_files(tmp_path)
    assert Path(tempfile.mkdtemp()).is_relative_to(tmp_path)
