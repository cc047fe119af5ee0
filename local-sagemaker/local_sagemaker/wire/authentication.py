"""Who is let in: a known host name, then a signature made with one of the service's keys.

What the signature and the headers promise of the body is checked while the body is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs

from local_sagemaker.config import Settings
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire import auth_errors, aws_chunked, detect, signature
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.checksums import Checksums
from local_sagemaker.wire.request import WireRequest
from local_sagemaker.wire.signature import AccessKeySource


def is_own_host(host: str, settings: Settings) -> bool:
    """Whether a Host header (without port, lower case) names this machine."""
    return host in ("127.0.0.1", "localhost", "[::1]", settings.host) or host.endswith(".localhost")


class Authenticator:
    """Checks host and signature of every request."""

    def __init__(
        self, credentials: AccessKeySource, settings: Settings, unsigned: Callable[[WireRequest], str | None]
    ) -> None:
        """`unsigned` returns the service (signing name) that serves an unsigned request, None to refuse it."""
        self._keys = credentials
        self._settings = settings
        self._unsigned = unsigned

    def refuse_foreign_host(self, request: WireRequest) -> None:
        """Only names that no web page can have: loopback, the configured host, AWS's own (sent here by the hook)."""
        host = request.host
        if not is_own_host(host, self._settings) and not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            raise auth_errors.foreign_host(host)

    def find_service(self, request: WireRequest) -> str:
        """The service (signing name) that a request claims to be for, all checked that its body is not needed for."""
        claim = signature.claim(request)
        if claim is not None:
            signature.check_claim(claim, request, self._keys)
            return claim.service
        if _is_old_presigned(request):
            return "s3"
        return self._unsigned_service(request)

    def service(self, request: WireRequest) -> str:
        """The service that a signed request is for; from here on its body is what was signed."""
        claim = signature.claim(request)
        if claim is None:
            return self._without_claim(request)
        read: list[bytes] = []

        def body_sha256() -> str:
            read.append(request.body.whole())
            return hashlib.sha256(read[0]).hexdigest()

        signer = signature.verify(claim, request, self._keys, body_sha256)
        if read:
            request.body = from_bytes(read[0])
        if not detect.is_unmodelled(claim.service):
            auth_errors.check_region(claim.service, claim.region)
        request.region = claim.region
        if claim.service == "s3":
            _prepare_upload(request, signer, signed=claim.expires is None)
        return claim.service

    def _without_claim(self, request: WireRequest) -> str:
        if _is_old_presigned(request):
            signature.verify_old_presigned(request, detect.path_style(request), self._keys)
            _prepare_upload(request, None, signed=False)
            return "s3"
        return self._unsigned_service(request)

    def _unsigned_service(self, request: WireRequest) -> str:
        service = self._unsigned(request)
        if service is None:
            raise auth_errors.no_signature(guess_service(request))
        return service


def _is_old_presigned(request: WireRequest) -> bool:
    """Whether the query has a signature of version 2."""
    return "AWSAccessKeyId=" in request.query and "Signature=" in request.query


def _prepare_upload(request: WireRequest, signer: aws_chunked.ChunkSigner | None, *, signed: bool) -> None:
    """Unwraps S3's chunked bodies and has checksums compared while the body is read."""
    headers = request.headers
    payload = headers.get("x-amz-content-sha256", signature.UNSIGNED)
    streaming = payload.startswith("STREAMING-")
    if streaming:
        if "ECDSA" in payload:
            raise auth_errors.bad_signature("SigV4A is not supported by the local service; sign with SigV4.")
        chunks = signer if payload.startswith("STREAMING-AWS4-HMAC-SHA256") else None
        request.body = aws_chunked.decode_chunks(request.body, headers, chunks)
    hashed = None if streaming or not signed or payload == signature.UNSIGNED else payload
    completes = request.method == "POST" and "uploadId" in parse_qs(request.query, keep_blank_values=True)
    request.body.expect(Checksums(headers, hashed, of_body=not completes))
    if "content-encoding" in headers:
        kept = [part.strip() for part in headers["content-encoding"].split(",") if part.strip() != "aws-chunked"]
        request.headers = {**headers, "content-encoding": ",".join(kept)}
        if not kept:
            del request.headers["content-encoding"]
    if streaming and request.body.length is not None:
        request.headers = {**request.headers, "content-length": str(request.body.length)}


def guess_service(request: WireRequest) -> str:
    """For the form of an error only: the service of a request whose signature says none."""
    try:
        claim = signature.claim(request)
    except ServiceError:
        claim = None
    if claim is not None:
        return claim.service
    if _is_old_presigned(request):
        return "s3"
    if "x-amz-target" in request.headers:
        return "sagemaker"
    return "sts" if auth_errors.is_query(request) else "s3"
