"""Amazon's RecordIO-protobuf format: frames of ``aialgs.data.Record`` messages with dense or sparse tensors.

Read without a protobuf library, since only a few fields of one message matter: a record's ``features`` and ``label``
maps under the key ``values``, each a tensor of float32, float64 or int32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

MAGIC = 0xCED7230A
FEATURES, LABEL = 1, 2
TENSORS = {2: "<f4", 3: "<f8", 7: "<i4"}  # Value's fields: float32_tensor, float64_tensor, int32_tensor


@dataclass
class Tensor:
    """Values, and for a sparse tensor their indices (`keys`) and the length of the whole (`shape`)."""

    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    keys: list[int] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)


@dataclass
class Record:
    """One row: its features, and its labels if it has any."""

    features: Tensor
    label: Tensor | None = None


def read(data: bytes) -> Iterator[Record]:
    """The records of a RecordIO file or body. ValueError when it is not one."""
    position = 0
    while position < len(data):
        if position + 8 > len(data):
            raise ValueError("Incomplete RecordIO header")
        magic, length = struct.unpack_from("<II", data, position)
        if magic != MAGIC:
            raise ValueError("Incorrect Magic number in RecordIO header")
        length &= (1 << 29) - 1  # the upper bits mark the parts of a split record
        start = position + 8
        if start + length > len(data):
            raise ValueError("Incomplete RecordIO record")
        yield _record(data[start : start + length])
        position = start + (length + 3) // 4 * 4


def table(records: Sequence[Record]) -> tuple[NDArray[np.float32] | sparse.csr_matrix, NDArray[np.float32] | None]:
    """Features (sparse if the records are) and labels, None where there is none."""
    if not records:
        raise ValueError("No records in RecordIO data")
    labels = [record.label.values[0] for record in records if record.label is not None and len(record.label.values)]
    label = np.asarray(labels, dtype=np.float32) if len(labels) == len(records) else None
    if any(record.features.keys for record in records):
        return _sparse([record.features for record in records]), label
    width = max(len(record.features.values) for record in records)
    features = np.full((len(records), width), np.nan, dtype=np.float32)
    for row, record in zip(features, records, strict=True):
        row[: len(record.features.values)] = record.features.values
    return features, label


def frames(messages: Iterable[bytes]) -> bytes:
    """RecordIO frames around encoded messages."""
    framed = (struct.pack("<II", MAGIC, len(m)) + m + b"\0" * (-len(m) % 4) for m in messages)
    return b"".join(framed)


def label_record(values: dict[str, Sequence[float]]) -> bytes:
    """An encoded Record whose labels are float32 tensors under the given keys: what an inference answer holds."""
    entries = []
    for key, numbers in values.items():
        tensor = _field(1, np.asarray(numbers, dtype="<f4").tobytes())
        value = _field(2, tensor)
        entries.append(_field(LABEL, _field(1, key.encode()) + _field(2, value)))
    return b"".join(entries)


def _sparse(tensors: Sequence[Tensor]) -> sparse.csr_matrix:
    width = max(max(t.shape, default=0) or max(t.keys, default=-1) + 1 for t in tensors)
    indices = np.concatenate([np.asarray(t.keys, dtype=np.int64) for t in tensors])
    values = np.concatenate([t.values for t in tensors]).astype(np.float32)
    pointers = np.cumsum([0, *(len(t.keys) for t in tensors)])
    return sparse.csr_matrix((values, indices, pointers), shape=(len(tensors), width))


def _record(message: bytes) -> Record:
    found: dict[int, Tensor] = {}
    for number, _, content in _fields(message):
        if number in (FEATURES, LABEL) and isinstance(content, bytes):
            entry = {n: c for n, _, c in _fields(content)}
            if entry.get(1, b"values") == b"values" and isinstance(entry.get(2), bytes):
                found[number] = _tensor(entry[2])  # type: ignore[arg-type]
    if FEATURES not in found:
        raise ValueError("Record without features.values")
    return Record(found[FEATURES], found.get(LABEL))


def _tensor(value: bytes) -> Tensor:
    for number, _, content in _fields(value):
        if number in TENSORS and isinstance(content, bytes):
            return _filled(content, TENSORS[number])
    raise ValueError("Record without a tensor")


def _filled(message: bytes, kind: str) -> Tensor:
    values: list[NDArray[np.float64]] = []
    tensor = Tensor()
    for number, _, content in _fields(message):
        if number == 1 and kind == "<i4":
            numbers = _numbers(content)
            values.append(np.asarray(numbers, dtype=np.uint64).astype(np.int32).astype(np.float64))
        elif number == 1 and isinstance(content, bytes):
            values.append(np.frombuffer(content, dtype=kind).astype(np.float64))
        elif number in (2, 3):
            numbers = _numbers(content)
            (tensor.keys if number == 2 else tensor.shape).extend(numbers)
    tensor.values = np.concatenate(values) if values else tensor.values
    return tensor


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes | int]]:
    """(field number, wire type, content) of a protobuf message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            content, position = _varint(message, position)
            yield number, wire, content
            continue
        if wire == 2:
            size, position = _varint(message, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"Unknown protobuf wire type {wire}")
        if position + size > len(message):
            raise ValueError("Truncated protobuf message")
        yield number, wire, message[position : position + size]
        position += size


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("Truncated protobuf number")


def _numbers(content: bytes | int) -> list[int]:
    """The integers of a repeated field: packed, or one alone."""
    if isinstance(content, int):
        return [content]
    numbers, position, data = [], 0, content
    while position < len(data):
        number, position = _varint(data, position)
        numbers.append(number)
    return numbers


def _field(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | 2) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
