"""Conditional requests (RFC 9110 section 13, as S3 applies it)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.objects.errors import NoSuchKey
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.attributes import quote_etag
from local_sagemaker.services.s3.errors import NotImplementedHeader, NotModified, PreconditionFailed


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or etag in tags


def check_read(request: Mapping[str, Any], item: StoredObject) -> None:
    """GetObject and HeadObject: 412 where the object is not the one meant, 304 where the client has it already.

    An ETag condition decides alone where a date is given too, in either direction. Dates count whole seconds.
    """
    modified = int(item.modified)
    if request.get("IfMatch") is not None:
        if not _matches(request["IfMatch"], item.etag):
            raise PreconditionFailed(Condition="If-Match")
    elif request.get("IfUnmodifiedSince") is not None and modified > request["IfUnmodifiedSince"]:
        raise PreconditionFailed(Condition="If-Unmodified-Since")
    if request.get("IfNoneMatch") is not None:
        current = _matches(request["IfNoneMatch"], item.etag)
    else:
        current = request.get("IfModifiedSince") is not None and modified <= request["IfModifiedSince"]
    if current:
        raise NotModified().with_headers({"ETag": quote_etag(item.etag)})


def check_copy_source(request: Mapping[str, Any], item: StoredObject) -> None:
    """The same of a copy's source: where a read gives 304, this gives 412."""
    names = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
    conditions = {name: request.get(f"CopySource{name}") for name in names}
    try:
        check_read(conditions, item)
    except NotModified as error:
        raise PreconditionFailed(Condition="x-amz-copy-source-If-None-Match") from error


def write_condition(request: Mapping[str, Any]) -> Callable[[StoredObject | None], None]:
    """What must hold of the current object when a write or a deletion takes place."""
    none_match, match = request.get("IfNoneMatch"), request.get("IfMatch")
    if none_match is not None and none_match.strip('"') != "*":
        raise NotImplementedHeader(Header="If-None-Match", additionalMessage="We don't accept the provided value")

    def check(current: StoredObject | None) -> None:
        exists = current is not None and not current.marker
        if none_match is not None and exists:
            raise PreconditionFailed(Condition="If-None-Match")
        if match is not None:
            if current is None or current.marker:
                raise NoSuchKey(Key=request["Key"])
            if not _matches(match, current.etag):
                raise PreconditionFailed(Condition="If-Match")

    return check
