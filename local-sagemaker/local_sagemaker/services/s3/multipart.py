"""Multipart uploads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.errors import NoSuchUpload
from local_sagemaker.objects.layout import check_key
from local_sagemaker.objects.listing import common_prefix
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.objects.temporary_files import TemporaryFile
from local_sagemaker.objects.uploads import MultipartUpload, Part, etag_of
from local_sagemaker.services.s3 import part_checksums, ranges
from local_sagemaker.services.s3.access import Access, version_member
from local_sagemaker.services.s3.attributes import (
    attributes_from,
    check_md5,
    checksum_members,
    checksums_from,
    encryption,
    quote_etag,
)
from local_sagemaker.services.s3.conditions import write_condition
from local_sagemaker.services.s3.copy_object import open_source
from local_sagemaker.services.s3.encryption import with_default
from local_sagemaker.services.s3.errors import (
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    S3MalformedXML,
)
from local_sagemaker.services.s3.listing import page_size
from local_sagemaker.services.s3.unsupported import check_keys, check_write

SMALLEST = 5 << 20
_MOST_PARTS = 10_000


class MultipartUploads(Resource):
    """Create, fill, complete, abort and list multipart uploads."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("CreateMultipartUpload")
    def create(self, request: Request) -> Response:
        """The object's headers, metadata and tags are given here."""
        bucket = self._access.bucket(request)
        check_key(request["Key"])
        check_write(request)
        options = part_checksums.options(request.get("ChecksumAlgorithm"), request.get("ChecksumType"))
        attributes = with_default(attributes_from(request), self._objects, bucket.name)
        upload = self._objects.uploads.create(bucket.name, request["Key"], attributes, options)
        return {
            "Bucket": bucket.name,
            "Key": upload.key,
            "UploadId": upload.id,
            **options,
            **encryption(upload.attributes),
        }

    @operation("UploadPart")
    def put_part(self, request: Request) -> Response:
        """A part can be sent again; the last one counts."""
        upload = self._upload(request)
        check_keys(request)

        def checksums(written: TemporaryFile) -> Mapping[str, str]:
            check_md5(request, written)
            return part_checksums.of_part(upload, checksums_from(request), written)

        part = self._objects.uploads.put(upload, _number(request), request.get("Body") or b"", checksums)
        return {"ETag": quote_etag(part.etag), **part.checksums, **encryption(upload.attributes)}

    @operation("UploadPartCopy")
    def copy_part(self, request: Request) -> Response:
        """A part from an object of S3, or from a range of one."""
        upload, number = self._upload(request), _number(request)
        check_keys(request)
        with open_source(self._objects, self._access, request) as source:
            header, size = request.get("CopySourceRange"), source.item.size
            extent = ranges.copy_source(header, size) if header else ranges.Extent(0, size)
            part = self._objects.uploads.copy(
                upload,
                number,
                source.file,
                (extent.offset, extent.length),
                lambda written: part_checksums.compute(upload, written),
            )
        result = {"ETag": quote_etag(part.etag), "LastModified": part.modified, **part.checksums}
        return {"CopyPartResult": result, **source.members, **encryption(upload.attributes)}

    @operation("CompleteMultipartUpload")
    def complete(self, request: Request) -> Response:
        """Joins the parts that the request lists; the ETag is the MD5 of their MD5s and their number.

        A client that has lost the first response may ask again, and gets the same.
        """
        bucket = self._access.bucket(request)
        wanted = (request.get("MultipartUpload") or {}).get("Parts") or []
        try:
            upload = self._upload(request)
            item = self._complete(upload, wanted, request)
        except NoSuchUpload:
            item = self._find_completed(bucket.name, wanted, request)
        return {
            "Location": f"/{bucket.name}/{item.key}",
            "Bucket": bucket.name,
            "Key": item.key,
            "ETag": quote_etag(item.etag),
            **checksum_members(item.attributes),
            **encryption(item.attributes),
            **version_member(bucket, item),
        }

    def _find_completed(self, bucket: str, wanted: list[Response], request: Request) -> StoredObject:
        """The object that an upload became, if it is still the current one. Raises `NoSuchUpload`."""
        key, upload = request["Key"], request["UploadId"]
        if self._objects.uploads.was_completed(bucket, key, upload):
            item = self._objects.find(bucket, key)
            if item is not None and item.etag == etag_of([(part.get("ETag") or "").strip('"') for part in wanted]):
                return item
        raise NoSuchUpload(UploadId=upload)

    def _complete(self, upload: MultipartUpload, wanted: list[Response], request: Request) -> StoredObject:
        part_checksums.check_listed(upload, wanted)
        chosen = self._choose_parts(upload, wanted)
        size = sum(part.size for part in chosen)
        if request.get("MpuObjectSize") is not None and request["MpuObjectSize"] != size:
            raise InvalidRequest(
                f"The provided 'x-amz-mp-object-size' header value {request['MpuObjectSize']} does not match what was "
                f"computed: {size}"
            )
        attributes = replace(
            upload.attributes,
            checksums=part_checksums.of_object(upload, chosen, checksums_from(request), request.get("ChecksumType")),
            parts=tuple({"size": part.size, "checksums": dict(part.checksums)} for part in chosen),
        )
        return self._objects.uploads.complete(upload, chosen, attributes, write_condition(request))

    @operation("AbortMultipartUpload")
    def abort(self, request: Request) -> Response:
        """Deletes the parts."""
        self._objects.uploads.abort(self._upload(request))
        return {}

    @operation("ListParts")
    def list_parts(self, request: Request) -> Response:
        """The parts by number, in pages of at most a thousand."""
        upload = self._upload(request)
        limit = page_size(request, "MaxParts", "max-parts")
        marker = request.get("PartNumberMarker") or 0
        parts = [part for part in self._objects.uploads.parts(upload) if part.number > marker]
        shown = parts[:limit]
        response: Response = {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": shown[-1].number if shown else 0,
            "MaxParts": limit,
            "IsTruncated": len(shown) < len(parts),
            "StorageClass": upload.attributes.headers.get("StorageClass", "STANDARD"),
            "Owner": self._access.owner,
            "Initiator": self._access.owner,
            **upload.options,
        }
        return response | ({"Parts": [_entry(part) for part in shown]} if shown else {})

    @operation("ListMultipartUploads")
    def list_uploads(self, request: Request) -> Response:
        """The unfinished uploads by key, then by when they began."""
        bucket = self._access.bucket(request)
        limit = page_size(request, "MaxUploads", "max-uploads")
        prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
        entries: list[MultipartUpload | str] = []
        for upload in _behind(self._objects.uploads.list(bucket.name, prefix), request):
            group = common_prefix(upload.key, prefix, delimiter)
            if group is None:
                entries.append(upload)
            elif group not in entries:
                entries.append(group)
        shown = entries[:limit]
        response: Response = {
            "Bucket": bucket.name,
            "KeyMarker": request.get("KeyMarker") or "",
            "UploadIdMarker": request.get("UploadIdMarker") or "",
            "MaxUploads": limit,
            "IsTruncated": len(shown) < len(entries),
            "Prefix": prefix,
        }
        if response["IsTruncated"] and shown:
            last = shown[-1]
            response["NextKeyMarker"] = last if isinstance(last, str) else last.key
            response["NextUploadIdMarker"] = "" if isinstance(last, str) else last.id
        uploads = [self._upload_entry(entry) for entry in shown if isinstance(entry, MultipartUpload)]
        groups = [{"Prefix": entry} for entry in shown if isinstance(entry, str)]
        response |= {"Delimiter": delimiter} if delimiter else {}
        response |= {"Uploads": uploads} if uploads else {}
        return response | ({"CommonPrefixes": groups} if groups else {})

    def _upload_entry(self, upload: MultipartUpload) -> Response:
        return {
            "UploadId": upload.id,
            "Key": upload.key,
            "Initiated": upload.initiated,
            "StorageClass": upload.attributes.headers.get("StorageClass", "STANDARD"),
            "Owner": self._access.owner,
            "Initiator": self._access.owner,
            **upload.options,
        }

    def _upload(self, request: Request) -> MultipartUpload:
        bucket = self._access.bucket(request)
        return self._objects.uploads.get(bucket.name, request["Key"], request["UploadId"])

    def _choose_parts(self, upload: MultipartUpload, wanted: list[Response]) -> list[Part]:
        if not wanted:
            raise S3MalformedXML()
        known = {part.number: part for part in self._objects.uploads.parts(upload)}
        chosen: list[Part] = []
        for entry in wanted:
            number, etag = entry.get("PartNumber"), (entry.get("ETag") or "").strip('"')
            if chosen and number is not None and number <= chosen[-1].number:
                raise InvalidPartOrder(UploadId=upload.id)
            part = known.get(number or 0)
            if part is None or part.etag != etag or not _agree(entry, part):
                raise InvalidPart(UploadId=upload.id, PartNumber=str(number), ETag=etag)
            chosen.append(part)
        for part in chosen[:-1]:
            if part.size < SMALLEST:
                raise EntityTooSmall(
                    ProposedSize=str(part.size),
                    MinSizeAllowed=str(SMALLEST),
                    PartNumber=str(part.number),
                    ETag=part.etag,
                )
        return chosen


def _number(request: Request) -> int:
    number: int = request["PartNumber"]
    if not 1 <= number <= _MOST_PARTS:
        raise InvalidArgument(
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )
    return number


def _agree(entry: Response, part: Part) -> bool:
    """Whether the checksums that the completing request repeats are those of the uploaded part."""
    return all(entry.get(name, value) == value for name, value in part.checksums.items())


def _behind(uploads: list[MultipartUpload], request: Request) -> list[MultipartUpload]:
    key, marker = request.get("KeyMarker") or "", request.get("UploadIdMarker") or ""
    if not key:
        return uploads
    delimiter, prefix = request.get("Delimiter") or "", request.get("Prefix") or ""
    later = [
        upload
        for upload in uploads
        if upload.key.encode() > key.encode() and common_prefix(upload.key, prefix, delimiter) != key
    ]
    same = [upload for upload in uploads if upload.key == key]
    ids = [upload.id for upload in same]
    return (same[ids.index(marker) + 1 :] if marker in ids else []) + later


def _entry(part: Part) -> Response:
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": quote_etag(part.etag),
        "Size": part.size,
        **part.checksums,
    }
