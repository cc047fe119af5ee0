"""Who signed a request: SigV4 in headers or in the query, and S3's older query signatures.

The canonical form is built here rather than by botocore's signers, which cost some 0.2 s to import and an e-mail
message per request; the tests sign with them. AWS General Reference, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote, unquote

from local_sagemaker.clock import machine_time
from local_sagemaker.integers import natural
from local_sagemaker.wire import auth_errors
from local_sagemaker.wire.aws_chunked import ChunkSigner
from local_sagemaker.wire.credentials import AccessKey
from local_sagemaker.wire.request import WireRequest

SKEW = 15 * 60
LONGEST = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<credential>[^,\s]+)[,\s]+SignedHeaders=(?P<headers>[^,\s]+)[,\s]+"
    r"Signature=(?P<signature>[0-9a-fA-F]+)\s*"
)


class AccessKeySource(Protocol):
    """Where access keys come from."""

    def find(self, access_key_id: str) -> AccessKey | None:
        """The key, or None for one that is not ours."""
        ...


def usable(keys: AccessKeySource, key_id: str, token: str | None, service: str, request: WireRequest) -> AccessKey:
    """The access key. Raises the service's error where it is unknown, has expired, or came without its token."""
    key = keys.find(key_id)
    if key is None or (key.token is not None and token is None):
        raise auth_errors.unknown_key(service, request)
    if key.token is not None and not hmac.compare_digest(key.token.encode(), (token or "").encode("utf-8", "replace")):
        raise auth_errors.wrong_token(service, request)
    if key.expires is not None and machine_time() > key.expires:
        raise auth_errors.token_expiry(service, request)
    return key


@dataclass(frozen=True)
class SignatureClaim:
    """What a request says of its own signature; true only after `verify`."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    expires: int | None = None
    """Seconds from the timestamp on, for presigned requests."""
    token: str | None = None

    @property
    def scope(self) -> str:
        """The credential scope of the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def claim(request: WireRequest) -> SignatureClaim | None:
    """The SigV4 claim of a request, or None if it has none. Raises AWS's error for a malformed one."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS4-"):
        match = _AUTHORIZATION.fullmatch(authorization)
        if not match:
            raise auth_errors.bad_signature("Authorization header is not of the form of AWS4-HMAC-SHA256.")
        stamp = request.headers.get("x-amz-date") or _basic_format(request.headers.get("date", ""))
        token = request.headers.get("x-amz-security-token")
        return _claim(match["credential"], match["headers"], match["signature"], stamp, None, token)
    if "X-Amz-Signature=" not in request.query:
        return None
    parameters = dict(request.parameters())
    try:
        expires = natural(parameters["X-Amz-Expires"])
        if expires is None or not 0 < expires <= LONGEST or parameters["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
            raise ValueError("out of range")
        names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date")
        credential, headers, signed, stamp = (parameters[name] for name in names)
        token = parameters.get("X-Amz-Security-Token") or request.headers.get("x-amz-security-token")
        return _claim(credential, headers, signed, stamp, expires, token)
    except (KeyError, ValueError) as error:
        raise auth_errors.bad_query() from error


def _claim(
    credential: str, headers: str, signature: str, stamp: str, expires: int | None, token: str | None
) -> SignatureClaim:
    parts = credential.rsplit("/", 4)
    ascii_only = credential.isascii() and headers.isascii() and signature.isascii()
    if not ascii_only or len(parts) != 5 or parts[4] != "aws4_request" or not _STAMP.fullmatch(stamp):
        raise auth_errors.bad_signature("Credential or date is not of the form of AWS4-HMAC-SHA256.")
    key_id, date, region, service, _ = parts
    names = tuple(headers.lower().split(";"))
    return SignatureClaim(key_id, date, region, service, names, signature.lower(), stamp, expires, token)


def check_claim(claim: SignatureClaim, request: WireRequest, keys: AccessKeySource) -> AccessKey:
    """What can be said without the body: key, session token, time, which headers the signature covers."""
    _check_signed_headers(claim, request)
    key = usable(keys, claim.key_id, claim.token, claim.service, request)
    _check_time(claim, request)
    return key


def verify(
    claim: SignatureClaim, request: WireRequest, keys: AccessKeySource, body_sha256: Callable[[], str]
) -> ChunkSigner:
    """Checks time, key and signature, raising the error that the claimed service has for it.

    `body_sha256` is called only when the signature covers the body and no header says its hash. Returns what the
    signatures of a chunked body continue from.
    """
    secret = check_claim(claim, request, keys).secret
    key = derive_key(secret, claim.date, claim.region, claim.service)
    payload = _payload(claim, request, body_sha256)
    for path in _paths(claim.service, request.path):
        for query in _queries(request.query):
            canonical = _canonical(claim, request, path, query, payload)
            digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
            text = f"AWS4-HMAC-SHA256\n{claim.timestamp}\n{claim.scope}\n{digest}"
            computed = hmac.digest(key, text.encode(), "sha256").hex()
            if hmac.compare_digest(computed, claim.signature):
                return ChunkSigner(key, claim.timestamp, claim.scope, claim.signature)
    raise auth_errors.wrong_signature(claim.service, request)


def _check_time(claim: SignatureClaim, request: WireRequest) -> None:
    try:
        signed = _seconds(claim.timestamp)
    except ValueError as error:
        raise auth_errors.bad_signature(f"'{claim.timestamp}' is not a time.") from error
    if not claim.timestamp.startswith(claim.date):
        raise auth_errors.bad_signature(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date."
        )
    late = machine_time() - signed
    if claim.expires is not None:
        if late > claim.expires:
            raise auth_errors.past_expiry(claim.service)
        if late < -SKEW:
            raise auth_errors.not_yet_valid()
    elif abs(late) > SKEW:
        raise auth_errors.clock_skew(claim.service, request, signed)


@lru_cache(maxsize=64)
def _seconds(timestamp: str) -> float:
    """Seconds since the epoch: many requests are of the same second."""
    return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _check_signed_headers(claim: SignatureClaim, request: WireRequest) -> None:
    """Refuses a signature that does not cover what changes the meaning of a request.

    Of S3 that is every x-amz-* header but the body's hash, which the signature covers anyway; of the JSON protocols
    the name of the operation (AWS General Reference, "Create a canonical request").
    """
    signed = claim.signed_headers
    if claim.service == "s3":
        unsigned = [
            name for name in request.headers.keys() - set(signed) if name.startswith("x-amz-") or name == "host"
        ]
        unsigned = sorted(name for name in unsigned if name != "x-amz-content-sha256")
        if unsigned:
            raise auth_errors.extra_headers(unsigned)
    elif "host" not in signed:
        raise auth_errors.must_be_signed("'Host' or ':authority'", request)
    elif "x-amz-target" in request.headers and "x-amz-target" not in signed:
        raise auth_errors.must_be_signed("'X-Amz-Target'", request)


def _payload(claim: SignatureClaim, request: WireRequest, body_sha256: Callable[[], str]) -> str:
    """The last line of the canonical request."""
    digest = request.headers.get("x-amz-content-sha256")
    if claim.service == "s3":
        if claim.expires is not None:
            return digest if digest and "x-amz-content-sha256" in claim.signed_headers else UNSIGNED
        if digest is None:
            raise auth_errors.no_payload_hash()
        return digest
    computed = body_sha256()
    if digest not in (None, UNSIGNED, computed):
        raise auth_errors.wrong_signature(claim.service, request)
    return digest or computed


@lru_cache(maxsize=256)
def derive_key(secret: str, date: str, region: str, service: str) -> bytes:
    """One derivation per key, day and service; the rest of a signature is one hash and one HMAC."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical(claim: SignatureClaim, request: WireRequest, path: str, query: str, payload: str) -> str:
    headers = request.headers
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}" for name in claim.signed_headers]
    return "\n".join((request.method, path, query, *lines, "", ";".join(claim.signed_headers), payload))


@lru_cache(maxsize=64)
def _paths(service: str, path: str) -> tuple[str, ...]:
    """The canonical path: as sent for S3, normalised and quoted once more for others; then what a client may mean.

    The second form is tried only if the first does not fit: some clients sign what they would have encoded.
    """
    if service == "s3":
        return (path or "/", quote(unquote(path, errors="surrogateescape"), safe="/-_.~", errors="surrogateescape"))
    return (quote(_without_dots(path), safe="/~"), quote(path, safe="/~"), path)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def _queries(query: str) -> tuple[str, ...]:
    """The canonical query: sorted, without the signature itself; as sent first, then encoded as AWS does."""
    if not query:
        return ("",)
    pairs = [part.partition("=")[::2] for part in query.split("&") if part and not part.startswith("X-Amz-Signature=")]
    sent = "&".join(f"{name}={value}" for name, value in sorted(pairs))
    encoded = sorted((quote(unquote(name), safe="-_.~"), quote(unquote(value), safe="-_.~")) for name, value in pairs)
    again = "&".join(f"{name}={value}" for name, value in encoded)
    return (sent,) if again == sent else (sent, again)


def _basic_format(date: str) -> str:
    """A Date header in the form of X-Amz-Date."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (TypeError, ValueError):
        return ""


def verify_old_presigned(request: WireRequest, path: str, keys: AccessKeySource) -> None:
    """S3's signature version 2 in the query, which boto3 still makes by default for presigned URLs.

    `path` has the bucket in it. The string to sign is botocore's own (imported here: such requests are rare). What a
    header can say (``x-amz-*``) may stand in the query instead, and counts as a header from here on; the type of the
    body must be sent as it was signed.
    """
    from botocore.auth import HmacV1QueryAuth
    from botocore.compat import HTTPHeaders, urlsplit
    from botocore.credentials import Credentials

    parameters = dict(request.parameters())
    token = parameters.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    secret = usable(keys, parameters.get("AWSAccessKeyId", ""), token, "s3", request).secret
    expires = natural(parameters.get("Expires", ""))
    if expires is None or not parameters.get("Signature", "").isascii():
        raise auth_errors.bad_query()
    if machine_time() > expires:
        raise auth_errors.past_expiry("s3")
    headers: Any = HTTPHeaders()
    in_query = {name.lower(): value for name, value in parameters.items() if name.lower().startswith("x-amz-")}
    for name, value in {**request.headers, **in_query}.items():
        if name.startswith("x-amz-") or name in ("content-md5", "content-type"):
            headers[name] = value
    signer = HmacV1QueryAuth(Credentials(parameters["AWSAccessKeyId"], secret))
    # botocore's own date is an hour from now
    signer._get_date = lambda: parameters["Expires"]  # type: ignore[attr-defined]
    split = urlsplit(f"http://localhost{path}?{request.query}")
    # a bucket itself is "/bucket/" to some clients, botocore among them, and "/bucket" to others
    paths = {path, f"{path}/"} if path.count("/") == 1 else {path}
    texts = [signer.canonical_string(request.method, split, headers, auth_path=one) for one in paths]
    if not any(hmac.compare_digest(signer.sign_string(text), parameters["Signature"]) for text in texts):
        raise auth_errors.wrong_signature("s3", request)
    request.headers = {**request.headers, **in_query}
