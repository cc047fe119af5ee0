"""Reads a whole object by the operations of S3, for services that take documents and archives from there."""

from __future__ import annotations

from local_sagemaker.api.operations import Call
from local_sagemaker.objects.types import FileRange


def read_object(call: Call, bucket: str, key: str, version: str | None, largest: int) -> bytes | None:
    """The bytes of an object or of a version of it, None for more than `largest`. Raises S3's ServiceErrors."""
    request = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    body = call("s3:GetObject", request)["Body"]
    assert isinstance(body, FileRange)
    assert body.file is not None
    with body.file as file:
        if body.length > largest:
            return None
        file.seek(body.offset)
        return file.read(body.length)
