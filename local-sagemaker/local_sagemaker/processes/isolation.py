"""Own /opt/ml, /tmp and /etc/hosts for every job, by Linux mount namespaces.

The fork server enters one namespace at its start (`enter`: private propagation, a mount point for /opt/ml); every
child unshares from that (`unshare`) and binds its folders (`mount_root`), which costs a few system calls. Where
namespaces are not permitted, paths are rewritten instead (`rewriting.py`). `probe` says which way this machine has.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "LOCAL_SAGEMAKER_ISOLATION"
"""Set to ``user`` or ``rewrite``, it forces that way even where a better one is permitted."""
MOUNT, USER, REWRITE = "mount namespaces", "user and mount namespaces", "path rewriting"

_NEWNS, _NEWUSER = 0x00020000, 0x10000000
_BIND, _REC, _PRIVATE = 0x1000, 0x4000, 0x40000
_READ_ONLY, _REMOUNT = 0x1, 0x20
_ML, _TMP, _HOSTS = Path("/opt/ml"), Path("/tmp"), Path("/etc/hosts")


@dataclass(frozen=True)
class Isolation:
    """The way jobs are kept apart here (`MOUNT`, `USER` or `REWRITE`), and why it is not a better one."""

    way: str
    reason: str = ""

    @property
    def namespaces(self) -> bool:
        """Whether jobs see their own /opt/ml and /tmp at these very paths."""
        return self.way != REWRITE

    def __str__(self) -> str:
        """The way, and in brackets why it is not a better one."""
        return f"{self.way} ({self.reason})" if self.reason else self.way


def probe() -> Isolation:
    """Tries the ways in a process of its own and tells the best that works."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import choose; found = choose(); "
    code += "print(found.way); print(found.reason)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    way, _, reason = done.stdout.partition("\n")
    return Isolation(way, reason.strip()) if way else Isolation(REWRITE, done.stderr.strip()[-500:])


def choose() -> Isolation:
    """Like `probe`, from a single-threaded process: each way is tried in a forked child that does the real thing."""
    forced = os.environ.get(VARIABLE, "")
    if forced == "rewrite":
        return Isolation(REWRITE, f"{VARIABLE}=rewrite is set")
    if not sys.platform.startswith("linux"):
        return Isolation(REWRITE, f"no namespaces on {sys.platform}")
    reasons: list[str] = []
    for way in (MOUNT, USER) if os.geteuid() == 0 and forced != "user" else (USER,):
        problem = _trial(way)
        if problem is None:
            return Isolation(way, "; ".join(reasons))
        reasons.append(f"{way}: {problem}")
    return Isolation(REWRITE, "; ".join(reasons))


def enter(isolation: Isolation) -> None:
    """Moves the (single-threaded) fork server into its namespace, where /opt/ml is a mount point."""
    if not isolation.namespaces:
        return
    user, group = os.geteuid(), os.getegid()
    _unshare(_NEWNS | (_NEWUSER if isolation.way == USER else 0))
    if isolation.way == USER:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount("none", "/", None, _REC | _PRIVATE)
    _make_place(_ML)


def unshare() -> None:
    """Gives a child of the fork server mounts of its own."""
    _unshare(_NEWNS)


def mount_root(root: Path, hosts: Mapping[str, str], keep: Iterable[Path]) -> None:
    """Puts ``root/ml`` at /opt/ml, ``root/tmp`` at /tmp, and the extra host names into /etc/hosts.

    `keep` are folders that must stay visible where they are, even under /tmp: the interpreter, the packages, the
    state folder.
    """
    _cover(_ML, root / "ml", keep)
    if hosts and _HOSTS.is_file():
        own = root / "hosts"
        own.write_text(_HOSTS.read_text("utf-8", "replace") + "".join(f"{ip}\t{name}\n" for name, ip in hosts.items()))
        _mount(str(own), str(_HOSTS), None, _BIND)
    _cover(_TMP, root / "tmp", [*keep, root])


def outermost(folders: Iterable[Path], inside: Path) -> list[Path]:
    """The folders at or below `inside`, without those that lie in another of them."""
    found: list[Path] = []
    for folder in sorted(set(folders)):
        if folder.is_relative_to(inside) and folder != inside and not any(folder.is_relative_to(f) for f in found):
            found.append(folder)
    return found


def _cover(place: Path, folder: Path, keep: Iterable[Path]) -> None:
    kept = [(path, os.open(path, os.O_PATH)) for path in outermost(keep, place) if path.exists()]
    _mount(str(folder), str(place), None, _BIND | _REC)
    for path, descriptor in kept:
        path.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", str(path), None, _BIND | _REC)
        os.close(descriptor)


def show(folder: Path, place: Path) -> None:
    """Puts a folder at a place of this process's namespace, read-only where the kernel permits that."""
    _make_place(place)
    _mount(str(folder), str(place), None, _BIND)
    with contextlib.suppress(OSError):  # in a user namespace, where the mount has flags that must not change
        _mount("none", str(place), None, _BIND | _REMOUNT | _READ_ONLY)


def _make_place(place: Path) -> None:
    """Makes a mount point without leaving a trace: its parent is covered by one with what the machine's has."""
    if place.is_dir():
        return
    parent = place.parent
    with os.scandir(parent) as entries:
        children = [(entry.name, entry.is_symlink(), entry.is_dir()) for entry in entries]
    old = os.open(parent, os.O_PATH)
    _mount("tmpfs", str(parent), "tmpfs", 0)
    for name, link, folder in children:
        source, target = f"/proc/self/fd/{old}/{name}", parent / name
        if link:
            target.symlink_to(Path(source).readlink())
            continue
        target.mkdir() if folder else target.touch()
        _mount(source, str(target), None, _BIND | _REC)
    place.mkdir()
    os.close(old)


def _trial(way: str) -> str | None:
    """Does in a child what the fork server and a job do; answers what went wrong, or None."""
    folder = Path(tempfile.mkdtemp(prefix="local-sagemaker-"))
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for name in ("ml", "tmp"):
                (folder / name).mkdir()
            enter(Isolation(way))
            unshare()
            mount_root(folder, {"algo-1": "127.0.0.1"}, [])
            (_ML / "seen").touch()
            os.write(writing, b"" if (folder / "ml" / "seen").exists() else b"/opt/ml is not the job's own")
        except OSError as error:
            os.write(writing, str(error).encode()[:500])
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        problem = pipe.read().decode()
    os.waitpid(pid, 0)
    shutil.rmtree(folder, ignore_errors=True)
    return problem or None


def _unshare(flags: int) -> None:
    if _libc().unshare(flags) != 0:
        raise _error("unshare")


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    result = _libc().mount(os.fsencode(source), os.fsencode(target), kind.encode() if kind else None, flags, None)
    if result != 0:
        raise _error(f"mount {target}")


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
    return libc


def _error(action: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{action}: {os.strerror(number)}")


def die_with_parent(parent: int) -> None:
    """Has the kernel kill this process when its parent ends; `parent` is the pid that is expected to live."""
    if sys.platform.startswith("linux"):
        _libc().prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
        if os.getppid() != parent:
            os._exit(0)


def adopt_orphans() -> None:
    """Makes this process the parent of its descendants' orphans, so that none can slip away."""
    if sys.platform.startswith("linux"):
        _libc().prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
