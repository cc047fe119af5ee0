"""Copies inside S3: the source that a request names, CopyObject."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import Bucket
from local_sagemaker.objects.stored import Attributes, StoredObject
from local_sagemaker.operations import Resource, operation
from local_sagemaker.services.s3.access import Access, Request, version_member
from local_sagemaker.services.s3.attributes import checksum_members, encryption, given_attributes, quoted
from local_sagemaker.services.s3.conditions import check_copy_source, write_condition
from local_sagemaker.services.s3.errors import InvalidArgument, InvalidRequest
from local_sagemaker.services.s3.objects import find

Response = dict[str, Any]
_LARGEST = 5 << 30
_CHANGES = ("StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "WebsiteRedirectLocation")


@dataclass(frozen=True)
class Source:
    """What a copy reads; `version` is what was asked for, if any."""

    bucket: Bucket
    item: StoredObject
    version: str | None

    @property
    def members(self) -> dict[str, str]:
        """``CopySourceVersionId`` of an answer."""
        return {"CopySourceVersionId": self.item.version_id} if self.bucket.versioning else {}


def find_source(objects: DiskObjects, access: Access, request: Request) -> Source:
    """Reads ``x-amz-copy-source``: ``[/]bucket/key[?versionId=...]``, URL-encoded; its conditions are checked."""
    text = request["CopySource"]
    path, _, query = text.partition("?versionId=")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    if not key:
        raise InvalidArgument(
            "Invalid copy source object key", ArgumentName="x-amz-copy-source", ArgumentValue=str(text)
        )
    bucket = access.source_bucket(name, request)
    wanted = {"Key": key} | ({"VersionId": unquote(query)} if query else {})
    item = find(objects, bucket, wanted)
    check_copy_source(request, item)
    return Source(bucket, item, wanted.get("VersionId"))


class Copies(Resource):
    """CopyObject."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("CopyObject")
    def copy(self, request: Request) -> Response:
        """Copies bytes, with the source's metadata and tags unless the directives say REPLACE."""
        bucket = self._access.bucket(request)
        source = find_source(self._objects, self._access, request)
        item = source.item
        if item.size > _LARGEST:
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {_LARGEST}"
            )
        same = (source.bucket.name, item.key, source.version) == (bucket.name, request["Key"], None)
        if same and request.get("MetadataDirective") != "REPLACE" and not any(request.get(name) for name in _CHANGES):
            raise InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes."
            )
        made = self._objects.copy(
            item, bucket.name, request["Key"], _attributes(request, item), write_condition(request)
        )
        result = {"ETag": quoted(made.etag), "LastModified": made.modified, **checksum_members(made.attributes)}
        return {
            "CopyObjectResult": result,
            **source.members,
            **encryption(made.attributes),
            **version_member(bucket, made),
        }


def _attributes(request: Request, item: StoredObject) -> Attributes:
    given, kept = given_attributes(request), item.attributes
    tags = given.tags if request.get("TaggingDirective") == "REPLACE" else kept.tags
    checksums = {name: value for name, value in kept.checksums.items() if "-" not in value}
    if request.get("MetadataDirective") == "REPLACE":
        return replace(given, tags=tags, checksums=checksums)
    changed = {name: given.headers[name] for name in _CHANGES if name in given.headers}
    inherited = {name: value for name, value in kept.headers.items() if name not in _CHANGES}
    return replace(kept, headers=inherited | changed, tags=tags, checksums=checksums, parts=())
