"""The part of a download that a client requests by its Range header (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BYTES = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.IGNORECASE)


@dataclass(frozen=True)
class RangeRequest:
    """The headers Range and If-Range of a request, empty where there is none."""

    range: str = ""
    if_range: str = ""

    def part(self, size: int, etag: str = "") -> tuple[int, int] | None:
        """Offset and length of the part that is requested of `size` bytes; None for all of them.

        As RFC 9110 lets servers do, several ranges at once and other units get all. Raises `RangeError` for a part
        behind the end.
        """
        match = _BYTES.fullmatch(self.range.strip())
        if not match or (self.if_range and self.if_range != etag):
            return None
        first, last = match[1], match[2]
        if not first and not last:
            return None
        if not first:  # the last bytes
            length = min(int(last), size)
            if not length:
                raise RangeError(size)
            return size - length, length
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
        if start >= size:
            raise RangeError(size)
        return start, end - start + 1


class RangeError(Exception):
    """The part lies behind the end of so many bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"There are {size} bytes only.")
        self.size = size
