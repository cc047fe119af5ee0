"""The folders of jobs whose program failed, kept so that one can look at what it had: the newest few of a region."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_sagemaker.files.removal import discard
from local_sagemaker.files.untrusted_folder import Folder

MOST = 5
MOST_BYTES = 4 << 30
"""Of all of them together."""
_RESERVE = 1 << 30
"""Bytes of the disk that are left free for other things."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FailedJob:
    """A kept folder, with a folder in it for each host. `failed` is in seconds since the epoch."""

    folder: Path
    failed: float
    bytes: int

    @property
    def name(self) -> str:
        """``processing-job-NAME`` or ``training-job-NAME``."""
        return self.folder.name


class FailedJobs:
    """The kept folders of a region. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._borrowed: set[str] = set()

    def keep(self, folder: Path, name: str) -> None:
        """Takes over a job's folder, instead of one of the same name, and removes the oldest that are too many."""
        with self._lock:
            target = self._folder / name
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                if shutil.disk_usage(self._folder).free < _RESERVE:
                    return
                discard(target)
                folder.rename(target)
                os.utime(target)
                self._remove_oldest()
            except FileNotFoundError:
                return  # it has failed before it had a folder
            except OSError as error:
                log.warning("the folder of the failed %s can't be kept: %s", name, error)

    def find(self, name: str) -> Path | None:
        """The folder of that name."""
        folder = self._folder / name
        return folder if folder.is_dir() else None

    @contextmanager
    def borrowed(self, name: str) -> Iterator[bool]:
        """Has the folder for oneself as long as this lasts; False when somebody else has it."""
        with self._lock:
            free = name not in self._borrowed
            self._borrowed.add(name)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._borrowed.discard(name)

    def list(self) -> list[FailedJob]:
        """All, the newest first."""
        if not self._folder.is_dir():
            return []
        jobs = [FailedJob(place, place.stat().st_mtime, _measure(place)) for place in self._folder.iterdir()]
        return sorted(jobs, key=lambda job: job.failed, reverse=True)

    def remove(self, name: str | None = None) -> int:
        """Removes one, or all; how many that were."""
        chosen = [job for job in self.list() if name in (None, job.name)]
        for job in chosen:
            discard(job.folder)
        return len(chosen)

    def _remove_oldest(self) -> None:
        size = 0
        for number, job in enumerate(self.list()):
            size += job.bytes
            if (number >= MOST or size > MOST_BYTES) and job.name not in self._borrowed:
                log.info("the folder of the failed %s is removed: there are newer ones", job.name)
                discard(job.folder)


def _measure(folder: Path) -> int:
    """The bytes that it takes of the disk; files with several names count once."""
    sizes: dict[tuple[int, int], int] = {}
    with Folder(folder) as opened:
        for kind, _, status in opened.tree():
            if kind == stat.S_IFREG:
                sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(sizes.values())
