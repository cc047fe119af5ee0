"""The root folder of a job's process: a container's, made of private folders and copy-on-write views of the machine.

`build` makes it in a folder of the job, in the mount namespace of the process; `enter` moves the process into it,
after which nothing else of the machine has a name. What the process writes goes to the job's folder: into ``root``
what is new, into ``changes`` what belongs below one of the machine's folders (overlayfs). Where the kernel refuses
that for a folder, it is read-only. The folders that every root has are made once (`make_skeleton`), and lie below
``root``, where the kernel takes that.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local_sagemaker.processes import filesystem_changes, system_calls
from local_sagemaker.processes.machine_view import MachineView, trace
from local_sagemaker.processes.system_calls import BIND, NO_DEV, NO_EXEC, NO_SUID, RECURSIVE

HOME = "/root"
PYTHON = "/miniconda3"
"""Where the images of AWS have their interpreter."""

_FOLDERS = {"root": 0o700, "tmp": 0o1777, "var/tmp": 0o1777, "home": 0o755, "media": 0o755, "mnt": 0o755,
            "opt/ml": 0o755, "proc": 0o555, "run": 0o755, "srv": 0o755, "sys": 0o555, "dev": 0o755, "var/cache": 0o755,
            "var/lib": 0o755, "var/log": 0o755, PYTHON[1:]: 0o755}  # fmt: skip
_LINKS = {"var/run": "../run", "var/lock": "../run/lock"}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ACCELERATORS = ("nvidia*", "dri", "kfd", "neuron*")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                 "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}  # fmt: skip
_SETTINGS = ("sys", "sysrq-trigger", "irq", "bus", "fs")
"""Below /proc, what a container's root may read only: it is the machine's."""
_OPEN_FOLDERS = ("/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/share", "/usr/local/etc")
"""Folders that only the machine's root may write, made the job's own: in a container the job is root."""


@dataclass(frozen=True)
class Layout:
    """How roots are made on this machine. `read_only` are the places that can't be changed, not even privately.

    `files` are put into each root (place and content), for instance where packages are installed from.
    """

    view: MachineView
    as_root: bool
    own_pids: bool
    read_only: frozenset[str] = frozenset()
    files: Mapping[str, bytes] = field(default_factory=dict)
    skeleton: Path | None = None
    """A folder with what `make_skeleton` made, which nothing changes any more."""


@dataclass(frozen=True)
class Mounts:
    """What an order adds to a root, by place: `private` folders of the job, and `others`, of the machine.

    `read_only` are the places among the others that can't be written. `locked` makes all but the private ones so.
    """

    private: Mapping[str, Path]
    others: Mapping[str, Path] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()
    files: Mapping[str, Path] = field(default_factory=dict)
    locked: bool = False


def build(folder: Path, layout: Layout) -> None:
    """Makes the root in ``folder/root``; needs the order's mounts yet."""
    root = folder / "root"
    root.mkdir(parents=True, exist_ok=True)
    if not _lay_over_skeleton(root, folder / "work", layout):
        system_calls.mount(str(root), str(root), None, BIND)  # pivot_root wants a mount point
        make_skeleton(root, layout)
    for number, place in enumerate(layout.view.shown):
        _show(place, _at(root, place), folder / "changes" / str(number), layout)
    for place in layout.view.hidden:
        _bind(_made(folder / "empty"), _at(root, place), read_only=True)
    _make_devices(root / "dev", layout)
    _bind(Path("/sys"), root / "sys", read_only=True)
    _make_proc(root / "proc", layout)


def make_skeleton(root: Path, layout: Layout) -> None:
    """Makes what every root has: folders, links, files, and the places where the machine's are shown."""
    for place, text in layout.view.links:
        if str(place)[1:] not in _FOLDERS:
            _link(_at(root, place), text)
    _make_folders(root)
    for place in layout.view.shown:
        _make_place(place, _at(root, place))
    for name, content in layout.files.items():
        _write(_at(root, Path(name)), content)


def _lay_over_skeleton(root: Path, work: Path, layout: Layout) -> bool:
    """Mounts a view on an empty root that has the skeleton below it; False when there is none, or the kernel can't."""
    if layout.skeleton is None:
        return False
    work.mkdir()
    return _mount_overlay(layout.skeleton, root, work, root, as_root=layout.as_root)


def enter(folder: Path, mounts: Mounts, layout: Layout) -> None:
    """Adds what the order wants and makes ``folder/root`` the root of this process and its namespace."""
    root = folder / "root"
    if not mounts.locked:
        _bind_private(root, mounts, layout)
    for place, source in mounts.others.items():
        _bind(source, _prepare(root, Path(place), source), read_only=place in mounts.read_only)
    for place, source in mounts.files.items():
        if (root / place[1:]).exists():
            _bind(source, root / place[1:])
    if mounts.locked:
        system_calls.make_read_only(str(root))
        _mount_shared_memory(root / "dev" / "shm")
        _bind_private(root, mounts, layout)
    os.chdir(root)
    system_calls.pivot_root_here()


def _bind_private(root: Path, mounts: Mounts, layout: Layout) -> None:
    """Binds the job's own folders; what is shown of the machine below them stays where it is."""
    covered = {
        place: os.open(_at(root, place), os.O_PATH)
        for place in layout.view.shown
        if any(Path(private) in place.parents for private in mounts.private)
    }
    for private, source in mounts.private.items():
        _bind(source, _at(root, Path(private)))
    for place, descriptor in covered.items():
        target = _at(root, place)
        if place.is_dir():
            _made(target)
        else:
            _write(target, b"")
        _bind(Path(f"/proc/self/fd/{descriptor}"), target)
        os.close(descriptor)


def _make_folders(root: Path) -> None:
    for name, mode in _FOLDERS.items():
        place = root / name
        if not place.is_dir():
            place.mkdir(parents=True)
            place.chmod(mode)
    for name, text in _LINKS.items():
        _link(root / name, text)


def _link(place: Path, text: str) -> None:
    _made(place.parent)
    with contextlib.suppress(FileExistsError):
        place.symlink_to(text)


def _show(place: Path, target: Path, changes: Path, layout: Layout) -> None:
    """Shows a file or folder of the machine; what is changed below it goes to the folder `changes`."""
    _make_place(place, target)
    if not place.is_dir():
        _bind(place, target, read_only=True)
        return
    if str(place) in layout.read_only or not overlay(place, target, changes, as_root=layout.as_root):
        _bind(place, target, read_only=True)
        return
    (changes / filesystem_changes.PLACE).write_text(str(place), "utf-8")
    for mounted in layout.view.mounted:
        if place in mounted.parents:
            with contextlib.suppress(OSError):
                _bind(mounted, target / mounted.relative_to(place), read_only=True)


def _make_place(place: Path, target: Path) -> None:
    """Makes a place to show a file or folder of the machine at."""
    if place.is_dir():
        _made(target)
    elif not target.exists():
        _write(target, b"")


def overlay(place: Path, target: Path, changes: Path, *, as_root: bool) -> bool:
    """Mounts a copy-on-write view of a folder; False when the kernel can't."""
    upper, work = _made(changes / "upper"), _made(changes / "work")
    status = place.stat()
    upper.chmod(stat.S_IMODE(status.st_mode) | stat.S_IRWXU)
    if as_root:
        os.chown(upper, status.st_uid, status.st_gid)
    else:
        for name in map(Path, _OPEN_FOLDERS):
            if place in name.parents and name.is_dir() and not name.is_symlink():
                _made(upper / name.relative_to(place))
    return _mount_overlay(place, upper, work, target, as_root=as_root)


def _mount_overlay(lower: Path, upper: Path, work: Path, target: Path, *, as_root: bool) -> bool:
    """Mounts a view of a folder at a target, whose changes go to `upper`; False when the kernel can't."""
    # By descriptors, since a path could hold the commas and colons of the options.
    opened = [os.open(folder, os.O_PATH) for folder in (lower, upper, work)]
    try:
        below, above, beside = (f"/proc/self/fd/{descriptor}" for descriptor in opened)
        options = f"lowerdir={below},upperdir={above},workdir={beside}"
        system_calls.mount("overlay", str(target), "overlay", 0, options if as_root else f"{options},userxattr")
    except OSError:
        return False
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return True


def _make_devices(folder: Path, layout: Layout) -> None:
    system_calls.mount("tmpfs", str(folder), "tmpfs", NO_SUID | NO_EXEC, "mode=755,size=64k")
    machine = Path("/dev")
    shown = [machine / name for name in _DEVICES]
    for pattern in _ACCELERATORS:
        shown += machine.glob(pattern)
    for device in shown:
        target = folder / device.name
        if device.is_dir():
            _bind(device, _made(target))
        elif device.exists():
            target.touch()
            _bind(device, target)
    for name, text in _DEVICE_LINKS.items():
        (folder / name).symlink_to(text)
    for name in ("pts", "shm"):
        (folder / name).mkdir()
    options = "newinstance,ptmxmode=0666,mode=620" + (",gid=5" if layout.as_root else "")
    with contextlib.suppress(OSError):
        system_calls.mount("devpts", str(folder / "pts"), "devpts", NO_SUID | NO_EXEC, options)
    _mount_shared_memory(folder / "shm")


def _mount_shared_memory(folder: Path) -> None:
    system_calls.mount("tmpfs", str(folder), "tmpfs", NO_SUID | NO_DEV, "mode=1777")


def _make_proc(folder: Path, layout: Layout) -> None:
    if layout.own_pids:
        system_calls.mount("proc", str(folder), "proc", NO_SUID | NO_DEV | NO_EXEC)
    else:
        _bind(Path("/proc"), folder)
    for name in _SETTINGS:
        if (folder / name).exists():
            _bind(folder / name, folder / name, read_only=True)


def _prepare(root: Path, place: Path, source: Path) -> Path:
    """The mount point of a place, made if it is missing, with the links on the machine's way to it."""
    real = place
    if place == source:
        real_place, links = trace(place)
        real = real_place or place
        for link, text in links.items():
            if not os.path.lexists(root / str(link)[1:]):
                _link(_at(root, link), text)
    target = _at(root, real)
    if source.is_dir():
        return _made(target)
    if not target.exists():
        _write(target, b"")
    return target


def _bind(source: Path, target: Path, *, read_only: bool = False) -> None:
    system_calls.mount(str(source), str(target), None, BIND | RECURSIVE)
    if read_only:
        system_calls.make_read_only(str(target))


def _at(root: Path, place: Path) -> Path:
    """A place below the root. A link on the way must not lead to the machine's."""
    target = root / str(place)[1:]
    if not Path(os.path.realpath(target.parent)).is_relative_to(root):
        raise OSError(40, f"a link leads out of the job's root: {place}")
    return target


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(file: Path, content: bytes) -> None:
    _made(file.parent)
    file.write_bytes(content)


def unwritable(layout: Layout, folder: Path) -> Iterable[str]:
    """The shown folders of which there can be no copy-on-write view here; tried in a namespace of this process."""
    for number, place in enumerate(layout.view.shown):
        if place.is_dir():
            target = _made(folder / "target" / str(number))
            if overlay(place, target, folder / "changes" / str(number), as_root=layout.as_root):
                system_calls.unmount(str(target))
            else:
                yield str(place)
