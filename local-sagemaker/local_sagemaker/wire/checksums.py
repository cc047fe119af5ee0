"""What a request says of its body's checksums, compared while the body passes."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from local_sagemaker.errors import ServiceError
from local_sagemaker.objects.checksums import ALGORITHMS, Digest

HEADER = "x-amz-checksum-"


def _decoded_size(value: str) -> int:
    """How many bytes a base64 text stands for; -1 when it is none."""
    try:
        return len(base64.b64decode(value, validate=True))
    except ValueError:
        return -1


class Checksums:
    """What a request says of its body, in headers and (announced by ``x-amz-trailer``) after it."""

    def __init__(self, headers: Mapping[str, str], signed_sha256: str | None = None, *, of_body: bool = True) -> None:
        """`signed_sha256` is the hex digest that the signature covers, if it covers one.

        Without `of_body` the checksums among the headers are not the body's: CompleteMultipartUpload sends a list of
        parts, and the checksum of the object that they become.
        """
        self._expected: dict[str, str] = {}
        self._digests: dict[str, Digest] = {}
        self._signed = signed_sha256
        self._md5 = headers.get("content-md5")
        for name, value in headers.items() if of_body else ():
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
        """Compares all; returns those that the client gave, as ``{"ChecksumCRC32": base64}``.

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
            trailing = HEADER + algorithm in trailers
            expected = trailers.get(HEADER + algorithm, expected)
            computed = base64.b64encode(self._digests[algorithm].digest()).decode()
            if not trailing and len(expected) and _decoded_size(expected) != len(self._digests[algorithm].digest()):
                raise ServiceError(
                    f"Value for {HEADER}{algorithm} header is invalid.", code="InvalidRequest", status=400
                )  # seen by many clients; the AWS SDK for Kotlin tests it
            if expected != computed:
                raise ServiceError(
                    f"The {algorithm.upper()} you specified did not match the calculated checksum.",
                    code="BadDigest",
                    status=400,
                )
            verified[f"Checksum{algorithm.upper()}"] = computed
        return verified

    def _compare_md5(self, digest: str) -> None:
        try:
            expected = base64.b64decode(digest, validate=True)
        except ValueError:
            expected = b""
        if len(expected) != 16:
            raise ServiceError("The Content-MD5 you specified was invalid.", code="InvalidDigest", status=400)
        if expected != self._digests["md5"].digest():
            raise ServiceError(
                "The Content-MD5 you specified did not match what we received.", code="BadDigest", status=400
            )
