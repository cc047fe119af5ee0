"""From an input object to request bodies: split into records, packed into batches (contracts: containers 6.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

RECORDIO_MAGIC = 0xCED7230A


class RecordError(Exception):
    """An object that cannot be split, or a record that does not fit into a request."""


@dataclass(frozen=True)
class Batching:
    """How an object becomes requests. `limit` is in bytes, None for no limit; `single` is one record per request."""

    split: str
    single: bool
    limit: int | None

    def batches(self, data: bytes) -> Iterator[bytes]:
        """The bodies of the requests, before any filter, in order."""
        if self.split == "None":
            if self.limit is not None and len(data) > self.limit:
                raise RecordError(f"Payload of {len(data)} bytes exceeds MaxPayloadInMB ({self.limit} bytes)")
            yield data
        elif self.split == "Line":
            yield from self._single_lines(data) if self.single else self._pack_lines(data)
        else:
            frames = _recordio(data) if self.split == "RecordIO" else _tfrecord(data)
            yield from self._frames(frames)

    def _single_lines(self, data: bytes) -> Iterator[bytes]:
        for line in data.removesuffix(b"\n").split(b"\n") if data else ():
            self._check(line)
            yield line

    def _pack_lines(self, data: bytes) -> Iterator[bytes]:
        """Whole lines up to the limit, cut without looking at each line; the last batch ends as the object does."""
        position, size = 0, len(data)
        limit = self.limit or size
        while position < size:
            if size - position <= limit:
                yield data[position:]
                return
            cut = data.rfind(b"\n", position, position + limit + 1)
            if cut < position:
                end = data.find(b"\n", position)
                self._check(data[position : end if end >= 0 else size])
            yield data[position:cut]
            position = cut + 1

    def _frames(self, frames: Iterator[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Single records lose header and padding; packed ones keep them, as AWS documents."""
        packed: list[bytes] = []
        size = 0
        for frame, record in frames:
            body = record if self.single else frame
            self._check(body)
            if packed and (self.single or (self.limit is not None and size + len(body) > self.limit)):
                yield b"".join(packed)
                packed, size = [], 0
            packed.append(body)
            size += len(body)
        if packed:
            yield b"".join(packed)

    def _check(self, record: bytes) -> None:
        if self.limit is not None and len(record) > self.limit:
            raise RecordError(f"Record of {len(record)} bytes exceeds MaxPayloadInMB ({self.limit} bytes)")


def _recordio(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(frame, record) of each RecordIO record."""
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise RecordError("Incomplete RecordIO header")
        magic, length = struct.unpack_from("<II", data, position)
        if magic != RECORDIO_MAGIC:
            raise RecordError("Incorrect magic number in RecordIO header")
        length &= (1 << 29) - 1
        end = position + 8 + (length + 3) // 4 * 4
        yield data[position:end], data[position + 8 : position + 8 + length]
        position = end


def _tfrecord(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(frame, record) of each TFRecord: length, its checksum, bytes, their checksum."""
    position = 0
    while position < len(data):
        if position + 12 > len(data):
            raise RecordError("Incomplete TFRecord header")
        (length,) = struct.unpack_from("<Q", data, position)
        end = position + 16 + length
        if end > len(data):
            raise RecordError("Incomplete TFRecord")
        yield data[position:end], data[position + 12 : position + 12 + length]
        position = end
