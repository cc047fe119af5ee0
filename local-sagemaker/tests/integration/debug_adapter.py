"""A small client of the Debug Adapter Protocol, as an editor has it: for tests of ``debug --listen``."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

SECONDS = 120.0


class Editor:
    """Attached to a debugger; `close` leaves it."""

    def __init__(self, port: int) -> None:
        until = time.monotonic() + SECONDS
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < until, "nobody listens"
                time.sleep(0.1)
        self._file = self._socket.makefile("rb")
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self.ask("initialize", adapterID="test", pathFormat="path")
        attach = self._send("attach", justMyCode=False)
        self.wait("initialized")
        self.ask("configurationDone")
        self._response(attach)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Sends a request; the body of its response."""
        return self._response(self._send(command, **arguments))

    def wait(self, event: str) -> dict[str, Any]:
        """The body of the next event of that name."""
        while not (found := [item for item in self._events if item["event"] == event]):
            self._receive()
        self._events.remove(found[0])
        return dict(found[0].get("body", {}))

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()

    def _send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        request = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        text = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
        return self._number

    def _response(self, number: int) -> dict[str, Any]:
        while True:
            message = self._receive()
            if message.get("request_seq") == number:
                assert message["success"], message
                return dict(message.get("body") or {})

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"Content-Length" else length
        assert length, "the debugger has hung up"
        message: dict[str, Any] = json.loads(self._file.read(length))
        if message["type"] == "event":
            self._events.append(message)
        return message
