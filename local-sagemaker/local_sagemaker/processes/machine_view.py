"""What a job's process sees of the machine: the system's programs, and the interpreter's libraries wherever they are.

Everything else of the machine (homes, data, the service's state folder) does not exist in the job's root. Names on the
way that are symbolic links are links there, too.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SYSTEM = ("/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix", "/gnu",
          "/home/linuxbrew/.linuxbrew", "/var/lib/dpkg", "/var/lib/apt", "/var/lib/rpm")  # fmt: skip
"""Folders of programs, their configuration, and the lists of installed packages."""

_CONFIGURATION = ("/etc/resolv.conf", "/etc/localtime", "/etc/ssl/certs", "/etc/pki/tls/certs")
"""Often links to places outside of /etc."""
PRIVATE = (Path("/tmp"), Path("/opt/ml"))
"""Places that each job has for itself. What is shown of the machine below them is shown apart from what holds them."""
_MOST_LINKS = 40


@dataclass(frozen=True)
class MachineView:
    """`shown` are files and folders of the machine, none inside another unless a private place lies between them;
    `links` symbolic links on the way to them.

    `mounted` are mounts below the shown ones, which a copy-on-write view does not include by itself; `hidden` folders
    inside of them that are to be empty.
    """

    shown: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    mounted: tuple[Path, ...]
    hidden: tuple[Path, ...]

    def includes(self, path: Path) -> bool:
        """Whether the path, as it is named, exists in the root of jobs if it does on the machine."""
        return any(path == shown or shown in path.parents for shown in self.shown)


def look(paths: Iterable[Path], hidden: Iterable[Path]) -> MachineView:
    """The view that has the system's folders and the `paths`, without the `hidden` folders."""
    links: dict[Path, str] = {}
    wanted = [*map(Path, SYSTEM), *(path for path in paths if path.is_absolute()), *map(Path, _CONFIGURATION)]
    real = [place for place in (_trace(path, links) for path in wanted) if place is not None]
    shown = outermost(place for place in real if place != Path("/"))
    outside = tuple(item for item in links.items() if not _is_below(item[0], shown))
    mounted = tuple(place for place in _mount_points() if _is_below(place, shown))
    concealed = tuple(place for place in (_trace(path, {}) for path in hidden) if place and _is_below(place, shown))
    return MachineView(tuple(shown), outside, mounted, concealed)


def outermost(places: Iterable[Path]) -> list[Path]:
    """The places without those that lie in another one, from which no private place divides them."""
    outer: list[Path] = []
    for place in sorted(set(places)):
        if not any(other in place.parents and not _is_divided(other, place) for other in outer):
            outer.append(place)
    return outer


def _is_divided(above: Path, place: Path) -> bool:
    return any(private in place.parents and (private == above or above in private.parents) for private in PRIVATE)


def trace(path: Path) -> tuple[Path | None, dict[Path, str]]:
    """The real place of a path (None: it does not exist), and the symbolic links on the way with their texts."""
    links: dict[Path, str] = {}
    return _trace(path, links), links


def _is_below(place: Path, folders: Iterable[Path]) -> bool:
    return any(folder in place.parents for folder in folders)


def _trace(path: Path, links: dict[Path, str]) -> Path | None:
    place, left, followed = Path("/"), list(path.parts[1:]), 0
    while left:
        part = left.pop(0)
        if part == "..":
            place = place.parent
            continue
        step = place / part
        if not os.path.islink(step):  # noqa: PTH114 - False where this user may not look
            place = step
            continue
        text = os.readlink(step)  # noqa: PTH115 - the text as it is
        links[step] = text
        followed += 1
        if followed > _MOST_LINKS:
            return None
        if text.startswith("/"):
            place = Path("/")
        left = [part for part in Path(text).parts if part != "/"] + left
    return place if os.path.exists(place) else None  # noqa: PTH110 - the same


def _mount_points() -> list[Path]:
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    return [Path(_unescape(line.split(" ")[4])) for line in lines]


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
