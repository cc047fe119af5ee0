"""S3 URIs: split and joined in one place."""

from __future__ import annotations

import re

from local_sagemaker.errors import ValidationError

_HTTPS = re.compile(
    r"https://(?:s3[.-][a-z0-9-]+|s3)\.amazonaws\.com/([^/]+)/(.*)|https://([^/]+?)\.s3[a-z0-9.-]*\.amazonaws\.com/(.*)"
)


def split(uri: str) -> tuple[str, str]:
    """(bucket, key) of ``s3://bucket/key`` or of S3's https forms; the key may be empty."""
    if uri.startswith("s3://"):
        bucket, _, key = uri[5:].partition("/")
        if bucket:
            return bucket, key
    match = _HTTPS.fullmatch(uri)
    if match:
        return match[1] or match[3], match[2] if match[1] else match[4]
    raise ValidationError(f"'{uri}' is not an S3 URI (s3://bucket/key).")


def join(*parts: str) -> str:
    """Joins URI parts with single slashes, keeping the scheme's two."""
    head, *rest = parts
    return "/".join([head.rstrip("/"), *(part.strip("/") for part in rest if part.strip("/"))])
