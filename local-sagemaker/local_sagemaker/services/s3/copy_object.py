"""Copies inside S3: the source that a request names, CopyObject."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO
from urllib.parse import unquote

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.checksums import ALGORITHMS, of_file
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject
from local_sagemaker.objects.temporary_files import TemporaryFile
from local_sagemaker.services.s3.access import Access, version_member
from local_sagemaker.services.s3.attributes import attributes_from, checksum_members, encryption, quote_etag
from local_sagemaker.services.s3.conditions import check_copy_source, write_condition
from local_sagemaker.services.s3.encryption import SETTING, with_default
from local_sagemaker.services.s3.errors import InvalidArgument, InvalidRequest
from local_sagemaker.services.s3.objects import open_object
from local_sagemaker.services.s3.unsupported import check_copyable, check_write

_LARGEST = 5 << 30
_CHANGES = ("StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "WebsiteRedirectLocation")


@dataclass(frozen=True)
class CopySource:
    """What a copy reads: the object with its open `file`; `version` is what was requested, if any."""

    bucket: BucketRow
    item: StoredObject
    version: str | None
    file: BinaryIO

    @property
    def members(self) -> dict[str, str]:
        """``CopySourceVersionId`` of a response."""
        return {"CopySourceVersionId": self.item.version_id} if self.bucket.versioning else {}


@contextmanager
def open_source(objects: DiskObjects, access: Access, request: Request) -> Iterator[CopySource]:
    """Opens ``x-amz-copy-source``: ``[/]bucket/key[?versionId=...]``, URL-encoded; its conditions are checked.

    The bytes are those of the object that was found, even if it is overwritten in the meantime.
    """
    text = request["CopySource"]
    path, _, query = text.partition("?versionId=")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    if not key:
        raise InvalidArgument(
            "Invalid copy source object key", ArgumentName="x-amz-copy-source", ArgumentValue=str(text)
        )
    bucket = access.source_bucket(name, request)
    wanted = {"Key": key} | ({"VersionId": unquote(query)} if query else {})
    item, file = open_object(objects, bucket, wanted)
    with file:
        check_copyable(item)
        check_copy_source(request, item)
        yield CopySource(bucket, item, wanted.get("VersionId"), file)


class Copies(Resource):
    """CopyObject."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("CopyObject")
    def copy(self, request: Request) -> Response:
        """Copies bytes, with the source's metadata and tags unless the directives say REPLACE."""
        bucket = self._access.bucket(request)
        check_write(request)
        with open_source(self._objects, self._access, request) as source:
            self._check(bucket, source, request)
            made = self._objects.copy(
                (source.item, source.file),
                bucket.name,
                request["Key"],
                lambda written: self._attributes(request, source.item, bucket.name, written),
                write_condition(request),
            )
        result = {"ETag": quote_etag(made.etag), "LastModified": made.modified, **checksum_members(made.attributes)}
        return {
            "CopyObjectResult": result,
            **source.members,
            **encryption(made.attributes),
            **version_member(bucket, made),
        }

    def _check(self, bucket: BucketRow, source: CopySource, request: Request) -> None:
        item = source.item
        if item.size > _LARGEST:
            raise InvalidRequest(
                f"The specified copy source is larger than the maximum allowable size for a copy source: {_LARGEST}"
            )
        same = (source.bucket.name, item.key, source.version) == (bucket.name, request["Key"], None)
        requested = request.get("MetadataDirective") == "REPLACE" or any(request.get(name) for name in _CHANGES)
        by_default = item.attributes.headers.get("ServerSideEncryption", "AES256") != "AES256"
        changes = requested or by_default or self._objects.buckets.setting(bucket.name, SETTING) is not None
        if same and not changes:
            raise InvalidRequest(
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes."
            )

    def _attributes(
        self, request: Request, item: StoredObject, bucket: str, written: TemporaryFile
    ) -> ObjectAttributes:
        attributes, kept = attributes_from(request), item.attributes
        tags = attributes.tags if request.get("TaggingDirective") == "REPLACE" else kept.tags
        checksums = _checksums(request, kept, written)
        if request.get("MetadataDirective") == "REPLACE":
            made = replace(attributes, tags=tags, checksums=checksums)
        else:
            changed = {name: attributes.headers[name] for name in _CHANGES if name in attributes.headers}
            inherited = {name: value for name, value in kept.headers.items() if name not in _CHANGES}
            made = replace(kept, headers=inherited | changed, tags=tags, checksums=checksums, parts=())
        return with_default(made, self._objects, bucket)


def _checksums(request: Request, kept: ObjectAttributes, written: TemporaryFile) -> dict[str, str]:
    """The checksum that the request names, else one of the source's algorithm; always of the whole object."""
    source = {name.removeprefix("Checksum"): value for name, value in kept.checksums.items()}
    algorithm = request.get("ChecksumAlgorithm") or next(iter(source), None)
    if algorithm is None or algorithm.lower() not in ALGORITHMS:
        return {}
    value = source.get(algorithm, "-")
    return {f"Checksum{algorithm}": of_file(algorithm, written.path, 0, written.size) if "-" in value else value}
