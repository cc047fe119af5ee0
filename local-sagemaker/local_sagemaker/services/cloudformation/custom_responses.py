"""Where the providers of custom resources respond: a URL for each request, which ends with the wait for the response.

On AWS it is a presigned URL of a bucket of CloudFormation's (user guide, "Custom resource request and response
reference").
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from local_sagemaker.http import RawRequest, RawResponse

SERVICE = "cloudformation-custom-resource-response"
_FORBIDDEN = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


@dataclass
class PendingResponse:
    """A response that is waited for; `body` is its document once `arrived` is set."""

    url: str
    body: bytes = b""
    arrived: threading.Event = field(default_factory=threading.Event)


class CustomResponses:
    """The responses that are waited for, by the secret in their URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._pending: dict[str, PendingResponse] = {}

    @staticmethod
    def has_path(path: str) -> bool:
        """Whether a request's path is that of such a URL."""
        return path.startswith(f"/{SERVICE}/")

    @contextmanager
    def expect(self, region: str, name: str) -> Iterator[PendingResponse]:
        """The URL for one response; `name` is what the object in the bucket would be called."""
        place = f"{SERVICE}/{region}/{quote(name, safe='')}"
        secret = secrets.token_hex(32)
        response = PendingResponse(f"{self._url}/{place}?key={secret}")
        with self._lock:
            self._pending[f"{unquote(place)}?{secret}"] = response
        try:
            yield response
        finally:
            with self._lock:
                del self._pending[f"{unquote(place)}?{secret}"]

    def respond(self, request: RawRequest) -> RawResponse:
        """Takes a response by PUT. The first one counts."""
        secret = request.query.removeprefix("key=")
        with self._lock:
            pending = self._pending.get(f"{unquote(request.path)[1:]}?{secret}")
            if request.method != "PUT" or pending is None:
                return RawResponse(403, {"content-type": "application/xml"}, _FORBIDDEN)
            if not pending.arrived.is_set():
                pending.body = request.body
                pending.arrived.set()
        return RawResponse(200)
