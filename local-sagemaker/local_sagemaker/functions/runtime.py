"""The runtime inside a function's process: imports the handler once, then serves one invocation after the other.

It uses the standard library only, so that it also runs as a script of an interpreter of its own. Invocations come
over the socket whose descriptor `VARIABLE` names: two lengths, a JSON header, the payload; responses likewise.
Error types, texts and log lines are those of AWS's own runtime for Python.
"""

from __future__ import annotations

import decimal
import importlib
import json
import logging
import os
import resource
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from types import SimpleNamespace, TracebackType
from typing import Any

VARIABLE = "LOCAL_SAGEMAKER_FUNCTION_FD"
LENGTHS = struct.Struct("!II")
Header = dict[str, Any]
Handler = Callable[[Any, "Context"], Any]


class Fault(Exception):
    """What the runtime itself finds wrong, with the error type that AWS gives it."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.trace = kind, trace or []


class Context:
    """The second argument of a handler (Lambda Developer Guide, "Python context object")."""

    def __init__(self, header: Header) -> None:
        self.aws_request_id = header["id"]
        self.invoked_function_arn = header["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self.client_context = _client_context(header.get("client_context"))
        self._deadline = float(header["deadline"])

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.time()) * 1000))


def _client_context(context: Any) -> Any:
    if not isinstance(context, dict):
        return None
    return SimpleNamespace(
        custom=context.get("custom"), env=context.get("env"), client=SimpleNamespace(**(context.get("client") or {}))
    )


def main() -> int:
    """Serves until the service closes its end."""
    channel = socket.socket(fileno=int(os.environ.pop(VARIABLE)))
    channel.set_inheritable(False)
    names = _Names()
    _prepare_logging(names)
    at_start = _memory()
    try:
        handler = _load(os.environ["_HANDLER"])
    except Exception as error:
        send(channel, {"failed": True}, _dump(_report(error, "")))
        return 1
    send(channel, {"ready": True})
    while (received := receive(channel)) is not None:
        header, payload = received
        names.request = header["id"]
        failed, response = _invoke(handler, header, payload)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        send(channel, {"failed": failed, "memory": max(1, _memory() - at_start)}, response)
    return 0


def _invoke(handler: Handler, header: Header, payload: bytes) -> tuple[bool, bytes]:
    try:
        try:
            event = json.loads(payload)
        except ValueError as error:
            raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
        result = handler(event, Context(header))
        try:
            return False, _dump(result)
        except Exception as error:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    except Exception as error:
        return True, _dump(_report(error, header["id"]))


def _dump(value: Any) -> bytes:
    return json.dumps(value, default=_number, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _number(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _load(text: str) -> Handler:
    module_name, dot, function = text.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{text}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        text = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", text, trace) from error
    try:
        return getattr(module, function)  # type: ignore[no-any-return]
    except AttributeError as error:
        text = f"Handler '{function}' missing on module '{module_name}'"
        raise Fault("Runtime.HandlerNotFound", text) from error


def _report(error: Exception, request: str) -> dict[str, Any]:
    """The error as the invoker sees it; in the log it is one event, its lines joined by carriage returns."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        kind, trace = type(error).__name__, traceback.format_list(_users_frames(error.__traceback__))
    lines = [f"[ERROR] {kind}: {error}"]
    if trace:
        lines.append("Traceback (most recent call last):")
        lines += [line for entry in trace for line in entry.rstrip("\n").split("\n")]
    print("\r".join(line.replace("  ", "\u00a0\u00a0") for line in lines), flush=True)  # noqa: T201 - the log
    return {"errorMessage": str(error), "errorType": kind, "requestId": request, "stackTrace": trace}


def _users_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    frames = traceback.extract_tb(trace)
    return [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]


def _write_to(log: int) -> None:
    """Has this process's output go to a log file: another one when the log stream was deleted in between."""
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)


class _Names(logging.Filter):
    """Gives log records the id of the invocation that they belong to."""

    request = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request
        return True


def _prepare_logging(names: _Names) -> None:
    """Messages of `logging` go to the log, as on AWS, where the root logger has a handler already."""
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    handler.formatter.converter = time.gmtime  # type: ignore[union-attr]
    handler.addFilter(names)
    logging.getLogger().handlers[:] = [handler]


def _memory() -> int:
    """The largest resident size so far in MB. What is shared with all functions is subtracted by the caller."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size // (1 << 20 if sys.platform == "darwin" else 1 << 10)


def send(channel: socket.socket, header: Header, payload: bytes = b"", log: int | None = None) -> None:
    """Sends one message, with the descriptor of the log file that is to be written to."""
    head = json.dumps(header).encode()
    data = LENGTHS.pack(len(head), len(payload)) + head + payload
    sent = socket.send_fds(channel, [data], [log]) if log is not None else 0
    channel.sendall(data[sent:])


def receive(channel: socket.socket) -> tuple[Header, bytes] | None:
    """The next message, None when the other end is closed. A descriptor beside it becomes this process's output."""
    lengths = _exactly(channel, LENGTHS.size)
    if lengths is None:
        return None
    head, body = LENGTHS.unpack(lengths)
    data = _exactly(channel, head + body)
    return None if data is None else (json.loads(data[:head]), data[head:])


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    pieces = bytearray()
    while len(pieces) < size:
        try:
            piece, descriptors, _, _ = socket.recv_fds(channel, min(1 << 20, size - len(pieces)), 1)
        except ConnectionError:
            piece, descriptors = b"", []
        if descriptors:
            _write_to(descriptors[0])
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)


if __name__ == "__main__":
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.exit(main())
