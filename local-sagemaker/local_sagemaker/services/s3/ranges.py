"""Byte ranges of reads: the ``Range`` header and the parts of a multipart upload."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.errors import InvalidArgument, InvalidPartNumber, InvalidRange, InvalidRequest

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True)
class Extent:
    """`length` bytes from `offset` on; `partial` when that is served by 206."""

    offset: int
    length: int
    partial: bool = False

    def members(self, size: int) -> dict[str, Any]:
        """What the response says of it."""
        if not self.partial:
            return {"ContentLength": self.length}
        last = self.offset + self.length - 1
        return {
            "ContentLength": self.length,
            "ContentRange": f"bytes {self.offset}-{last}/{size}",
            "__status__": 206,
        }


def find_extent(request: Mapping[str, Any], item: StoredObject) -> Extent:
    """The extent that GetObject or HeadObject requests. A malformed or multiple Range is ignored, as S3 does."""
    header, number = request.get("Range"), request.get("PartNumber")
    if number is not None:
        if header:
            raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
        return part(item, number)
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return Extent(0, item.size)
    return _extent(match[1], match[2], item.size, header or "")


def _extent(first: str, last: str, size: int, header: str) -> Extent:
    if not first:
        length = min(int(last), size)
        offset = size - length
    elif last and int(last) < int(first):
        return Extent(0, size)
    else:
        offset = int(first)
        length = min(int(last) + 1 if last else size, size) - offset
    if length <= 0:
        raise InvalidRange(RangeRequested=header, ActualObjectSize=str(size))
    return Extent(offset, length, partial=True)


def part(item: StoredObject, number: int) -> Extent:
    """The extent of one part of a multipart upload; any other object is its own single part."""
    sizes = [part["size"] for part in item.attributes.parts] or [item.size]
    if not 1 <= number <= len(sizes):
        raise InvalidPartNumber(PartNumberRequested=str(number), ActualPartCount=str(len(sizes)))
    return Extent(sum(sizes[: number - 1]), sizes[number - 1], partial=sizes[number - 1] > 0)


def copy_source(header: str, size: int) -> Extent:
    """The range of UploadPartCopy, which must be ``bytes=first-last`` inside the source."""
    match = _RANGE.fullmatch(header)
    if match is None or not match[1] or not match[2] or int(match[2]) < int(match[1]):
        raise InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    if int(match[2]) >= size:
        raise InvalidArgument(
            f"Range specified is not valid for source object of size: {size}",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    return Extent(int(match[1]), int(match[2]) - int(match[1]) + 1)
