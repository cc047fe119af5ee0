"""Checksums against published check values (of the text "123456789") and against each other in pieces."""

from __future__ import annotations

import base64
import os

import pytest

from local_sagemaker.errors import ServiceError
from local_sagemaker.objects.checksums import ALGORITHMS, checksum, composite, whole
from local_sagemaker.wire.checksums import Checksums

CHECK = {"crc32": 0xCBF43926, "crc32c": 0xE3069283, "crc64nvme": 0xAE8B14860A799888}


@pytest.mark.parametrize("algorithm", CHECK)
def test_check_values(algorithm: str) -> None:
    size = 8 if algorithm == "crc64nvme" else 4
    assert base64.b64decode(checksum(algorithm, b"123456789")) == CHECK[algorithm].to_bytes(size, "big")


@pytest.mark.parametrize("algorithm", CHECK)
@pytest.mark.parametrize("sizes", [[0, 5], [1], [5, 1, 70_000, 3], [1 << 20, 1 << 20, 7]])
def test_the_whole_is_known_from_its_parts(algorithm: str, sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]
    parts = [(checksum(algorithm, piece), len(piece)) for piece in pieces]
    assert whole(algorithm, parts) == checksum(algorithm, b"".join(pieces))


def test_what_has_no_sum_of_parts() -> None:
    assert whole("sha256", [(checksum("sha256", b"a"), 1)]) is None
    digest = base64.b64decode(checksum("sha256", b"a"))
    assert composite("SHA256", [checksum("sha256", b"a")] * 2) == checksum("sha256", digest * 2) + "-2"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pieces_make_the_same_as_the_whole(algorithm: str) -> None:
    data = os.urandom(10_001)
    digest = ALGORITHMS[algorithm]()
    for start in range(0, len(data), 777):
        digest.update(data[start : start + 777])
    assert base64.b64encode(digest.digest()).decode() == checksum(algorithm, data)


def test_a_trailer_overrides_the_header_and_is_reported() -> None:
    sums = Checksums({"x-amz-trailer": "x-amz-checksum-crc32c", "x-amz-checksum-sha1": checksum("sha1", b"abc")})
    sums.update(b"a")
    sums.update(b"bc")
    assert sums.verify({"x-amz-checksum-crc32c": checksum("crc32c", b"abc")}) == {
        "ChecksumSHA1": checksum("sha1", b"abc"),
        "ChecksumCRC32C": checksum("crc32c", b"abc"),
    }


def test_headers_that_describe_the_object_are_not_compared_with_the_body() -> None:
    headers = {"x-amz-checksum-sha256": "AAAA-2", "x-amz-checksum-crc32": "AAAAAA=="}
    sums = Checksums(headers, of_body=False)
    sums.update(b"<CompleteMultipartUpload/>")
    assert sums.verify({}) == {}
    with pytest.raises(ServiceError, match="x-amz-content-sha256"):
        Checksums(headers, "0" * 64, of_body=False).verify({})


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if name != "md5"])
@pytest.mark.parametrize("value", ["blerg", "AAAA", "b64:AAAA", "AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_header_that_is_no_checksum_is_named(algorithm: str, value: str) -> None:
    sums = Checksums({f"x-amz-checksum-{algorithm}": value})
    sums.update(b"abc")
    with pytest.raises(ServiceError) as caught:
        sums.verify({})
    text = f"Value for x-amz-checksum-{algorithm} header is invalid."
    assert (caught.value.code, caught.value.message) == ("InvalidRequest", text)


def test_the_signed_hash_comes_first() -> None:
    sums = Checksums({"x-amz-checksum-crc32": "AAAAAA=="}, "0" * 64)
    sums.update(b"abc")
    with pytest.raises(ServiceError) as caught:
        sums.verify({})
    assert caught.value.code == "XAmzContentSHA256Mismatch"


def test_headers_about_checksums_are_no_checksums() -> None:
    headers = {
        "x-amz-checksum-mode": "ENABLED",
        "x-amz-checksum-type": "COMPOSITE",
        "x-amz-checksum-algorithm": "CRC32",
    }
    assert Checksums(headers).verify({}) == {}
