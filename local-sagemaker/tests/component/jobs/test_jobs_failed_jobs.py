"""Folders of failed jobs: the newest few are kept, within a size, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local_sagemaker.jobs import failed_jobs
from local_sagemaker.jobs.failed_jobs import MOST, FailedJobs
from tests.component.jobs.world import World
from tests.support import until


def make(folder: Path, size: int = 10) -> Path:
    (folder / "algo-1" / "ml").mkdir(parents=True)
    (folder / "algo-1" / "ml" / "file").write_bytes(os.urandom(size))
    return folder


def names(kept: FailedJobs) -> list[str]:
    return [job.name for job in kept.list()]


def test_the_newest_are_kept(tmp_path: Path) -> None:
    kept = FailedJobs(tmp_path / "kept")
    for number in range(MOST + 3):
        kept.keep(make(tmp_path / "running"), f"processing-job-{number}")
        os.utime(tmp_path / "kept" / f"processing-job-{number}", (number, number))
    assert not (tmp_path / "running").exists()
    assert len(names(kept)) == MOST
    assert names(kept)[0] == f"processing-job-{MOST + 2}"
    assert kept.remove(names(kept)[0]) == 1
    assert kept.remove() == MOST - 1
    assert names(kept) == []


def test_the_same_name_is_kept_once(tmp_path: Path) -> None:
    kept = FailedJobs(tmp_path / "kept")
    for size in (10, 20):
        kept.keep(make(tmp_path / "running", size), "training-job-a")
    assert names(kept) == ["training-job-a"]
    assert (tmp_path / "kept" / "training-job-a" / "algo-1" / "ml" / "file").stat().st_size == 20
    kept.keep(tmp_path / "running", "never-ran")
    assert names(kept) == ["training-job-a"]


def test_all_together_have_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_jobs, "MOST_BYTES", 3 << 20)
    kept = FailedJobs(tmp_path / "kept")
    for number, name in enumerate("abc"):
        kept.keep(make(tmp_path / name, 2 << 20), name)
        if name != "c":
            os.utime(tmp_path / "kept" / name, (number, number))
    assert names(kept) == ["c"]
    kept.keep(make(tmp_path / "large", 4 << 20), "large")
    assert "large" not in names(kept)


def test_nothing_is_kept_when_the_disk_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_jobs, "_RESERVE", 1 << 60)
    kept = FailedJobs(tmp_path / "kept")
    kept.keep(make(tmp_path / "running"), "a")
    assert names(kept) == []
    assert (tmp_path / "running").exists(), "its run removes it"


def test_only_jobs_whose_program_failed_are_kept(world: World) -> None:
    kept = FailedJobs(world.settings.failed_jobs)
    world.processed("works", "open('/opt/ml/processing/x', 'w')")
    world.processed("fails", "open('/opt/ml/processing/x', 'w').write('left'); raise SystemExit(3)")
    until(lambda: names(kept) == ["processing-job-fails"], "the failed job's folder is kept")
    folder = kept.find("processing-job-fails")
    assert folder and (folder / "algo-1" / "ml" / "processing" / "x").read_text() == "left"
    until(lambda: not list(world.settings.jobs.iterdir()), "no other folder is left")
