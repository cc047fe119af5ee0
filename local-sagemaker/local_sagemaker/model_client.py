"""The blocking client of a model server: kept connections, a time limit, and retries where AWS retries.

The event loop's is `model_servers/async_client.py`.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from local_sagemaker.http import RawResponse


class BadStatus(Exception):
    """The server responded, but not with success; the text is the response's body."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body.decode("utf-8", "replace"))
        self.status = status


class NoModelResponse(Exception):
    """The server did not respond in time, or does not exist."""


class ModelClient:
    """Requests to one address. Thread-safe; each thread keeps its connection."""

    def __init__(
        self, url: str, *, seconds: float, headers: Mapping[str, str | None] | None = None, retries: int = 0,
        reconnects: int = 0,
    ) -> None:  # fmt: skip
        """`headers` are those of invocations, without those that are None or empty. An invocation is tried again
        `retries` times after a server error or a time-out, any request `reconnects` times on a new connection: a kept
        one may have been closed in the meantime."""
        self._address = urlsplit(url)
        self._headers = {name: value for name, value in (headers or {}).items() if value}
        self._seconds, self._retries, self._reconnects = seconds, retries, reconnects
        self._threads = threading.local()

    def is_healthy(self) -> bool:
        """Whether /ping has the status 200, on a connection of its own; a body is not waited for."""
        connection = self._open()
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/ping")
            return connection.getresponse().status == 200
        return False

    def execution_parameters(self) -> dict[str, Any]:
        """The container's own parameters; empty where it has none."""
        try:
            response = self.exchange("GET", "/execution-parameters")
            document = json.loads(response.body) if response.status == 200 else {}
        except (NoModelResponse, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def invoke(self, body: bytes) -> bytes:
        """The response to one request. Server errors and time-outs are tried again, client errors are not."""
        attempts = self._retries + 1
        while True:
            attempts -= 1
            try:
                response = self.exchange("POST", "/invocations", body, self._headers)
            except NoModelResponse:
                if not attempts:
                    raise
                continue
            if 200 <= response.status < 300:
                return response.body
            if response.status < 500 or not attempts:
                raise BadStatus(response.status, response.body)

    def exchange(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> RawResponse:
        """The response to a request, whatever its status. Raises NoModelResponse, caused by the connection's error."""
        attempts = self._reconnects + 1
        while True:
            attempts -= 1
            connection = getattr(self._threads, "connection", None) or self._open()
            self._threads.connection = connection
            try:
                connection.request(method, path, body, headers or {})
                response = connection.getresponse()
                return RawResponse(response.status, dict(response.getheaders()), response.read())
            except (OSError, http.client.HTTPException) as error:
                with contextlib.suppress(OSError):
                    connection.close()
                self._threads.connection = None
                if not attempts:
                    raise NoModelResponse(f"{type(error).__name__}: {error}") from error

    def _open(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "127.0.0.1", self._address.port
        return http.client.HTTPConnection(host, port, timeout=self._seconds)
