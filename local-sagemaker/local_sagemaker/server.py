"""The service process: takes the lock and the port, builds the application, serves it until SIGTERM or SIGINT.

Started by `lifecycle.start`, which waits on a pipe for one word: ``ready``, ``locked``, or why it did not work.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import resource
import signal
import socket
import sys
import time
from typing import IO, Any

from local_sagemaker import __version__, allocator
from local_sagemaker.clock import now
from local_sagemaker.config import Settings, SettingsError
from local_sagemaker.errors import ServiceError
from local_sagemaker.lifecycle import LifecycleError, prepare_home
from local_sagemaker.state_folder import keep_temporary_files


def main(arguments: list[str] | None = None) -> int:
    """Runs the service in this process until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local_sagemaker.server")
    parser.add_argument("--ready-fd", type=int, default=1, help="file descriptor that gets 'ready' or the reason")
    parser.add_argument("--last-port", type=int, default=0, help="taken again if it is free, so that clients find it")
    options = parser.parse_args(arguments)
    allocator.use_one_arena()
    with os.fdopen(options.ready_fd, "w") as ready:
        try:
            settings = Settings.from_environment()
            prepare_home(settings.home)
            lock = _take_lock(settings)
            if lock is None:
                ready.write("locked")
                return 1
            listening = _listen(settings, options.last_port)
            return _serve(settings, listening, ready)
        except (LifecycleError, ServiceError, SettingsError) as error:
            ready.write(str(error))
            return 1


def _take_lock(settings: Settings) -> IO[str] | None:
    """The lock file, kept open (and so locked) for the life of the process; None when another service has it."""
    file = (settings.home / "lock").open("w")
    deadline = time.monotonic() + PROBE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(0.005)
                continue
            file.close()
            return None
        _LOCKS.append(file)
        return file


PROBE = 0.5
"""Seconds after which a held lock is a service's: who only looks whether one runs holds it for an instant."""

_LOCKS: list[IO[str]] = []


def _listen(settings: Settings, last: int) -> socket.socket:
    """A listening socket on the configured port, else on the last one if it is free, else on any."""
    wanted = [settings.port] if settings.port else [last, 0]
    for port in wanted:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, port))
        except OSError as error:
            listening.close()
            if settings.port:
                raise LifecycleError(
                    f"Port {port} on {settings.host} can't be used ({error.strerror}). "
                    "Choose another with --port, or leave it out to get a free one."
                ) from error
            continue
        listening.listen(1024)
        return listening
    raise LifecycleError(f"No port is free on {settings.host}.")


def _describe(settings: Settings, listening: socket.socket, *, ready: bool) -> str:
    port = listening.getsockname()[1]
    described: dict[str, Any] = {
        "pid": os.getpid(), "port": port, "url": f"http://{settings.host}:{port}", "version": __version__,
        "account": settings.account, "region": settings.region, "started": now(), "ready": ready,
    }  # fmt: skip
    temporary = settings.service_file.with_suffix(".new")
    temporary.write_text(json.dumps(described))
    temporary.replace(settings.service_file)
    return str(described["url"])


def _allow_connections() -> None:
    """As many open files, and so connections, as the machine lets this user have; usual limits are of 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


CONNECTIONS = 16_384
SERVER_OPTIONS: dict[str, Any] = {
    "interface": "asgi3", "loop": "uvloop", "lifespan": "off", "log_config": None, "access_log": False,
    "proxy_headers": False, "timeout_keep_alive": 75, "timeout_graceful_shutdown": 2, "server_header": False,
}  # fmt: skip


def _serve(settings: Settings, listening: socket.socket, ready: IO[str]) -> int:
    import uvicorn

    from local_sagemaker.app import Application
    from local_sagemaker.wire.connections import BoundedProtocol, expire

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    _allow_connections()
    url = _describe(settings, listening, ready=False)
    application = Application(settings, url)
    keep_temporary_files(settings.home)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            _describe(settings, listening, ready=True)
            ready.write("ready")
            ready.close()
            application.after_ready()

        async def on_tick(self, counter: int) -> bool:
            """Called ten times a second; ends silent connections, and a service whose state folder someone removed."""
            if counter % 5 == 0:
                expire(self.server_state.connections, asyncio.get_running_loop().time())
            if counter % 20 == 0 and not (settings.home / "lock").exists():
                logging.getLogger(__name__).warning("the state folder %s was removed: stopping", settings.home)
                return True
            return await super().on_tick(counter)

    config = uvicorn.Config(application.asgi, http=BoundedProtocol, **SERVER_OPTIONS)
    # uvicorn raises the signal that stopped it once more; the default handler would skip what follows.
    signal.signal(signal.SIGTERM, lambda *_: None)
    started = time.monotonic()
    try:
        Server(config).run(sockets=[listening])
    finally:
        application.close()
        logging.getLogger(__name__).info("stopped after %.1f s", time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
