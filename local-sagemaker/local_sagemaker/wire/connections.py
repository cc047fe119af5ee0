"""uvicorn's HTTP protocol with bounds: on what comes before a body, and on how long a client may be silent.

uvicorn has none: a request line or header without end is kept for ever, a client that stops in the middle of its body
holds what waits for it. S3's own are 8 KB of headers (the gateway's matter) and a time-out of idle sockets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from local_sagemaker.wire.incoming_body import DRAINED

HEAD = 32 << 10
"""Bytes of request line and headers; also of a chunked body's own framing, beside what its chunks may need."""
FRAMING = 16
"""Bytes of framing for each byte of a chunked body: a chunk of one byte needs six."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = 30.0
    """For request line and headers, and for the first byte of a new connection."""
    body_seconds = 20.0
    """Between two pieces of a body that the service waits for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        self._received_at = self._began = self.loop.time()
        self._head = self._framing = self._body = self._arrived = 0
        self._in_head = self._oversized = False
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Parses what arrived, and refuses it when there is too much of what is no body."""
        self._received_at, self._arrived = self.loop.time(), len(data)
        in_head = self._in_head
        super().data_received(data)
        if in_head and self._in_head:
            self._head += len(data)
            if self._head > HEAD:
                self._refuse(431, "RequestHeaderSectionTooLarge", "Your request header section is too large.")
        elif not in_head:
            self._framing += len(data)
            if self._framing > HEAD + FRAMING * self._body and self._framing - self._body > HEAD:
                self._refuse(400, "BadRequest", "An error occurred when parsing the HTTP request.")

    def on_message_begin(self) -> None:
        """A request line begins."""
        self._in_head, self._began = True, self._received_at
        self._head = self._framing = self._body = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Starts the request, unless its head is too large."""
        self._in_head = False
        if self._head + self._arrived > HEAD and self._size_of_head() > HEAD:
            self._oversized = True
            raise ValueError("the head is too large")  # the parser hands it on to `send_400_response`
        super().on_headers_complete()

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body += len(body)
        if self.cycle.response_complete and self._body > DRAINED:
            self.transport.close()
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuses what the parser could not read."""
        if self._oversized:
            self._refuse(431, "RequestHeaderSectionTooLarge", "Your request header section is too large.")
        else:
            self._refuse(400, "BadRequest", "An error occurred when parsing the HTTP request.")

    def expire(self, now: float) -> None:
        """Refuses a client that has been silent for too long while the service waits for it; to be called often."""
        cycle = self.cycle
        if self._in_head or cycle is None:
            if now - (self._began if self._in_head else self._received_at) > self.head_seconds:
                self._refuse(408, "RequestTimeout", "The request's headers did not arrive in time.")
        elif cycle.response_complete:
            if (
                now - self._received_at > self.timeout_keep_alive
            ):  # uvicorn's own timer ends with the rest of a refused body
                self.transport.close()
        elif (
            cycle.more_body
            and not cycle.waiting_for_100_continue
            and not self.flow.read_paused
            and now - self._received_at > self.body_seconds
        ):
            self._refuse(
                400,
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the timeout period. "
                "Idle connections will be closed.",
            )

    def _refuse(self, status: int, code: str, text: str) -> None:
        """Returns, if nothing was served yet, and ends the connection; the request's own response is dropped."""
        if self.transport.is_closing():
            return
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self.transport.write(_respond(status, code, text, self.headers or []))
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.flow.resume_reading()
        self.transport.close()


def _respond(status: int, code: str, text: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """In the form of the service that the request's headers, as far as they came, are for."""
    fields = dict(headers)
    if b"x-amz-target" in fields or (b"authorization" in fields and b"/s3/" not in fields[b"authorization"]):
        kind = b"application/x-amz-json-1.1"
        body = json.dumps({"__type": code, "message": text}).encode()
    else:
        kind = b"application/xml"
        document = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode()
    lines = (b"content-type: " + kind, b"content-length: %d" % len(body), b"connection: close", b"", body)
    return STATUS_LINE[status] + b"\r\n".join((b"x-amzn-errortype: " + code.encode(), *lines))


def expire(connections: Iterable[Any], now: float) -> None:
    """Looks at all connections of a server once."""
    for connection in list(connections):
        if isinstance(connection, BoundedProtocol):
            connection.expire(now)
