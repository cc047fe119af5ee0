"""One service per state folder: start it detached, find it, stop it. Standard library only: it is on the
command line's hot path.

A lock on ``<home>/lock`` is held by the running service, whatever its process id; ``service.json`` says where it is.
One start at a time (``<home>/start.lock``) removes the last run's description before its service can take the lock: a
description beside a held lock is always the holder's.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_sagemaker import environment_allowlist
from local_sagemaker.config import Settings


class LifecycleError(Exception):
    """The service can't be started or stopped; the message says why and what to do."""


def find_running(settings: Settings) -> dict[str, Any] | None:
    """What ``service.json`` says of the running service (pid, url, version, started), or None."""
    lock = settings.home / "lock"
    if not lock.exists():
        return None
    with lock.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read_description(settings)
    return None


def _read_description(settings: Settings) -> dict[str, Any] | None:
    with contextlib.suppress(OSError, ValueError):
        described: dict[str, Any] = json.loads(settings.service_file.read_text())
        return described if described.get("ready") else None
    return None


def start(settings: Settings, timeout: float = 60.0) -> dict[str, Any]:
    """Starts the service in the background, waits until it is ready, and returns where it is. Idempotent."""
    service = find_running(settings)
    if service:
        return service
    prepare_home(settings.home)
    with _only_start(settings, timeout):
        return find_running(settings) or _spawn(settings, timeout)


@contextlib.contextmanager
def _only_start(settings: Settings, timeout: float) -> Iterator[None]:
    """Waits until no other process starts a service on this state folder."""
    deadline = time.monotonic() + timeout
    with (settings.home / "start.lock").open("w") as file:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                raise LifecycleError(f"Another start holds {file.name} for more than {timeout:.0f} s.")
            time.sleep(0.02)
        yield


def _spawn(settings: Settings, timeout: float) -> dict[str, Any]:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "local_sagemaker.server", "--ready-fd", str(writer)]
    command += ["--last-port", str(_forget_last(settings))]
    environment = {
        **environment_allowlist.of_service(os.environ),
        "LOCAL_SAGEMAKER_HOME": str(settings.home),
        "LOCAL_SAGEMAKER_PORT": str(settings.port),
        "LOCAL_SAGEMAKER_REGION": settings.region,
        "LOCAL_SAGEMAKER_ACCOUNT": settings.account,
    }
    environment.pop("PYTHONPATH", None)
    with (settings.home / "service.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[writer],
            start_new_session=True, cwd=_import_folder(),
        )  # fmt: skip
    os.close(writer)
    threading.Thread(target=process.wait, daemon=True).start()  # a parent that lives on leaves no zombie
    with os.fdopen(reader) as pipe:
        response = _read_response(pipe, process, timeout)
    if response == "ready":
        service = find_running(settings)
        if service:
            return service
    if response == "locked":
        return _wait_for_other(settings, timeout)
    raise LifecycleError(response or f"The service ended at its start; see {settings.home / 'service.log'}.")


def _forget_last(settings: Settings) -> int:
    """The port of the last run (0: none), whose description is removed: it must not pass for the next run's."""
    try:
        port = int(json.loads(settings.service_file.read_text())["port"])
    except (OSError, ValueError, KeyError):
        port = 0
    settings.service_file.unlink(missing_ok=True)
    return port


def _import_folder() -> str:
    """A folder from which the package is importable, also when it runs from a checkout."""
    return str(Path(__file__).resolve().parent.parent)


def _read_response(pipe: Any, process: subprocess.Popen[bytes], timeout: float) -> str:
    import select

    ready, _, _ = select.select([pipe], [], [], timeout)
    if not ready:
        process.terminate()
        return f"The service was not ready within {timeout:.0f} s; it has been stopped."
    return str(pipe.read().strip())


def _wait_for_other(settings: Settings, timeout: float) -> dict[str, Any]:
    """Another start on the same folder won the lock: wait until that one is ready."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        service = find_running(settings)
        if service:
            return service
        time.sleep(0.02)
    raise LifecycleError(f"Another process holds {settings.home / 'lock'} but does not respond.")


def stop(settings: Settings, timeout: float = 30.0) -> bool:
    """Stops the running service and waits for its end. False when none runs."""
    service = find_running(settings)
    if not service:
        return False
    os.kill(service["pid"], signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if not find_running(settings) and not _is_locked(settings):
            return True
        time.sleep(0.01)
    raise LifecycleError(f"The service (process {service['pid']}) did not stop within {timeout:.0f} s.")


def _is_locked(settings: Settings) -> bool:
    with (settings.home / "lock").open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def prepare_home(home: Path) -> None:
    """Makes the state folder, readable by its owner only, and keeps it out of version control."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise LifecycleError(
            f"The state folder {home} can't be used ({error.strerror}). "
            "Set LOCAL_SAGEMAKER_HOME to a folder that you can write to."
        ) from error
