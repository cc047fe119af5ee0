"""What a process that has ended changed outside of its own folders, brought into the root of one that continues there.

The kernel takes no folder of changes into a view that is mounted, so each change is made again: files and folders that
are new, files that differ, and what was removed, which overlayfs keeps as a device without a number. That is done by
the process that continues, from inside its root: no link that the earlier one left leads out of it.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import stat
from pathlib import Path

NAME = "earlier"
"""The folder beside ``layers`` that has the earlier changes, until all are made again."""
PLACE = "place"
"""The file beside a folder of changes that says which folder of the machine they belong to."""
_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


def bring(descriptor: int) -> None:
    """Makes the changes in the folder ``earlier`` of an open folder in the root of this process, and removes them."""
    folder = Path(f"/proc/self/fd/{descriptor}")
    earlier = folder / NAME
    if not earlier.is_dir():
        return
    _merge(earlier / "root", Path("/"))
    for changes in sorted(earlier.glob("changes/*")):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            _merge(changes / "upper", Path((changes / PLACE).read_text("utf-8")))
    over = folder / f"{NAME}-over"
    remove_layers(over)  # of an earlier time that was stopped here
    earlier.rename(over)
    remove_layers(over)


def remove_layers(folder: Path) -> None:
    """Removes the root of a process that has ended; overlayfs leaves a folder that even its owner may not read."""
    for work in (*folder.glob("work/work"), *folder.glob("changes/*/work/work")):
        with contextlib.suppress(OSError):
            work.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _merge(folder: Path, target: Path) -> None:
    """Makes the target's entries those of the folder where it has some; both exist."""
    for entry in sorted(folder.iterdir()):
        there, status = target / entry.name, entry.lstat()
        if _has_mounts(there) and not stat.S_ISDIR(status.st_mode):
            continue  # the job can't have removed it: it has only moved what is above
        if stat.S_ISDIR(status.st_mode):
            _merge_folder(entry, there, status)
        elif stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            _remove(there)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            _remove(there)
            shutil.copy2(entry, there, follow_symlinks=False)
            _own(there, status)


def _merge_folder(entry: Path, there: Path, status: os.stat_result) -> None:
    if os.path.ismount(there):
        return  # what is mounted there has its own folder of changes, or none
    is_folder = there.is_dir() and not there.is_symlink()
    if os.path.lexists(there) and (not is_folder or (_is_opaque(entry) and not _has_mounts(there))):
        _remove(there)
    if not there.exists():
        there.mkdir()
        _own(there, status)
    if stat.S_IMODE(there.stat().st_mode) != stat.S_IMODE(status.st_mode):
        with contextlib.suppress(OSError):  # a place that is the machine's
            there.chmod(stat.S_IMODE(status.st_mode))
    _merge(entry, there)


def _has_mounts(place: Path) -> bool:
    """Whether something is mounted at the place or below it."""
    return any(one == str(place) or one.startswith(f"{place}/") for one in _mounted())


@functools.lru_cache(maxsize=1)
def _mounted() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines()
    return [line.split()[4] for line in lines]


def _is_opaque(folder: Path) -> bool:
    """Whether it replaced a folder of the machine's instead of adding to it."""
    for name in _OPAQUE:
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"y":
                return True
    return False


def _own(place: Path, status: os.stat_result) -> None:
    with contextlib.suppress(OSError):
        os.chown(place, status.st_uid, status.st_gid, follow_symlinks=False)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            place.unlink()
