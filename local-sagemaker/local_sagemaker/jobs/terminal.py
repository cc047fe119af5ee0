"""The terminal of somebody who follows a job in the foreground; it comes over a socket, as does their leaving.

The other end is `cli/terminal.py`: it listens, sends a descriptor of its terminal, and is sent one line of JSON at the
end: ``{"code": 0}``, or with an ``error`` that it is to show.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable


class Terminal:
    """The service's end of a foreground job's terminal; `end` closes it."""

    def __init__(self, address: str) -> None:
        """Connects to the socket at a path; OSError when nobody listens there."""
        self._channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._channel.connect(address)
        except BaseException:
            self._channel.close()
            raise
        self._descriptor: int | None = None

    def open(self) -> int:
        """The descriptor of the terminal; waits for it. OSError when they have left already."""
        if self._descriptor is None:
            _, descriptors, _, _ = socket.recv_fds(self._channel, 1, 1)
            if not descriptors:
                raise ConnectionResetError("the terminal was closed")
            self._descriptor = descriptors[0]
        return self._descriptor

    def say(self, line: str) -> None:
        """Shows a line."""
        with contextlib.suppress(OSError):
            os.write(self.open(), f"{line}\n".encode())

    def when_left(self, action: Callable[[], None]) -> None:
        """Has the action done when they leave before the end."""

        def wait() -> None:
            with contextlib.suppress(OSError):
                self._channel.recv(1)
            action()

        threading.Thread(target=wait, name="terminal", daemon=True).start()

    def end(self, code: int, error: str = "") -> None:
        """Says how it ended, and leaves."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        with contextlib.suppress(OSError):
            self._channel.sendall(json.dumps({"code": code, "error": error}).encode() + b"\n")
            self._channel.shutdown(socket.SHUT_RDWR)
        self._channel.close()
