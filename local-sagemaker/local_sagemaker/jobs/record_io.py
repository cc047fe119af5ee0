"""Objects as RecordIO records, for channels in Pipe mode whose RecordWrapperType is RecordIO.

The format is MXNet's: a magic number, two bits that say which part of a record it is and 29 of its length, the bytes,
and zeros up to a multiple of four (https://mxnet.apache.org/api/architecture/note_data_loading).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from local_sagemaker.jobs import channels
from local_sagemaker.jobs.channels import Item
from local_sagemaker.objects.types import Objects

MAGIC = 0xCED7230A
LONGEST = (1 << 29) - 1
"""Bytes of one part; what is longer is a record of several."""
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def stream(chosen: list[Item], objects: Objects, *, inflate: bool) -> Iterator[bytes]:
    """Each object as one record. It is held as a whole, since its length comes first."""
    for item in chosen:
        yield from record(b"".join(channels.pieces(item, objects, inflate=inflate)))


def record(data: bytes, longest: int = LONGEST) -> Iterator[bytes]:
    """The pieces of one record."""
    starts = range(0, len(data), longest) or range(1)
    for number, start in enumerate(starts):
        part = data[start : start + longest]
        last = number == len(starts) - 1
        flag = _WHOLE if len(starts) == 1 else _FIRST if number == 0 else _LAST if last else _MIDDLE
        yield struct.pack("<II", MAGIC, flag << 29 | len(part))
        yield part
        yield bytes(-len(part) % 4)
