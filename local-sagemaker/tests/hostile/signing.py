"""HTTP requests byte by byte, and SigV4 over whatever they hold: no client library would send them."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import quote

Pairs = list[tuple[str, str]]


@dataclass
class HttpRequest:
    """A request before it is signed. `path` and the query are percent-encoded; texts are latin-1 on the wire."""

    service: str
    method: str
    path: str
    query: Pairs = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    operation: str = ""

    def target(self) -> str:
        """Path and query as they are sent."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.path}?{query}" if query else self.path

    def encoded(self) -> bytes:
        """The request's bytes."""
        head = f"{self.method} {self.target()} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return head.encode("latin-1", "replace") + b"\r\n" + self.body


@dataclass(frozen=True)
class Signer:
    """Signs with one key for one region."""

    key_id: str
    secret: str
    region: str = "us-east-1"

    def sign(self, request: HttpRequest, host: str) -> None:
        """Adds Host, date, payload hash, length and, unless there is an (odd) one, Authorization."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        payload = hashlib.sha256(request.body).hexdigest()
        headers = request.headers
        odd = headers.pop("authorization", None)
        headers.setdefault("host", host)
        headers.setdefault("x-amz-date", stamp)
        if request.service == "s3":
            headers.setdefault("x-amz-content-sha256", payload)
            payload = headers["x-amz-content-sha256"]
        headers.setdefault("content-length", str(len(request.body)))
        names = sorted(name for name in headers if name != "content-length")
        lines = [f"{name}:{' '.join(_sent(headers[name]).split())}" for name in names]
        path = request.path if request.service == "s3" else quote(request.path, safe="/~")
        query = "&".join(f"{name}={value}" for name, value in sorted(request.query))
        canonical = "\n".join((request.method, path, query, *lines, "", ";".join(names), payload))
        scope = f"{stamp[:8]}/{self.region}/{request.service}/aws4_request"
        digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode("utf-8", "replace"), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        if odd is not None:
            headers["authorization"] = odd


def _sent(value: str) -> str:
    """A header's bytes as the service reads them: UTF-8 where they are, else kept one by one."""
    return value.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
