"""The sandboxes of all functions: taken for an invocation, kept warm after it, ended when idle or out of date."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

from local_sagemaker.background import log_failure
from local_sagemaker.files.removal import discard
from local_sagemaker.functions.sandbox import FunctionSpec, Invocation, InvocationResult, Sandbox
from local_sagemaker.logs import Logs
from local_sagemaker.processes.spec import Processes

log = logging.getLogger(__name__)
IDLE_SECONDS = 300.0
_RUNS = 4  # of an invocation whose sandboxes are lost again and again
MOST = 64
"""How many sandboxes may be busy at once on this machine; further invocations wait for one."""


class Sandboxes:
    """Runs invocations, each in a sandbox that serves no other one in the meantime. Thread-safe."""

    def __init__(
        self,
        *,
        folder: Path,
        logs: Logs,
        processes: Processes,
        service_environment: Mapping[str, str],
        idle: float = IDLE_SECONDS,
    ) -> None:
        """`folder` holds the sandboxes' private folders; what a killed service left in it is removed.

        `service_environment` is what a client in a function needs to reach this service.
        """
        self._folder, self._logs, self._processes = folder, logs, processes
        self._service_environment = dict(service_environment)
        self._idle_seconds = idle
        self._idle: dict[str, list[tuple[float, Sandbox]]] = {}
        self._busy: set[Sandbox] = set()
        self._retired: set[str] = set()
        self._changed = threading.Condition()
        self._room = threading.Semaphore(MOST)
        self._closed = False
        self._reaper: threading.Thread | None = None
        discard(folder)

    def invoke(self, function: FunctionSpec, invocation: Invocation) -> InvocationResult:
        """Runs an invocation in a warm sandbox, or in a new one; once more in another when the service lost it."""
        with self._room:
            for _ in range(_RUNS - 1):
                response, lost = self._invoke(function, invocation)
                if not lost:
                    return response
            return self._invoke(function, invocation)[0]

    def _invoke(self, function: FunctionSpec, invocation: Invocation) -> tuple[InvocationResult, bool]:
        sandbox = self._take(function)
        try:
            response = sandbox.invoke(invocation)
            return response, response.failed and sandbox.is_lost
        finally:
            self._give_back(sandbox)

    def retire(self, revision: str) -> None:
        """Ends the sandboxes of a function's revision: idle ones now, busy ones after their invocation."""
        with self._changed:
            self._retired.add(revision)
            idle = self._idle.pop(revision, [])
        for _, sandbox in idle:
            sandbox.end()

    def count_busy(self) -> int:
        """How many sandboxes are busy."""
        with self._changed:
            return len(self._busy)

    def end_all(self) -> None:
        """Ends all sandboxes, busy ones too."""
        with self._changed:
            idle = [sandbox for sandboxes in self._idle.values() for _, sandbox in sandboxes]
            busy = list(self._busy)
            self._idle.clear()
        for sandbox in idle:
            sandbox.end()
        for sandbox in busy:
            sandbox.kill()

    def close(self) -> None:
        """Ends all sandboxes, for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.end_all()

    def _take(self, function: FunctionSpec) -> Sandbox:
        while True:
            with self._changed:
                idle = self._idle.get(function.revision)
                sandbox = idle.pop()[1] if idle else None
                if sandbox:
                    self._busy.add(sandbox)
            if sandbox is None:
                break
            if sandbox.is_alive:
                return sandbox
            self._end(sandbox)
        sandbox = Sandbox(
            function,
            self._folder / uuid.uuid4().hex,
            logs=self._logs,
            processes=self._processes,
            service_environment=self._service_environment,
        )
        with self._changed:
            self._busy.add(sandbox)
        return sandbox

    def _give_back(self, sandbox: Sandbox) -> None:
        revision = sandbox.function.revision
        alive = sandbox.is_alive
        with self._changed:
            keep = alive and not self._closed and revision not in self._retired
            if keep:
                self._busy.discard(sandbox)
                self._idle.setdefault(revision, []).append((time.monotonic(), sandbox))
                if self._reaper is None:
                    self._reaper = threading.Thread(target=self._reap, name="idle functions", daemon=True)
                    self._reaper.start()
        if not keep:
            self._end(sandbox)

    def _end(self, sandbox: Sandbox) -> None:
        sandbox.end()
        with self._changed:
            self._busy.discard(sandbox)

    def _reap(self) -> None:
        """Ends sandboxes that nobody has needed for a while."""
        while True:
            with self._changed:
                if self._changed.wait_for(lambda: self._closed, self._idle_seconds / 10):
                    return
                limit = time.monotonic() - self._idle_seconds
                old = []
                for revision, sandboxes in list(self._idle.items()):
                    old += [sandbox for since, sandbox in sandboxes if since < limit]
                    self._idle[revision] = [item for item in sandboxes if item[0] >= limit]
                    if not self._idle[revision]:
                        del self._idle[revision]
            for sandbox in old:
                with log_failure(log, "an idle function"):
                    sandbox.end()
