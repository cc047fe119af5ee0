"""The checksums that S3 clients send with a body, computed while it passes and compared at its end.

zlib and hashlib do the work; CRC-32C and CRC-64/NVME, which neither has, come from awscrt where it is installed and
from a table otherwise (some 10 MB/s: the AWS CLI v2 uses CRC-64/NVME by default).
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Protocol

from local_sagemaker.errors import ServiceError

HEADER = "x-amz-checksum-"


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
        return _by_table(0x82F63B78, 32)
    return crc32c  # type: ignore[no-any-return]


@cache
def _crc64nvme() -> Callable[[bytes, int], int]:
    try:
        from awscrt.checksums import crc64nvme
    except ImportError:
        return _by_table(0x9A6C9329AC4BC9B5, 64)
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


class Checksums:
    """What a request says of its body, in headers and (announced by ``x-amz-trailer``) after it."""

    def __init__(self, headers: Mapping[str, str], signed_sha256: str | None = None) -> None:
        """`signed_sha256` is the hex digest that the signature covers, if it covers one."""
        self._expected: dict[str, str] = {}
        self._digests: dict[str, Digest] = {}
        self._signed = signed_sha256
        self._md5 = headers.get("content-md5")
        for name, value in headers.items():
            if name.startswith(HEADER) and name not in (f"{HEADER}algorithm", f"{HEADER}mode", f"{HEADER}type"):
                self._expect(name, value)
        for name in headers.get("x-amz-trailer", "").split(","):
            if name.strip().lower().startswith(HEADER):
                self._expect(name.strip().lower(), "")
        if self._md5 is not None:
            self._digests.setdefault("md5", ALGORITHMS["md5"]())
        if signed_sha256 is not None:
            self._digests.setdefault("sha256", ALGORITHMS["sha256"]())

    def _expect(self, name: str, value: str) -> None:
        algorithm = name.removeprefix(HEADER)
        if algorithm not in ALGORITHMS:
            raise ServiceError(
                f"The local service can't verify {algorithm.upper()} checksums; it knows "
                f"{', '.join(known.upper() for known in ALGORITHMS)}.",
                code="InvalidRequest",
                status=400,
            )
        self._expected[algorithm] = value
        self._digests.setdefault(algorithm, ALGORITHMS[algorithm]())

    def update(self, piece: bytes) -> None:
        """Takes a piece of the body."""
        for digest in self._digests.values():
            digest.update(piece)

    def verify(self, trailers: Mapping[str, str]) -> dict[str, str]:
        """Compares all; answers those that the client gave, as ``{"ChecksumCRC32": base64}``.

        Raises S3's BadDigest, InvalidDigest and XAmzContentSHA256Mismatch.
        """
        if self._signed is not None and self._digests["sha256"].digest().hex() != self._signed.lower():
            raise ServiceError(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                code="XAmzContentSHA256Mismatch",
                status=400,
            )
        if self._md5 is not None:
            self._compare_md5(self._md5)
        verified = {}
        for algorithm, expected in self._expected.items():
            expected = trailers.get(HEADER + algorithm, expected)
            computed = base64.b64encode(self._digests[algorithm].digest()).decode()
            if expected != computed:
                raise ServiceError(
                    f"The {algorithm.upper()} you specified did not match the calculated checksum.",
                    code="BadDigest",
                    status=400,
                )
            verified[f"Checksum{algorithm.upper()}"] = computed
        return verified

    def _compare_md5(self, given: str) -> None:
        try:
            expected = base64.b64decode(given, validate=True)
        except ValueError:
            expected = b""
        if len(expected) != 16:
            raise ServiceError("The Content-MD5 you specified was invalid.", code="InvalidDigest", status=400)
        if expected != self._digests["md5"].digest():
            raise ServiceError(
                "The Content-MD5 you specified did not match what we received.", code="BadDigest", status=400
            )
