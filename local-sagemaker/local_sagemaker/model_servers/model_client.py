"""A client of one model server: kept connections, a time limit, and retries where AWS retries."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


class BadStatus(Exception):
    """The server responded, but not with success; the text is the answer's body."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(body.decode("utf-8", "replace"))
        self.status = status


class NoModelResponse(Exception):
    """The server did not answer in time, or does not exist."""


class Client:
    """Invocations with the same headers. Thread-safe; each thread keeps its connection."""

    def __init__(self, url: str, headers: Mapping[str, str | None], *, seconds: float, retries: int) -> None:
        self._address = urlsplit(url)
        self._headers = {name: value for name, value in headers.items() if value}
        self._seconds, self._retries = seconds, retries
        self._threads = threading.local()

    def execution_parameters(self) -> dict[str, Any]:
        """The container's own parameters; empty where it has none."""
        try:
            status, body = self._exchange("GET", "/execution-parameters", None)
            document = json.loads(body) if status == 200 else {}
        except (NoModelResponse, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def invoke(self, body: bytes) -> bytes:
        """The answer to one request. Server errors and time-outs are tried again, client errors are not."""
        attempts = self._retries + 1
        while True:
            attempts -= 1
            try:
                status, answer = self._exchange("POST", "/invocations", body)
            except NoModelResponse:
                if not attempts:
                    raise
                continue
            if 200 <= status < 300:
                return answer
            if status < 500 or not attempts:
                raise BadStatus(status, answer)

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(
                self._address.hostname or "127.0.0.1", self._address.port, timeout=self._seconds
            )
            self._threads.connection = connection
        try:
            connection.request(method, path, body, self._headers if method == "POST" else {})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(OSError):
                connection.close()
            raise NoModelResponse(f"{type(error).__name__}: {error}") from error
