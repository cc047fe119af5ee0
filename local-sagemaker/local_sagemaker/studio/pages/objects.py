"""Bytes of S3 objects, by range: no page reads more than it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.errors import ServiceError
from local_sagemaker.json_text import load
from local_sagemaker.objects.types import FileRange
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.views.report_form import fit_report

PREVIEW = 256 * 1024
LARGEST_JSON = 8 << 20


@dataclass(frozen=True)
class ObjectPart:
    """The first bytes of an object, its whole size, and what HeadObject says."""

    data: bytes
    size: int
    head: dict[str, Any]


def read_part(visit: Visit, bucket: str, key: str, most: int = PREVIEW, version: str = "") -> ObjectPart:
    """At most `most` bytes from the beginning. Raises S3's errors."""
    request = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    head = visit.call("s3:HeadObject", dict(request))
    size = int(head.get("ContentLength", 0))
    if not size:
        return ObjectPart(b"", 0, head)
    response = visit.call("s3:GetObject", {**request, "Range": f"bytes=0-{most - 1}"})
    return ObjectPart(body_of(response, most), size, head)


def read_tail(visit: Visit, bucket: str, key: str, most: int = PREVIEW) -> bytes:
    """At most `most` bytes from the end. Raises S3's errors."""
    size = int(visit.call("s3:HeadObject", {"Bucket": bucket, "Key": key}).get("ContentLength", 0))
    if not size:
        return b""
    response = visit.call("s3:GetObject", {"Bucket": bucket, "Key": key, "Range": f"bytes={max(0, size - most)}-"})
    return body_of(response, most)


def body_of(response: dict[str, Any], most: int) -> bytes:
    """The bytes of a GetObject response."""
    body = response["Body"]
    if not isinstance(body, FileRange):
        return bytes(body)[:most]
    file = body.file or body.path.open("rb")
    with file:
        file.seek(body.offset)
        return file.read(min(body.length, most))


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def read_json(visit: Visit, uri: str) -> Any:
    """The JSON of an object. Raises ServiceError, also for what is no JSON or longer than 8 MB."""
    part = read_part(visit, *split_uri(uri), LARGEST_JSON)
    if part.size > LARGEST_JSON:
        raise ServiceError(f"{uri} has more than 8 MB.", code="TooLarge", status=413)
    try:
        return load(part.data)
    except ValueError as error:
        raise ServiceError(f"{uri} is no JSON: {error}", code="UnreadableObject", status=422) from error


def report_or_none(visit: Visit, uri: str) -> dict[str, Any] | None:
    """A file of Model Monitor's or Clarify's, None where it is missing, unreadable or of another form."""
    try:
        return fit_report(read_json(visit, uri)) if uri else None
    except ServiceError:
        return None
