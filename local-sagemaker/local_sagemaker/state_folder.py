"""What a start of the service finds in its state folder and puts in order."""

from __future__ import annotations

import tempfile
import threading
import uuid
from pathlib import Path

from local_sagemaker.files.removal import discard

_TRANSIENT = ("jobs", "endpoints")
"""Folders of running work: none is left of a service that ended in order."""


def discard_leftovers(home: Path) -> None:
    """Removes, in the background, what running work of a killed service left, and what it had not yet removed."""
    old = [folder for name in _TRANSIENT for folder in home.glob(f".{name}-*")]
    old += home.glob(".local-sagemaker-*")  # of trials of isolation
    old += home.glob("functions/*/*/.*")  # archives of functions that were being taken or unpacked
    for name in _TRANSIENT:
        folder = home / name
        if folder.is_dir():
            aside = home / f".{name}-{uuid.uuid4().hex}"
            folder.rename(aside)
            old.append(aside)
    (home / "jobs").mkdir(parents=True, exist_ok=True)

    def remove() -> None:
        for folder in old:
            discard(folder)

    if old:
        threading.Thread(target=remove, name="leftovers", daemon=True).start()


def keep_temporary_files(home: Path) -> None:
    """This process's temporary files are in the state folder from now on, and so removed after a crash."""
    folder = home / "jobs" / ".temporary"
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(folder)


def move_into_regions(home: Path, region: str) -> None:
    """Logs and functions of the first layout, which knew no regions, are moved to that of their records.

    A log group is a folder with a ``.group.json``; a region's folder holds such folders.
    """
    for group in list((home / "logs").glob("*/.group.json")):
        _move(group.parent, home / "logs" / region)
    for name in ("code", "unpacked", "sandboxes"):
        if (home / "functions" / name).is_dir():
            _move(home / "functions" / name, home / "functions" / region)


def _move(folder: Path, into: Path) -> None:
    if folder != into:
        into.mkdir(parents=True, exist_ok=True)
        folder.rename(into / folder.name)
