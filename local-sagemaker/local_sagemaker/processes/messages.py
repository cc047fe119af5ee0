"""Messages between the service, its fork server and the waiting children: JSON, with file descriptors beside it."""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any

_HEADER = struct.Struct("!II")  # length of the JSON text, number of file descriptors
_MOST = 32

Message = dict[str, Any]


def send(channel: socket.socket, message: Message, descriptors: list[int] | None = None) -> None:
    """Sends one message; the receiver gets duplicates of the file descriptors."""
    text = json.dumps(message).encode()
    passed = descriptors or []
    header = _HEADER.pack(len(text), len(passed))
    if passed:
        sent = socket.send_fds(channel, [header], passed)
        channel.sendall(header[sent:] + text)
    else:
        channel.sendall(header + text)


def receive(channel: socket.socket) -> tuple[Message, list[int]] | None:
    """The next message with its file descriptors, or None when the other end has closed."""
    header, descriptors, _, _ = socket.recv_fds(channel, _HEADER.size, _MOST)
    try:
        header += _exactly(channel, _HEADER.size - len(header)) if header else b""
        if not header:
            return None
        length, _ = _HEADER.unpack(header)
        return json.loads(_exactly(channel, length)), descriptors
    except EOFError:
        for descriptor in descriptors:
            os.close(descriptor)
        return None


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = channel.recv(min(count - len(parts), 1 << 16))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
