"""Headers and metadata of objects: from the request into the store, from the store into the response."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from local_sagemaker.objects.stored_object import DEFAULT_TYPE, ObjectAttributes, StoredObject
from local_sagemaker.objects.temporary_files import TemporaryFile
from local_sagemaker.services.s3.errors import (
    BadDigest,
    InvalidArgument,
    InvalidDigest,
    InvalidTag,
    MetadataTooLarge,
    TooManyTags,
)

_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "Expires",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "SSEKMSEncryptionContext",
    "BucketKeyEnabled",
    "StorageClass",
    "WebsiteRedirectLocation",
)
_ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId", "SSEKMSEncryptionContext", "BucketKeyEnabled")
_NOT_VALUES = ("ChecksumAlgorithm", "ChecksumMode", "ChecksumType")
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
MAX_METADATA = 2048
_TAG = re.compile(r"[\w\s+\-=.:/@]*")
"""Letters and digits of all languages, spaces, and + - = . _ : / @ (user guide, "Categorizing your storage")."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def attributes_from(request: Mapping[str, Any]) -> ObjectAttributes:
    """What PutObject, CopyObject and CreateMultipartUpload say of the object (not its checksums)."""
    headers = {name: request[name] for name in _KEPT if request.get(name) not in (None, "")}
    coding = ",".join(
        part.strip()
        for part in headers.pop("ContentEncoding", "").split(",")
        if part.strip() not in ("", "aws-chunked")
    )
    if coding:
        headers["ContentEncoding"] = coding
    if headers.get("StorageClass") == "STANDARD":
        del headers["StorageClass"]
    metadata = dict(request.get("Metadata") or {})
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > MAX_METADATA:
        raise MetadataTooLarge(Size=str(size), MaxSizeAllowed=str(MAX_METADATA))
    for name, value in {**headers, **metadata, "ContentType": request.get("ContentType") or ""}.items():
        _check_header(name, value)
    return ObjectAttributes(
        content_type=request.get("ContentType") or DEFAULT_TYPE,
        headers=headers,
        metadata=metadata,
        tags=header_tags(request.get("Tagging")),
    )


def _check_header(name: str, value: Any) -> None:
    """A form can give what no header could, and what no response could give back."""
    if isinstance(value, str) and _CONTROL.search(value):
        raise InvalidArgument(
            "Header value cannot be represented using ISO-8859-1.", ArgumentName=name, ArgumentValue=value
        )


def header_tags(text: str | None) -> dict[str, str]:
    """The tags of an ``x-amz-tagging`` header, which is a query string."""
    pairs = parse_qsl(text or "", keep_blank_values=True)
    return check_tags([{"Key": key, "Value": value} for key, value in pairs])


def check_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    """A TagSet as a dict. Raises for what S3 refuses (user guide, "Categorizing your storage using tags")."""
    if len(tags) > 10:
        raise TooManyTags()
    by_key: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key.lower().startswith("aws:"):
            raise InvalidTag("Your TagKey cannot be prefixed with aws:", TagKey=key)
        if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key):
            raise InvalidTag(TagKey=key)
        if len(value) > 256 or not _TAG.fullmatch(value):
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
        if key in by_key:
            raise InvalidTag("Cannot provide multiple Tags with the same key", TagKey=key)
        by_key[key] = value
    return by_key


def check_bucket_tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """The TagSet of a bucket (API reference, PutBucketTagging). Raises for what S3 refuses."""
    keys = [tag["Key"] for tag in tags]
    if len(keys) > 50:
        raise TooManyTags("Bucket tag count cannot be greater than 50")
    if len(set(keys)) != len(keys):
        raise InvalidTag("Cannot provide multiple Tags with the same key")
    for tag in tags:
        if tag["Key"].lower().startswith("aws:"):
            raise InvalidTag("System tags cannot be added/updated by requester", TagKey=tag["Key"])
        if not 1 <= len(tag["Key"]) <= 128 or not _TAG.fullmatch(tag["Key"]):
            raise InvalidTag(TagKey=tag["Key"])
        if len(tag["Value"]) > 256 or not _TAG.fullmatch(tag["Value"]):
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=tag["Key"], TagValue=tag["Value"])
    return tags


def checksums_from(request: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that came with the bytes: as headers, or behind the body (after it has been read)."""
    members = {
        name: value for name, value in request.items() if name.startswith("Checksum") and name not in _NOT_VALUES
    }
    return members | dict(getattr(request.get("Body"), "checksums", None) or {})


def check_md5(request: Mapping[str, Any], written: TemporaryFile) -> None:
    """Compares the bytes with ``Content-MD5``, when it was sent."""
    expected = request.get("ContentMD5")
    if not expected:
        return
    try:
        digest = base64.b64decode(expected, validate=True)
    except binascii.Error as error:
        raise InvalidDigest(**{"Content-MD5": expected}) from error
    if len(digest) != 16:
        raise InvalidDigest(**{"Content-MD5": expected})
    if digest.hex() != written.md5:
        raise BadDigest(ExpectedDigest=expected, CalculatedDigest=base64.b64encode(bytes.fromhex(written.md5)).decode())


def quote_etag(etag: str) -> str:
    """An ETag as headers and listings show it."""
    return f'"{etag}"'


def encryption(attributes: ObjectAttributes) -> dict[str, Any]:
    """How the object is said to be encrypted: SSE-S3 unless requested otherwise, as on AWS since 2023."""
    return {"ServerSideEncryption": "AES256"} | {
        name: attributes.headers[name] for name in _ENCRYPTION if name in attributes.headers
    }


def checksum_members(attributes: ObjectAttributes) -> dict[str, Any]:
    """Checksums of the whole object (or of its parts' checksums: ``COMPOSITE``), by member name."""
    if not attributes.checksums:
        return {}
    composite = any("-" in value for value in attributes.checksums.values())
    return {**attributes.checksums, "ChecksumType": "COMPOSITE" if composite else "FULL_OBJECT"}


def read_response(item: StoredObject, request: Mapping[str, Any]) -> dict[str, Any]:
    """The members that GetObject and HeadObject share, with the request's ``response-*`` overrides."""
    attributes = item.attributes
    response: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": float(int(item.modified)),
        "ContentLength": item.size,
        "ETag": quote_etag(item.etag),
        "ContentType": attributes.content_type,
        "Metadata": dict(attributes.metadata),
        **attributes.headers,
        **encryption(attributes),
    }
    if attributes.tags:
        response["TagCount"] = len(attributes.tags)
    for name in _OVERRIDES:
        if request.get(f"Response{name}") is not None:
            _check_header(f"response-{name.lower()}", request[f"Response{name}"])
            response[name] = request[f"Response{name}"]
    return response
