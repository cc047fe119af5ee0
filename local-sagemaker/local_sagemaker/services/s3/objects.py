"""Single objects: put, get, head, attributes.

GetObject returns ``Body`` as a `FileRange` with the file already open, and ``__status__`` 206 for a part of the
object: the wire takes the latter as the HTTP status and leaves it out of the response.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import NoSuchKey, NoSuchVersion, S3Error
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.objects.stored_object import ObjectAttributes, StoredObject
from local_sagemaker.objects.temporary_files import TemporaryFile
from local_sagemaker.objects.types import FileRange
from local_sagemaker.services.s3 import ranges
from local_sagemaker.services.s3.access import Access, version_member
from local_sagemaker.services.s3.attributes import (
    attributes_from,
    check_md5,
    checksum_members,
    checksums_from,
    encryption,
    quote_etag,
    read_response,
)
from local_sagemaker.services.s3.conditions import check_read, write_condition
from local_sagemaker.services.s3.encryption import with_default
from local_sagemaker.services.s3.errors import InvalidArgument, MethodNotAllowed
from local_sagemaker.services.s3.unsupported import check_keys, check_readable, check_write

_ATTRIBUTES_PAGE = 1000
_VERSION = re.compile(r"null|[\w.-]{32}", re.ASCII)


def find(objects: DiskObjects, bucket: BucketRow, request: Request, method: str = "GET") -> StoredObject:
    """The version that a request means. Raises `NoSuchKey`, `NoSuchVersion`, or `MethodNotAllowed` for a marker.

    `method` is the HTTP method, which the last error names.
    """
    check_version(request)
    item = objects.find(bucket.name, request["Key"], request.get("VersionId"))
    if item is None or item.marker:
        raise missing_object_error(objects, bucket, request, item, method)
    return item


def open_object(objects: DiskObjects, bucket: BucketRow, request: Request) -> tuple[StoredObject, BinaryIO]:
    """The version that a request means, and its file, open: its bytes, whatever becomes of the object."""
    check_version(request)
    opened = objects.open(bucket.name, request["Key"], request.get("VersionId"))
    if opened is None:
        find(objects, bucket, request)
        raise NoSuchKey(Key=request["Key"])
    return opened


def check_version(request: Request) -> None:
    """Raises for a version id that is not of the form of S3's."""
    version = request.get("VersionId")
    if version is None or _VERSION.fullmatch(version):
        return
    text = "Invalid version id specified" if version else "Version id cannot be the empty string"
    raise InvalidArgument(text, ArgumentName="versionId", ArgumentValue=version)


def missing_object_error(
    objects: DiskObjects, bucket: BucketRow, request: Request, marker: StoredObject | None, method: str = "GET"
) -> S3Error:
    """The error for an object that does not exist, with the headers that tell of a delete marker."""
    key, version = request["Key"], request.get("VersionId")
    if marker is not None:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id, "Allow": "DELETE"}
        return MethodNotAllowed(Method=method, ResourceType="DeleteMarker").with_headers(headers)
    if version is not None:
        return NoSuchVersion(Key=key, VersionId=version)
    hiding = objects.find_delete_marker(bucket.name, key)
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": hiding.version_id} if hiding else {}
    return NoSuchKey(Key=key).with_headers(headers)


class ObjectOperations(Resource):
    """The operations on one object."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("PutObject")
    def put(self, request: Request) -> Response:
        """Streams the body into the store. ``Content-MD5`` and If-Match / If-None-Match are checked."""
        bucket = self._access.bucket(request)
        check_write(request)
        with_defaults = with_default(attributes_from(request), self._objects, bucket.name)

        def attributes(written: TemporaryFile) -> ObjectAttributes:
            check_md5(request, written)
            return with_defaults.with_checksums(checksums_from(request))

        item = self._objects.write(
            bucket.name, request["Key"], request.get("Body") or b"", attributes, write_condition(request)
        )
        return {
            "ETag": quote_etag(item.etag),
            **checksum_members(item.attributes),
            **encryption(item.attributes),
            **version_member(bucket, item),
        }

    @operation("GetObject")
    def get(self, request: Request) -> Response:
        """``Body`` is a `FileRange`; ``__status__`` is 206 when a range or part is served."""
        bucket = self._access.bucket(request)
        check_keys(request)
        item, file = open_object(self._objects, bucket, request)
        try:
            check_readable(item)
            response, extent = self._describe(bucket, item, request)
        except BaseException:
            file.close()
            raise
        return response | {"Body": FileRange(self._objects.file(item), extent.offset, extent.length, file)}

    @operation("HeadObject")
    def head(self, request: Request) -> Response:
        """Like GetObject, without the bytes."""
        bucket = self._access.bucket(request)
        check_keys(request)
        return self._describe(bucket, find(self._objects, bucket, request), request)[0]

    def _describe(self, bucket: BucketRow, item: StoredObject, request: Request) -> tuple[Response, ranges.Extent]:
        check_read(request, item)
        extent = ranges.find_extent(request, item)
        response = read_response(item, request) | version_member(bucket, item) | extent.members(item.size)
        number, parts = request.get("PartNumber"), item.attributes.parts
        if number is not None and parts:
            response["PartsCount"] = len(parts)
        if request.get("ChecksumMode") == "ENABLED":
            response |= _checksums(item, number, extent)
        return response, extent

    @operation("GetObjectAttributes")
    def attributes(self, request: Request) -> Response:
        """What of ETag, Checksum, ObjectParts, StorageClass and ObjectSize was requested.

        Here the ETag has no quotes, and a checksum of parts does not show their number.
        """
        bucket = self._access.bucket(request)
        item = find(self._objects, bucket, request)
        checksums = {name: value.partition("-")[0] for name, value in checksum_members(item.attributes).items()}
        known: Response = {
            "ETag": item.etag,
            "StorageClass": item.attributes.headers.get("StorageClass", "STANDARD"),
            "ObjectSize": item.size,
        }
        if checksums:
            known["Checksum"] = checksums
        if item.attributes.parts:
            known["ObjectParts"] = _parts(item, request)
        wanted = {name.strip() for entry in request["ObjectAttributes"] for name in entry.split(",")}
        response = {name: value for name, value in known.items() if name in wanted}
        return response | {"LastModified": float(int(item.modified))} | version_member(bucket, item)


def _checksums(item: StoredObject, number: int | None, extent: ranges.Extent) -> Response:
    """The checksum of exactly what is served, or none: a range has no checksum of its own."""
    if number is not None and item.attributes.parts:
        checksums = item.attributes.parts[number - 1].get("checksums") or {}
        return {**checksums, "ChecksumType": "COMPOSITE"} if checksums else {}
    return {} if extent.partial and number is None else checksum_members(item.attributes)


def _parts(item: StoredObject, request: Request) -> Response:
    """ObjectParts; single parts are listed only for objects that were uploaded with checksums, as on AWS."""
    parts = item.attributes.parts
    response: Response = {"TotalPartsCount": len(parts)}
    listed = [
        {"PartNumber": number, "Size": part["size"], **part["checksums"]}
        for number, part in enumerate(parts, 1)
        if part.get("checksums")
    ]
    if listed:
        marker = request.get("PartNumberMarker") or 0
        limit = request.get("MaxParts", _ATTRIBUTES_PAGE)
        shown = [part for part in listed if part["PartNumber"] > marker][:limit]
        last = shown[-1]["PartNumber"] if shown else marker
        response |= {
            "PartNumberMarker": marker,
            "NextPartNumberMarker": last,
            "MaxParts": limit,
            "IsTruncated": last < len(parts),
            "Parts": shown,
        }
    return response
