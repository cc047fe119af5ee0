"""How jobs are kept apart on this machine: by Linux namespaces, else by rewriting paths.

The fork server enters a mount namespace at its start (`enter`; with a user namespace when it is not root). Each process
that it forks gets a mount and a PID namespace from that, and a root of its own (`job_root`), which costs a few system
calls ahead of its order. Where namespaces are not permitted, a job has a private working directory, and paths are
rewritten (`path_rewriting.py`). `probe` says which way this machine has.

It runs in the image's Python (3.9 and later).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_sagemaker.processes import (
    environment,
    filesystem_changes,
    job_root,
    machine_view,
    pid_namespaces,
    system_calls,
)
from local_sagemaker.processes.job_root import Layout, Mounts
from local_sagemaker.processes.pid_namespaces import PidNamespaces

VARIABLE = "LOCAL_SAGEMAKER_ISOLATION"
"""Set to ``user`` or ``rewrite``, it forces that way even where a better one is permitted."""
MOUNT, USER, REWRITE = "mount namespaces", "user and mount namespaces", "path rewriting"


@dataclass(frozen=True)
class Isolation:
    """The way jobs are kept apart here (`MOUNT`, `USER` or `REWRITE`), and why it is not a better one.

    `own_pids`: each has a PID namespace. `read_only` are the shown folders of the machine that a job can't change, not
    even privately.
    """

    way: str
    reason: str = ""
    own_pids: bool = False
    read_only: tuple[str, ...] = ()

    @property
    def namespaces(self) -> bool:
        """Whether jobs see their own /opt/ml and /tmp at these very paths, and a root of their own."""
        return self.way != REWRITE

    def __str__(self) -> str:
        """The way, and in brackets why it is not a better one."""
        return f"{self.way} ({self.reason})" if self.reason else self.way


def probe(home: Path) -> Isolation:
    """Tries the ways in a process of its own, with a state folder at `home`, and says which is the best that works."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from pathlib import Path; import json, dataclasses; "
    code += f"from {__name__} import choose; print(json.dumps(dataclasses.asdict(choose(Path({str(home)!r})))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        return Isolation(REWRITE, done.stderr.strip()[-500:])
    return from_message(json.loads(done.stdout))


def from_message(message: dict[str, Any]) -> Isolation:
    """From what `dataclasses.asdict` made of one, by way of JSON."""
    return Isolation(**{**message, "read_only": tuple(message["read_only"])})


def choose(home: Path, visible: Iterable[Path] = ()) -> Isolation:
    """Like `probe`, from a single-threaded process: each way is tried in a forked child that does the real thing."""
    forced = os.environ.get(VARIABLE, "")
    if forced == "rewrite":
        return Isolation(REWRITE, f"{VARIABLE}=rewrite is set")
    if not sys.platform.startswith("linux"):
        return Isolation(REWRITE, f"no namespaces on {sys.platform}")
    reasons: list[str] = []
    for way in (MOUNT, USER) if os.geteuid() == 0 and forced != "user" else (USER,):
        result = _trial(way, home, visible)
        if "problem" not in result:
            return Isolation(way, "; ".join(reasons), bool(result["own_pids"]), tuple(result["read_only"]))
        reasons.append(f"{way}: {result['problem']}")
    return Isolation(REWRITE, "; ".join(reasons))


def enter(isolation: Isolation) -> None:
    """Moves the (single-threaded) fork server into its namespace."""
    if not isolation.namespaces:
        return
    user, group = os.geteuid(), os.getegid()
    system_calls.unshare(system_calls.NEWNS | (system_calls.NEWUSER if isolation.way == USER else 0))
    if isolation.way == USER:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    system_calls.mount("none", "/", None, system_calls.RECURSIVE | system_calls.PRIVATE)


def layout(isolation: Isolation, home: Path, visible: Iterable[Path] = ()) -> Layout:
    """How the roots of jobs are to be made: with this interpreter's libraries and the `visible` places."""
    named = environment.named_places(os.environ)
    return Layout(
        machine_view.look([*interpreter(), *named, *visible], [home]),
        as_root=isolation.way == MOUNT,
        own_pids=isolation.own_pids,
        read_only=frozenset(isolation.read_only),
        files=environment.installers_settings(Path.home()),
    )


def interpreter() -> list[Path]:
    """The folders that this interpreter and its packages are in, and this package."""
    names = ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
    folders = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    folders += [sysconfig.get_path(name) for name in names]
    folders += [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    folders += [str(Path(getattr(sys, "_base_executable", "") or sys.executable).parent)]
    return [Path(folder) for folder in (*folders, str(Path(__file__).parents[1])) if folder]


def drop_privileges(isolation: Isolation) -> None:
    """Leaves this process the capabilities of a container's root, or of an ordinary user."""
    system_calls.drop_capabilities(system_calls.CONTAINER if isolation.way == MOUNT else frozenset())


def _trial(way: str, home: Path, visible: Iterable[Path]) -> dict[str, Any]:
    """Does in a child what the fork server and a job do: what it could, or a ``problem``."""
    existing = next(folder for folder in (home / "jobs", home, *home.parents) if folder.is_dir())
    place = existing if os.access(existing, os.W_OK) else None
    # Named as what a fork server prepares: when it is killed, the service removes that.
    prefix = f".prepared-{os.getpid()}-trial-" if existing.name == "jobs" else ".local-sagemaker-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    reading, writing = os.pipe()
    own = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            system_calls.die_with_parent(own)
            os.close(reading)
            os.write(writing, json.dumps(_try(way, folder, home, visible)).encode())
        except OSError as error:
            os.write(writing, json.dumps({"problem": str(error)[:500]}).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(pid, 0)
    filesystem_changes.remove_layers(folder)
    return json.loads(text) if text else {"problem": "the trial crashed"}  # type: ignore[no-any-return]


def _try(way: str, folder: Path, home: Path, visible: Iterable[Path]) -> dict[str, Any]:
    enter(Isolation(way))
    namespaces = PidNamespaces()
    try:
        own_pids = _can_have_pids(namespaces, folder)
        bare = layout(Isolation(way, own_pids=own_pids), home, visible)
        read_only = tuple(job_root.unwritable(bare, folder))
        isolation = Isolation(way, "", own_pids, read_only)
        if own_pids:
            _in_namespace(namespaces, lambda: _make_root(folder, isolation, home, visible))
        else:
            system_calls.unshare(system_calls.NEWNS)
            _make_root(folder, isolation, home, visible)
    finally:
        namespaces.close()
    return {"own_pids": own_pids, "read_only": read_only}


def _can_have_pids(namespaces: PidNamespaces, folder: Path) -> bool:
    def mount_proc() -> None:
        target = folder / "proc"
        target.mkdir()
        system_calls.mount("proc", str(target), "proc", 0)

    try:
        _in_namespace(namespaces, mount_proc)
    except (OSError, AttributeError):  # of kernels before 5.3, and where /proc is masked
        return False
    return True


def _in_namespace(namespaces: PidNamespaces, action: Callable[[], None]) -> None:
    """Does something in a child with namespaces of its own. Raises OSError with the child's problem."""
    namespace = namespaces.new()
    reading, writing = os.pipe()
    pid = pid_namespaces.fork_into(namespace)
    if pid == 0:
        try:
            system_calls.set_namespace(namespace.mounts, system_calls.NEWNS)
            action()
        except OSError as error:
            os.write(writing, str(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        problem = pipe.read().decode("utf-8", "replace")
    os.waitpid(pid, 0)
    namespace.end()
    if problem:
        raise OSError(problem)


def _make_root(folder: Path, isolation: Isolation, home: Path, visible: Iterable[Path]) -> None:
    """Makes a root as for a job, and looks whether it is one."""
    (folder / "ml").mkdir()
    (folder / "hosts").write_text("")
    way = layout(isolation, home, visible)
    job_root.build(folder, way)
    job_root.enter(folder, Mounts({"/opt/ml": folder / "ml"}, files={"/etc/hosts": folder / "hosts"}), way)
    Path("/opt/ml/seen").touch()
    Path("/seen").touch()
    drop_privileges(isolation)
    if folder.exists() or not shutil.which("sh", path="/usr/bin:/bin"):
        raise OSError("the root is not the job's own")
