"""Which requests are for the pages, and the pages themselves from the first of them on.

Jinja2 and the pages are imported then, so that the service starts as fast, and needs as little, without them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from local_sagemaker.allocator import spare_what_is_loaded
from local_sagemaker.api.operations import Call
from local_sagemaker.config import Settings
from local_sagemaker.http import Receive, Send
from local_sagemaker.records import Records
from local_sagemaker.studio.security import host_of

if TYPE_CHECKING:
    from local_sagemaker.studio.app import Studio

_OWN = ("127.0.0.1", "localhost", "[::1]")


class StudioGate:
    """The door of the pages. `call` is the spine of a region; `status` what the service holds."""

    def __init__(
        self, *, settings: Settings, records: Records, call: Callable[[str], Call], secret: str, url: str,
        status: Callable[[], Mapping[str, Any]],
    ) -> None:  # fmt: skip
        self._settings, self._records, self._call, self._url, self._status = settings, records, call, url, status
        self._secret = secret
        self._host = host_of(secret).encode()
        self._lock = threading.Lock()
        self._studio: Studio | None = None

    def has(self, scope: Mapping[str, Any]) -> bool:
        """Whether a request is for the pages: to their own host, or of a browser that opens the service's address."""
        if scope["type"] != "http":
            return False
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").lower().rpartition(b":")[0]
        if host == self._host:
            return True
        if scope["method"] != "GET" or host.decode("latin-1") not in (*_OWN, self._settings.host):
            return False
        if b"authorization" in headers or b"X-Amz-" in scope["query_string"]:
            return False
        path = scope["path"]
        opens = path == "/" and b"text/html" in headers.get(b"accept", b"")
        return opens or path == "/_studio" or path.startswith("/_studio/")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        await self._pages()(scope, receive, send)

    def link(self) -> dict[str, str]:
        """A one-time address that signs a browser in."""
        return self._pages().link()

    def revoke(self) -> dict[str, int]:
        """Ends all sessions."""
        return self._pages().revoke()

    def _pages(self) -> Studio:
        with self._lock:
            if self._studio is None:
                from local_sagemaker.studio.app import Studio

                self._studio = Studio(
                    settings=self._settings, records=self._records, call=self._call, secret=self._secret,
                    url=self._url, status=self._status,
                )  # fmt: skip
                spare_what_is_loaded()
            return self._studio
