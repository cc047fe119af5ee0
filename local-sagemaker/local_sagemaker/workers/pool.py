"""Processes that call functions for the service, and are ended when a call takes too long."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from local_sagemaker import environment_allowlist

_PROGRAM = Path(__file__).with_name("program.py")
_PROJECT = Path(__file__).parents[2]
_GRACE = 2.0
"""Seconds after the time limit, in which the kernel ends the process by itself."""
_MEMORY = 1 << 30


class CallTimedOut(Exception):
    """The call took longer than it was given; its process has been ended."""


class CallFailed(Exception):
    """The function raised, or its process ended: `kind` is the exception's name, or "" for a process that ended."""

    def __init__(self, kind: str, text: str, number: int | None = None) -> None:
        super().__init__(text)
        self.kind, self.errno = kind, number


class Workers:
    """The processes for one module of functions, started when they are needed. Thread-safe.

    Arguments and results are what JSON can say. A process ends with the service: its input is closed then.
    """

    def __init__(self, module: str, *, most: int = 2, memory: int = _MEMORY) -> None:
        """`most` calls run at a time, others wait; `memory` are the bytes of address space of a process."""
        self._module, self._memory = module, memory
        self._room = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        atexit.register(self.close)

    def call(self, function: str, *arguments: Any, seconds: float, processor: float = 0.0) -> Any:
        """Calls a function of the module. `CallTimedOut`, or `CallFailed` with the name of what it raised.

        It may take so many seconds and, with `processor`, so many of the processor's time, however busy the machine is.
        """
        call = {"function": function, "arguments": arguments, "seconds": seconds, "processor": processor}
        line = json.dumps(call).encode() + b"\n"
        with self._room:
            worker = self._take()
            try:
                response = worker.call(line, seconds)
            except BaseException:
                worker.kill()
                raise
            with self._lock:
                self._idle.append(worker)
        if "error" in response:
            raise CallFailed(response["error"], response["text"], response["errno"])
        return response["value"]

    def warm(self) -> None:
        """Has a process wait for the first call."""
        with self._lock:
            if not self._idle:
                self._idle.append(_Worker(self._module, self._memory))

    def close(self) -> None:
        """Ends the processes that wait for calls."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def _take(self) -> _Worker:
        while True:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return _Worker(self._module, self._memory)
            if worker.is_alive():
                return worker
            worker.kill()  # somebody ended it while it waited


class _Worker:
    """One process."""

    def __init__(self, module: str, memory: int) -> None:
        command = [sys.executable, "-I", "-S", str(_PROGRAM), str(_PROJECT), module, str(memory)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd="/", start_new_session=True,
            env=environment_allowlist.of_fork_servers(os.environ, own_python=False),
        )  # fmt: skip
        self._left = b""

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def call(self, line: bytes, seconds: float) -> dict[str, Any]:
        """Sends a call and waits for its response."""
        deadline = time.monotonic() + seconds + _GRACE
        assert self._process.stdin is not None
        try:
            view = memoryview(line)
            while view:
                view = view[self._process.stdin.write(view) :]
            response = self._read_response(deadline)
        except BrokenPipeError:
            response = b""
        if response:
            return dict(json.loads(response))
        if self._end_by_time():
            raise CallTimedOut("it takes too long")
        raise CallFailed("", f"the process ended (exit code {self._process.returncode})")

    def _read_response(self, deadline: float) -> bytes:
        """The response's line; nothing when the process ends first, or is ended at the deadline."""
        assert self._process.stdout is not None
        descriptor, data = self._process.stdout.fileno(), bytearray()
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        while not data.endswith(b"\n"):
            if not waiting.poll(max(0.0, deadline - time.monotonic()) * 1000):
                self._process.kill()
                return b""
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                return b""
            data += piece
        return bytes(data)

    def _end_by_time(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return -self._process.wait(_GRACE) in (signal.SIGKILL, signal.SIGALRM, signal.SIGPROF)
        return False

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
