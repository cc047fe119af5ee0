"""Responses that are event streams: each event a message of ``application/vnd.amazon.eventstream``.

A message is its length, that of its headers, a checksum of these, the headers, the payload, and a checksum of all
(Smithy, "Amazon Event Stream specification"). Numbers are big-endian, checksums CRC-32.
"""

from __future__ import annotations

import json
import struct
from binascii import crc32
from collections.abc import AsyncIterator, Mapping
from typing import Any

from local_sagemaker.api.scalars import Shape

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_STRING = 7  # the type of a header's value


async def encode_events(shape: Shape, events: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """The messages of a stream. Each event is an object with the name of its member of the shape."""
    async for event in events:
        ((name, value),) = event.items()
        yield _event(name, shape.members[name], value)


def _event(name: str, shape: Shape, value: Mapping[str, Any]) -> bytes:
    if shape.metadata.get("exception"):
        headers = {":message-type": "exception", ":exception-type": name, ":content-type": "application/json"}
        return message(headers, json.dumps(value).encode())
    whole = next((member for member, part in shape.members.items() if part.serialization.get("eventpayload")), None)
    headers = {":message-type": "event", ":event-type": name}
    if whole is not None and shape.members[whole].type_name == "blob":
        return message({**headers, ":content-type": "application/octet-stream"}, value[whole])
    return message({**headers, ":content-type": "application/json"}, json.dumps(value).encode())


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message."""
    lines = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(lines) + len(payload), len(lines))
    start = prelude + struct.pack(">I", crc32(prelude)) + lines + payload
    return start + struct.pack(">I", crc32(start))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", _STRING, len(value)) + value
