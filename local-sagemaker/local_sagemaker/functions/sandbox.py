"""One process of a function: its start, its invocations one after the other, its end.

The platform's part of the log (START, END, REPORT) is written here, so that it exists whatever the function does.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_sagemaker import fresh_interpreter
from local_sagemaker.clock import iso, now
from local_sagemaker.files.removal import discard
from local_sagemaker.functions import runtime
from local_sagemaker.images.image import Program
from local_sagemaker.images.libraries import ImageLibraries, catalogue
from local_sagemaker.logs import Logs
from local_sagemaker.processes.spec import Processes, ProcessSpec

INIT_SECONDS = 10.0
"""How long the import of a function may take without counting as its own time (Lambda Developer Guide)."""
LARGEST_RESPONSE = 6_291_556
TAIL = 4096
_TICK = 0.2
_ENTRY = "local_sagemaker.functions.entry:main"
TASK_ROOT = "/var/task"


@dataclass(frozen=True)
class FunctionSpec:
    """What runs: one version of a function. `revision` is another one after every change; `timeout` in seconds."""

    name: str
    version: str
    revision: str
    handler: str
    runtime: str
    timeout: float
    memory: int
    code: Path
    log_group: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Invocation:
    """One event for a function. `context` is the client context, decoded."""

    id: str
    arn: str
    event: bytes
    context: Any = None


@dataclass(frozen=True)
class InvocationResult:
    """What came of an invocation: the payload, whether it is an error, and the end of the log."""

    payload: bytes
    failed: bool
    log: bytes


class Sandbox:
    """A function's process. Not for several threads at once."""

    def __init__(
        self,
        function: FunctionSpec,
        root: Path,
        *,
        logs: Logs,
        processes: Processes,
        service_environment: Mapping[str, str],
    ) -> None:
        """Starts the process; it imports the function in the meantime. `root` becomes its private folder."""
        self.function, self._root, self._logs = function, root, logs
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        self._stream = f"{day}/[{function.version}]{uuid.uuid4().hex}"
        self._log = logs.file(function.log_group, self._stream)
        self._write(f"INIT_START Runtime Version: {function.runtime.replace('python', 'python:')}\n")
        self._ready = self._broken = False
        (root / "tmp").mkdir(parents=True, exist_ok=True)
        fresh = fresh_interpreter.variables_require_it(function.environment, os.environ) or fresh_interpreter.installs(
            function.code
        )
        own = ("own",) if fresh else ()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = processes.start(
                ProcessSpec(
                    program=Program(("lambda", TASK_ROOT, *own), _ENTRY, libraries=_libraries(function.runtime)),
                    root=root,
                    log=self._log,
                    environment=self._environment(service_environment),
                    listen={runtime.VARIABLE: theirs.fileno()},
                    read_only={TASK_ROOT: function.code},
                    locked=True,
                )
            )
        self._started = time.monotonic()
        self._channel = ours
        self._channel.settimeout(_TICK)

    @property
    def is_alive(self) -> bool:
        """Whether it can take another invocation: its function is loaded and its process runs."""
        healthy = self._ready and not self._broken and self._process.wait(0) is None
        return healthy and not _is_closed(self._channel)  # which is known before the exit code is

    @property
    def is_lost(self) -> bool:
        """Whether the service lost its process: not the function's doing."""
        return self._process.lost

    def invoke(self, invocation: Invocation) -> InvocationResult:
        """Runs one invocation to its end; after a time-out or a crash the sandbox is dead."""
        self._log = self._logs.file(self.function.log_group, self._stream)  # made again if it was deleted
        start = self._log.stat().st_size
        self._write(f"START RequestId: {invocation.id} Version: {self.function.version}\n")
        began, init = time.monotonic(), None
        response: tuple[dict[str, Any], bytes] | None = None
        try:
            if not self._ready:
                limit = self._started + INIT_SECONDS + self.function.timeout
                response = self._receive(limit)
                init = time.monotonic() - self._started
                self._ready = response is not None and "ready" in response[0]
                began = time.monotonic()
            if self._ready:
                response = self._exchange(invocation, began)
            payload, failed = _outcome(response, invocation) if response else self._crash_result(invocation)
        except TimeoutError:
            self._broken = True
            payload, failed = self._timeout_error(invocation), True
        if not failed and len(payload) > LARGEST_RESPONSE:
            payload, failed = _too_large(len(payload)), True
        memory = response[0].get("memory", 1) if response else self.function.memory
        self._report(invocation, time.monotonic() - began, init, memory)
        return InvocationResult(payload, failed, self._tail(start))

    def kill(self) -> None:
        """Kills the process; the invocation that runs in it fails. For any thread."""
        self._process.signal(signal.SIGKILL)

    def end(self) -> None:
        """Ends the process and removes its folder."""
        self._channel.close()
        self._process.signal(signal.SIGKILL)
        self._process.wait(10)
        self._logs.mark(self.function.log_group, self._stream, final=True)
        discard(self._root)

    def _exchange(self, invocation: Invocation, began: float) -> tuple[dict[str, Any], bytes] | None:
        header = {
            "id": invocation.id,
            "arn": invocation.arn,
            "deadline": time.time() + self.function.timeout,
            "client_context": invocation.context,
        }
        try:
            self._channel.settimeout(self.function.timeout)
            with self._log.open("ab") as file:  # passed each time: the process can't open it by name
                runtime.send(self._channel, header, invocation.event, file.fileno())
        except ConnectionError:
            return None
        return self._receive(began + self.function.timeout)

    def _receive(self, until: float) -> tuple[dict[str, Any], bytes] | None:
        """The next message, None when the process has ended. Raises TimeoutError."""
        data, size = bytearray(), runtime.LENGTHS.size
        head = 0
        while len(data) < size:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._channel.settimeout(min(_TICK, left))
            try:
                piece = self._channel.recv(1 << 20)
            except TimeoutError:
                self._logs.mark(self.function.log_group, self._stream)
                if self._process.wait(0) is not None and not _has_data(self._channel):
                    return None
                continue
            except ConnectionError:
                piece = b""
            if not piece:
                return None
            data += piece
            if not head and len(data) >= runtime.LENGTHS.size:
                head, body = runtime.LENGTHS.unpack(data[: runtime.LENGTHS.size])
                size = runtime.LENGTHS.size + head + body
        begin = runtime.LENGTHS.size + head
        return json.loads(data[runtime.LENGTHS.size : begin]), bytes(data[begin:])

    def _timeout_error(self, invocation: Invocation) -> bytes:
        self._process.signal(signal.SIGKILL)
        self._process.wait(10)
        text = f"Task timed out after {self.function.timeout:.2f} seconds"
        self._write(f"{iso(now())} {invocation.id} {text}\n\n")
        return _error("Sandbox.Timedout", f"RequestId: {invocation.id} Error: {text}")

    def _crash_result(self, invocation: Invocation) -> tuple[bytes, bool]:
        self._broken = True
        code = self._process.wait(10)
        if code is None or code < 0:
            ending = "signal: killed" if code in (None, -signal.SIGKILL) else f"signal: {signal.Signals(-code).name}"
            reason = f"Runtime exited with error: {ending}"
        elif code:
            reason = f"Runtime exited with error: exit status {code}"
        else:
            reason = "Runtime exited without providing a reason"
        self._write(f"RequestId: {invocation.id} Error: {reason}\nRuntime.ExitError\n")
        return _error("Runtime.ExitError", f"RequestId: {invocation.id} Error: {reason}"), True

    def _report(self, invocation: Invocation, seconds: float, init: float | None, memory: int) -> None:
        billed = int(1000 * (seconds + (init or 0))) + 1
        started = f"\tInit Duration: {init * 1000:.2f} ms" if init is not None else ""
        self._write(
            f"END RequestId: {invocation.id}\n"
            f"REPORT RequestId: {invocation.id}\tDuration: {seconds * 1000:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {self.function.memory} MB\tMax Memory Used: {memory} MB{started}\t\n"
        )

    def _write(self, text: str) -> None:
        with self._log.open("ab") as file:
            file.write(text.encode())
        self._logs.mark(self.function.log_group, self._stream)

    def _tail(self, start: int) -> bytes:
        with self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - TAIL))
            return file.read(TAIL)

    def _environment(self, service: Mapping[str, str]) -> dict[str, str]:
        """The variables of the function over those that lead to the service, and below Lambda's own."""
        function = self.function
        variables = dict(function.environment)
        if "PYTHONPATH" in variables:
            variables["PYTHONPATH"] = f"{service.get('PYTHONPATH', '')}:{variables['PYTHONPATH']}"
        return {
            "TZ": ":UTC",
            **service,
            **variables,
            "_HANDLER": function.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
        }


def _outcome(response: tuple[dict[str, Any], bytes], invocation: Invocation) -> tuple[bytes, bool]:
    header, payload = response
    if header["failed"]:
        report = json.loads(payload)
        if not report["requestId"] and report["errorType"].startswith("Runtime."):
            report["requestId"] = invocation.id  # AWS's runtime says these at each invocation
            payload = json.dumps(report).encode()
    return payload, bool(header["failed"])


def _has_data(channel: socket.socket) -> bool:
    """Whether there is something to read at once."""
    try:
        channel.settimeout(0)
        return bool(channel.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def _is_closed(channel: socket.socket) -> bool:
    channel.settimeout(0)
    try:
        return channel.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _too_large(size: int) -> bytes:
    text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({LARGEST_RESPONSE} bytes)."
    return _error("Function.ResponseSizeTooLarge", text)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def log_result(response: InvocationResult) -> str:
    """The end of the log as ``X-Amz-Log-Result`` has it."""
    return base64.b64encode(response.log).decode()


def _libraries(declared: str) -> ImageLibraries | None:
    """What a runtime holds: a Python and the SDK."""
    return catalogue.find(catalogue.FUNCTIONS, declared.removeprefix("python"))
