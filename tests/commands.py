"""Runs the project's commands as `Service.run` does, by the process of `command_server` that has the SDK loaded."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from tests.support import ROOT, Service

PROJECT_COMMANDS = (
    "check-report", "delivery", "get-pipeline-definition", "local-model", "model-registry", "run-pipeline",
)  # fmt: skip
LOADING = 240.0
"""Seconds that importing the SDK may take on a busy machine."""


class CommandServer:
    """The process; its own environment is that of the first service, its children's that of theirs."""

    def __init__(self, environment: dict[str, str]) -> None:
        program = ROOT / "tests" / "command_server.py"
        self._process = subprocess.Popen(
            [sys.executable, str(program)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
        )
        atexit.register(self.close)

    def run(
        self, words: tuple[str, ...], environment: dict[str, str], folder: Path, given: str | None, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        with tempfile.TemporaryDirectory(prefix="command-") as room:
            streams = [Path(room) / name for name in ("input", "output", "errors")]
            streams[0].write_text(given or "")
            request = {
                "words": words,
                "environment": environment,
                "folder": str(folder),
                "streams": [*map(str, streams)],
            }
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            child = self._read(LOADING)
            try:
                code = self._read(timeout)
            except TimeoutError as error:
                os.kill(child, signal.SIGKILL)
                self._read(timeout)
                raise subprocess.TimeoutExpired(
                    words, timeout, streams[1].read_text(), streams[2].read_text()
                ) from error
            return subprocess.CompletedProcess(words, code, streams[1].read_text(), streams[2].read_text())

    def close(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(60)

    def _read(self, timeout: float) -> int:
        output: IO[bytes] | None = self._process.stdout
        assert output is not None
        ready, _, _ = select.select([output], [], [], timeout)
        if not ready:
            raise TimeoutError
        line = b""
        while not line.endswith(b"\n"):  # a line at a time: what is buffered would not be selected
            byte = os.read(output.fileno(), 1)
            assert byte, "the process that runs commands has ended; its error is above"
            line += byte
        return int(line)


_servers: list[CommandServer] = []


def run_command(
    service: Service, *words: str, cwd: Path | None = None, check: bool = True, timeout: float = 600,
    input: str | None = None, path: Path | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """What `Service.run` does, for a command of the project, or ``-m`` with a module of it and its arguments.

    `path` is a folder more to import modules from.
    """
    environment = service.environment()
    if not _servers:
        _servers.append(CommandServer(environment))
    if path is not None:
        environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}{os.pathsep}{path}"
    done = _servers[0].run(words, environment, cwd or Path.cwd(), input, timeout)
    if check:
        done.check_returncode()
    return done
