"""Requests that are not let in, in the words of the service that they claim to be for.

Codes: S3's "Error responses", and "Common errors" in the API references of the others. AWS's JSON services and its
query services (IAM, STS, ...) have different codes for one fault.
"""

from __future__ import annotations

from local_sagemaker.arns import is_region
from local_sagemaker.clock import iso, machine_time
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.request import WireRequest

HINT = "Sign with the keys of the local service: `local-sagemaker env` prints them."


def is_query(request: WireRequest) -> bool:
    """Whether a request is of an AWS query service: a form with an Action."""
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or (
        "Action=" in request.query
    )


def _denial(code: str, message: str, status: int = 403) -> ServiceError:
    return ServiceError(message, code=code, status=status)


def no_signature(service: str) -> ServiceError:
    """No signature at all."""
    code = "AccessDenied" if service == "s3" else "AccessDeniedException"
    return _denial(code, "Access Denied" if service == "s3" else f"The request is not signed. {HINT}")


def foreign_host(host: str) -> ServiceError:
    """A Host header that a web page could have chosen (DNS rebinding)."""
    return _denial("AccessDenied", f"The local service does not respond for the host '{host}'.")


def bad_signature(message: str) -> ServiceError:
    """A signature that can't be read."""
    return _denial("IncompleteSignature", message, 400)


def bad_query() -> ServiceError:
    """A presigned URL without all that it needs."""
    return _denial(
        "AuthorizationQueryParametersError",
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
        "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        400,
    )


def check_region(service: str, region: str) -> None:
    """Refuses a credential scope without a region (IAM User Guide, "Troubleshoot Signature Version 4")."""
    if is_region(region):
        return
    if service == "s3":
        text = f"The authorization header is malformed; the region '{region}' is wrong; expecting 'us-east-1'"
        raise _denial("AuthorizationHeaderMalformed", text, 400)
    raise _denial("InvalidSignatureException", "Credential should be scoped to a valid region.")


def unknown_key(service: str, request: WireRequest) -> ServiceError:
    """An access key that this service did not make."""
    if service == "s3":
        return _denial("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    code = "InvalidClientTokenId" if is_query(request) else "UnrecognizedClientException"
    return _denial(code, "The security token included in the request is invalid.")


def wrong_signature(service: str, request: WireRequest) -> ServiceError:
    """The right key, but another secret or another request."""
    text = "The request signature we calculated does not match the signature you provided. "
    if service == "s3":
        return _denial("SignatureDoesNotMatch", text + "Check your key and signing method.")
    return _denial(
        "SignatureDoesNotMatch" if is_query(request) else "InvalidSignatureException",
        text + "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )


def clock_skew(service: str, request: WireRequest, signed: float) -> ServiceError:
    """Signed by a clock that is too far off, or too long ago."""
    if service == "s3":
        return _denial(
            "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
        )
    code = "SignatureDoesNotMatch" if is_query(request) else "InvalidSignatureException"
    state = "expired" if signed < machine_time() else "not yet current"
    return _denial(code, f"Signature {state}: {iso(signed)} is more than 15 min. from {iso(machine_time())}")


def past_expiry(service: str) -> ServiceError:
    """A presigned request past its time."""
    return _denial("AccessDenied" if service == "s3" else "RequestExpired", "Request has expired")


def not_yet_valid() -> ServiceError:
    """A presigned request from the future."""
    return _denial("AccessDenied", "Request is not yet valid")


def extra_headers(names: list[str]) -> ServiceError:
    """Headers that would change what an S3 request does."""
    error = _denial("AccessDenied", "There were headers present in the request which were not signed")
    error.detail = {"HeadersNotSigned": ", ".join(names)}  # type: ignore[attr-defined]
    return error


def must_be_signed(header: str, request: WireRequest) -> ServiceError:
    """A header that the signature must cover."""
    code = "SignatureDoesNotMatch" if is_query(request) else "InvalidSignatureException"
    return _denial(code, f"{header} must be a 'SignedHeader' in the AWS Authorization.")


def wrong_token(service: str, request: WireRequest) -> ServiceError:
    """A temporary key with another session token than its own."""
    if service == "s3":
        return _denial("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)
    return unknown_key(service, request)


def token_expiry(service: str, request: WireRequest) -> ServiceError:
    """A temporary key past its time."""
    if service == "s3":
        return _denial("ExpiredToken", "The provided token has expired.", 400)
    code = "ExpiredToken" if is_query(request) else "ExpiredTokenException"
    return _denial(code, "The security token included in the request is expired")


def no_payload_hash() -> ServiceError:
    """S3 wants the hash of the body in a header."""
    return _denial("InvalidRequest", "Missing required header for this request: x-amz-content-sha256", 400)
