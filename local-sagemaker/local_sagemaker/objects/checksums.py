"""S3's checksums: computed piece by piece, of files, and of objects from those of their parts.

zlib and hashlib do the work; CRC-32C and CRC-64/NVME, which neither has, come from awscrt where it is installed and
from a table otherwise (some 10 MB/s: the AWS CLI v2 uses CRC-64/NVME by default).
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Protocol


class Digest(Protocol):
    """The part of hashlib's interface that is used here."""

    def update(self, data: bytes, /) -> None:
        """Takes more bytes."""
        ...

    def digest(self) -> bytes:
        """The checksum of the bytes so far, big-endian."""
        ...


class Crc:
    """A cyclic redundancy check as a hashlib-like object."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function, self._size, self._value = function, size, 0

    def update(self, data: bytes, /) -> None:
        """Takes more bytes."""
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        """The checksum so far, big-endian."""
        return self._value.to_bytes(self._size, "big")


@cache
def _table(polynomial: int) -> list[int]:
    """Remainders of all 16-bit words for a reflected polynomial: two bytes a step."""
    byte = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        byte.append(value)
    return [byte[byte[word & 0xFF] & 0xFF ^ word >> 8] ^ byte[word & 0xFF] >> 8 for word in range(65536)]


def _by_table(polynomial: int, bits: int) -> Callable[[bytes, int], int]:
    mask = (1 << bits) - 1

    def crc(data: bytes, value: int = 0) -> int:
        table, value = _table(polynomial), value ^ mask
        even = len(data) & ~1
        for word in memoryview(data)[:even].cast("H"):
            value = table[(value ^ word) & 0xFFFF] ^ (value >> 16)
        if even != len(data):  # one byte: shift it through alone
            low = (value ^ data[-1]) & 0xFF
            for _ in range(8):
                low = (low >> 1) ^ (polynomial if low & 1 else 0)
            value = low ^ (value >> 8)
        return value ^ mask

    return crc


@cache
def _crc32c() -> Callable[[bytes, int], int]:
    try:
        from awscrt.checksums import crc32c
    except ImportError:
        return _by_table(*POLYNOMIALS["crc32c"])
    return crc32c  # type: ignore[no-any-return]


@cache
def _crc64nvme() -> Callable[[bytes, int], int]:
    try:
        from awscrt.checksums import crc64nvme
    except ImportError:
        return _by_table(*POLYNOMIALS["crc64nvme"])
    return crc64nvme  # type: ignore[no-any-return]


ALGORITHMS: dict[str, Callable[[], Digest]] = {
    "crc32": lambda: Crc(zlib.crc32, 4),
    "crc32c": lambda: Crc(_crc32c(), 4),
    "crc64nvme": lambda: Crc(_crc64nvme(), 8),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}


def checksum(algorithm: str, data: bytes) -> str:
    """A checksum as S3 writes it, e.g. ``checksum("crc32c", b"...")``: base64 of the big-endian bytes."""
    digest = ALGORITHMS[algorithm.lower()]()
    digest.update(data)
    return base64.b64encode(digest.digest()).decode()


def of_file(algorithm: str, path: str, offset: int, size: int) -> str:
    """The checksum of a part of a file, as S3 writes it."""
    digest = ALGORITHMS[algorithm.lower()]()
    with open(path, "rb", buffering=0) as file:
        file.seek(offset)
        while size and (piece := file.read(min(size, 1 << 20))):
            digest.update(piece)
            size -= len(piece)
    return base64.b64encode(digest.digest()).decode()


POLYNOMIALS = {"crc32": (0xEDB88320, 32), "crc32c": (0x82F63B78, 32), "crc64nvme": (0x9A6C9329AC4BC9B5, 64)}
"""Reflected, with their bits."""


def composite(algorithm: str, parts: Sequence[str]) -> str:
    """The checksum of the parts' checksums, with their number (user guide, "Checking object integrity")."""
    joined = b"".join(base64.b64decode(part) for part in parts)
    return f"{checksum(algorithm, joined)}-{len(parts)}"


def whole(algorithm: str, parts: Sequence[tuple[str, int]]) -> str | None:
    """The checksum of all bytes from the (checksum, size) of each part; None for algorithms that can't be joined."""
    if algorithm.lower() not in POLYNOMIALS:
        return None
    polynomial, bits = POLYNOMIALS[algorithm.lower()]
    value = 0
    for text, size in parts:
        value = _advance(value, size, polynomial, bits) ^ int.from_bytes(base64.b64decode(text), "big")
    return base64.b64encode(value.to_bytes(bits // 8, "big")).decode()


def _advance(value: int, size: int, polynomial: int, bits: int) -> int:
    """A CRC as it is after so many zero bytes: a product of the operators of the powers of two in `size`."""
    power = 0
    while size:
        if size & 1:
            value = _times(_zeros(polynomial, bits, power), value)
        size, power = size >> 1, power + 1
    return value


@lru_cache(maxsize=256)
def _zeros(polynomial: int, bits: int, power: int) -> tuple[int, ...]:
    """What 2**power zero bytes do to a CRC, as a matrix over GF(2): one column for each of its bits."""
    if power:
        half = _zeros(polynomial, bits, power - 1)
        return tuple(_times(half, column) for column in half)
    columns = []
    for bit in range(bits):
        value = 1 << bit
        for _ in range(8):
            value = (value >> 1) ^ (polynomial if value & 1 else 0)
        columns.append(value)
    return tuple(columns)


def _times(matrix: tuple[int, ...], vector: int) -> int:
    result, position = 0, 0
    while vector:
        if vector & 1:
            result ^= matrix[position]
        vector, position = vector >> 1, position + 1
    return result
