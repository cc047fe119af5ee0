"""Sends every botocore request for AWS to the local service, and lets nothing else reach AWS.

Python imports a module of this name at start when its folder is on PYTHONPATH, which `local-sagemaker exec` and jobs
arrange. It must cost next to nothing: botocore is patched when, and only if, the program imports it. The SDK builds
its STS client with an explicit endpoint and sends telemetry by other means than botocore; the first goes to the
service (with its Host header, which its signature covers, kept), the second is served here and goes nowhere: were it
refused, SDK v2 would log a traceback. Every other client is refused at name resolution. REST APIs have clients of
every kind: HTTPS connections of the standard library and of urllib3 (requests) to their hosts become plain ones to the
service. The service is that of LOCAL_SAGEMAKER_URL at the time of a request, else that of the installation. Waiters of
botocore and the SDK's waits look again after half a second instead of up to a minute.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_AWS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")
_API = ".execute-api."
_TELEMETRY = "sm-pysdk-t-"
_PACE = 0.5
"""Seconds between two looks of a waiter or of the SDK's wait(): what takes minutes on AWS takes seconds here."""
_NOTHING = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def _is_aws(host: str | bytes) -> bool:
    host = (host.decode("ascii", "replace") if isinstance(host, bytes) else host).lower().rstrip(".")
    return host.endswith(_AWS)


def _current(endpoint: str) -> str:
    return os.environ.get("LOCAL_SAGEMAKER_URL") or endpoint


def _patch_session(module: Any, endpoint: str) -> None:
    from urllib.parse import urlsplit

    session = module.URLLib3Session
    if getattr(session.send, "__local_sagemaker__", False):
        return
    plain_send = session.send

    def send(self: Any, request: Any) -> Any:
        parts = urlsplit(request.url)
        if parts.hostname and _is_aws(parts.hostname):
            request.headers["Host"] = parts.netloc
            request.url = _current(endpoint) + request.url[len(f"{parts.scheme}://{parts.netloc}") :]
        return plain_send(self, request)

    send.__local_sagemaker__ = True  # type: ignore[attr-defined]
    session.send = send


def _patch_connection(module: Any, endpoint: str) -> None:
    from urllib.parse import urlsplit

    connection = getattr(module, "HTTPSConnection", None)
    if connection is None or getattr(connection.connect, "__local_sagemaker__", False):
        return
    plain_connect = connection.connect

    def connect(self: Any) -> None:
        telemetry = self.host.lower().startswith(_TELEMETRY)
        if not (telemetry or _API in self.host.lower()) or not _is_aws(self.host):
            plain_connect(self)
            return
        import socket

        if telemetry:
            import weakref

            self.sock, other = socket.socketpair()
            weakref.finalize(self.sock, other.close)  # open as long as this one, which is written to
            other.sendall(_NOTHING)
            self.is_verified = True
            return
        service = urlsplit(_current(endpoint))
        limit = (self.timeout,) if isinstance(self.timeout, (int, float)) else ()
        self.sock = socket.create_connection((service.hostname, service.port), *limit)
        self.is_verified = True  # read by urllib3, which else would warn

    connect.__local_sagemaker__ = True  # type: ignore[attr-defined]
    connection.connect = connect


def _patch_waiter(module: Any, _endpoint: str) -> None:
    waiter = module.Waiter
    if getattr(waiter.wait, "__local_sagemaker__", False):
        return
    plain_wait = waiter.wait

    def wait(self: Any, **arguments: Any) -> Any:
        own = arguments.pop("WaiterConfig", {})
        delay, attempts = own.get("Delay", self.config.delay), own.get("MaxAttempts", self.config.max_attempts)
        if delay > _PACE:  # the same time in all, in shorter steps
            own = {"Delay": _PACE, "MaxAttempts": int(attempts * delay / _PACE) + 1}
        return plain_wait(self, WaiterConfig=own, **arguments)

    wait.__local_sagemaker__ = True  # type: ignore[attr-defined]
    waiter.wait = wait


class _Time:
    """The module `time` as a module of the SDK sees it: its loops that wait for a status look again soon."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)

    def sleep(self, seconds: float) -> None:
        self._module.sleep(min(seconds, _PACE))


def _patch_polling(module: Any, _endpoint: str) -> None:
    plain = getattr(module, "time", None)
    if plain is sys.modules.get("time"):
        module.time = _Time(plain)


_POLLING = (
    "sagemaker.session",  # SDK v2
    "sagemaker.remote_function.job",  # SDK v2
    "sagemaker.core.common_utils",
    "sagemaker.core.processing",
    "sagemaker.core.remote_function.job",
    "sagemaker.core.resources",
    "sagemaker.core.transformer",
    "sagemaker.core.helper.session_helper",
    "sagemaker.mlops.feature_store.feature_utils",
    "sagemaker.serve.deployment_progress",
    "sagemaker.train.common_utils.job_wait",
    "sagemaker.train.common_utils.log_streamer",
    "sagemaker.train.common_utils.trainer_wait",
    "sagemaker.train.evaluate.base_evaluator",
    "sagemaker.train.evaluate.execution",
)
"""Modules of the SDKs that sleep 5 to 60 seconds between two looks at a job, an endpoint or an execution."""
_PATCHES = {
    "botocore.httpsession": _patch_session,
    "botocore.waiter": _patch_waiter,
    **dict.fromkeys(_POLLING, _patch_polling),
    "http.client": _patch_connection,
    "urllib3.connection": _patch_connection,
}


class _PatchOnImport:
    """A meta path finder that steps in once for each module that is to be patched."""

    def __init__(self, endpoint: str, names: set[str]) -> None:
        self._endpoint, self._names = endpoint, names

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in self._names:
            return None
        self._names.remove(name)
        spec: Any = find_spec(name)
        if spec is None:
            return None
        plain_exec = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            plain_exec(module)
            _PATCHES[name](module, self._endpoint)

        spec.loader.exec_module = exec_module
        return spec


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo" and arguments[0] and _is_aws(arguments[0]):
        import socket

        raise socket.gaierror(
            socket.EAI_FAIL, f"{arguments[0]} is refused here: this process runs under 'local-sagemaker exec'"
        )


_installed = False


def install(endpoint: str) -> None:
    """Patches the modules, now or when they are imported, and refuses AWS's hosts to every other client. Idempotent."""
    global _installed
    if _installed:
        return
    _installed = True
    for name in _PATCHES:
        if name in sys.modules:
            _PATCHES[name](sys.modules[name], endpoint)
    later = {name for name in _PATCHES if name not in sys.modules}
    if later:
        sys.meta_path.insert(0, _PatchOnImport(endpoint, later))
    sys.addaudithook(_refuse)


def _load_shadowed() -> None:
    """Runs the sitecustomize that this one hides, if there is one (distributions and tools ship their own)."""
    here = os.path.dirname(os.path.abspath(__file__))
    for folder in sys.path:
        file = os.path.join(folder or ".", "sitecustomize.py")
        if os.path.dirname(os.path.abspath(file)) != here and os.path.isfile(file):
            import runpy

            runpy.run_path(file, run_name="sitecustomize")
            return


if __name__ == "sitecustomize":
    _load_shadowed()
    if os.environ.get("LOCAL_SAGEMAKER_URL"):
        install(os.environ["LOCAL_SAGEMAKER_URL"])
    if os.environ.get("LOCAL_SAGEMAKER_DEBUGGER"):
        import local_sagemaker_debugger  # noqa: F401
