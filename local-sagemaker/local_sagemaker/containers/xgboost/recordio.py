"""Amazon's RecordIO-protobuf format: frames of ``aialgs.data.Record`` messages with dense or sparse tensors.

Read without a protobuf library, since only a few fields of one message matter: a record's ``features`` and ``label``
maps under the key ``values``, each a tensor of float32, float64 or int32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray  # NumPy of older images has none

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
    """The records of a RecordIO file or body; what is too short for a header at its end is ignored, and so are records
    without features, as in the container (recordio_protobuf.py). ValueError when it is no RecordIO.
    """
    position = 0
    while position + 8 <= len(data):
        magic, length = struct.unpack_from("<II", data, position)
        if magic != MAGIC:
            raise ValueError(f"Invalid RecordIO magic at offset {position}")
        start = position + 8
        position = start + (length + 3) // 4 * 4
        if position > len(data):
            raise ValueError(f"Truncated record at offset {start}")
        record = _record(data[start : start + length])
        if record is not None:
            yield record


def table(records: Iterable[Record]) -> tuple[NDArray[np.float32] | sparse.csr_matrix, NDArray[np.float32] | None]:
    """Features (sparse if a record is) and all labels, None where there is none. ValueError when widths differ."""
    records = list(records)
    if not records:
        raise ValueError("No records found in RecordIO-Protobuf data")
    labels = [record.label.values for record in records if record.label is not None]
    label = np.concatenate(labels).astype(np.float32) if labels else None
    if any(record.features.keys or not len(record.features.values) for record in records):
        rows = [_sparse(record.features) for record in records]
        return sparse.vstack(rows).tocsr(), label
    return np.vstack([record.features.values for record in records]).astype(np.float32), label


def frames(messages: Iterable[bytes]) -> bytes:
    """RecordIO frames around encoded messages."""
    framed = (struct.pack("<II", MAGIC, len(m)) + m + b"\0" * (-len(m) % 4) for m in messages)
    return b"".join(framed)


def label_record(values: dict[str, Sequence[float]]) -> bytes:
    """An encoded Record whose labels are float32 tensors under the given keys: what an inference response holds."""
    entries = []
    for key, numbers in values.items():
        tensor = _field(1, np.asarray(numbers, dtype="<f4").tobytes())
        value = _field(2, tensor)
        entries.append(_field(LABEL, _field(1, key.encode()) + _field(2, value)))
    return b"".join(entries)


def _sparse(tensor: Tensor) -> sparse.csr_matrix:
    """One row. Its width is the tensor's, or what its largest key needs."""
    keys = tensor.keys if tensor.keys or not len(tensor.values) else list(range(len(tensor.values)))
    width = tensor.shape[0] if tensor.shape else max(keys, default=0) + 1
    return sparse.csr_matrix((tensor.values.astype(np.float32), keys, [0, len(keys)]), shape=(1, width))


def _record(message: bytes) -> Record | None:
    """A record, None for one without features."""
    tensors: dict[int, Tensor] = {}
    for number, _, content in _fields(message):
        if number in (FEATURES, LABEL) and isinstance(content, bytes):
            entry = {n: c for n, _, c in _fields(content)}
            if entry.get(1, b"values") == b"values" and isinstance(entry.get(2), bytes):
                tensors[number] = _tensor(entry[2])  # type: ignore[arg-type]
    return Record(tensors[FEATURES], tensors.get(LABEL)) if FEATURES in tensors else None


def _tensor(value: bytes) -> Tensor:
    for number, _, content in _fields(value):
        if number in TENSORS and isinstance(content, bytes):
            return _fill(content, TENSORS[number])
    raise ValueError("Record without a tensor")


def _fill(message: bytes, kind: str) -> Tensor:
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
    return _encode_varint(number << 3 | 2) + _encode_varint(len(content)) + content


def _encode_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
