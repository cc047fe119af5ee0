"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.config import Settings
from local_sagemaker.objects.disk import DiskObjects
from local_sagemaker.objects.index import BucketRow
from local_sagemaker.objects.listing import ListingPage, common_prefix, successor
from local_sagemaker.objects.stored_object import StoredObject
from local_sagemaker.services.s3.access import Access
from local_sagemaker.services.s3.attributes import checksum_members, quote_etag
from local_sagemaker.services.s3.errors import InvalidArgument
from local_sagemaker.services.s3.tokens import make_token, read_token

_MOST = 1000


class Listings(Resource):
    """Pages of a bucket's objects and versions."""

    def __init__(self, *, objects: DiskObjects, settings: Settings) -> None:
        self._objects = objects
        self._access = Access(objects=objects, settings=settings)

    @operation("ListObjects")
    def list_v1(self, request: Request) -> Response:
        """The old listing: continues behind ``Marker``; ``NextMarker`` comes only with a delimiter, as on AWS."""
        bucket, limit, encode = self._prepare(request)
        marker = request.get("Marker") or ""
        page = self._page(bucket, request, _behind(marker, request), limit)
        response = _echo(request, encode, "Prefix", "Delimiter", "EncodingType") | {
            "Name": bucket.name,
            "Prefix": encode(request.get("Prefix") or ""),
            "Marker": encode(marker),
            "MaxKeys": limit,
            "IsTruncated": page.next is not None,
        }
        if page.next is not None and request.get("Delimiter"):
            response["NextMarker"] = encode(page.last)
        return response | self._contents(page, encode, owner=True)

    @operation("ListObjectsV2")
    def list_v2(self, request: Request) -> Response:
        """A continuation token holds the key to continue from."""
        bucket, limit, encode = self._prepare(request)
        token = request.get("ContinuationToken")
        start = read_token(token) if token is not None else _behind(request.get("StartAfter") or "", {})
        page = self._page(bucket, request, start, limit)
        names = ("Prefix", "Delimiter", "EncodingType", *(() if token else ("StartAfter",)))
        response = _echo(request, encode, *names) | {
            "Name": bucket.name,
            "Prefix": encode(request.get("Prefix") or ""),
            "MaxKeys": limit,
            "KeyCount": len(page.items) + len(page.prefixes),
            "IsTruncated": page.next is not None,
        }
        if token:
            response["ContinuationToken"] = token
        if page.next is not None:
            response["NextContinuationToken"] = make_token(page.next)
        return response | self._contents(page, encode, owner=bool(request.get("FetchOwner")))

    @operation("ListObjectVersions")
    def list_versions(self, request: Request) -> Response:
        """All versions and delete markers, newest first within a key."""
        bucket, limit, encode = self._prepare(request)
        marker, version = request.get("KeyMarker") or "", request.get("VersionIdMarker")
        if version and not marker:
            raise InvalidArgument(
                "A version-id marker cannot be specified without a key marker.",
                ArgumentName="version-id-marker",
                ArgumentValue=version,
            )
        behind = marker if version else _behind(marker, request)
        page = ListingPage()
        if behind is not None and limit:
            page = self._objects.version_page(
                bucket.name,
                prefix=request.get("Prefix") or "",
                delimiter=request.get("Delimiter") or "",
                start=(behind, version),
                limit=limit,
            )
        response = _echo(request, encode, "Delimiter", "EncodingType") | {
            "Name": bucket.name,
            "Prefix": encode(request.get("Prefix") or ""),
            "KeyMarker": encode(marker),
            "VersionIdMarker": version or "",
            "MaxKeys": limit,
            "IsTruncated": page.next is not None,
        }
        if page.next is not None:
            response["NextKeyMarker"] = encode(page.last)
            if page.next_version is not None:
                response["NextVersionIdMarker"] = page.next_version
        versions = [self._version(item, encode) for item in page.items if not item.marker]
        markers = [self._marker(item, encode) for item in page.items if item.marker]
        return response | _present(Versions=versions, DeleteMarkers=markers, CommonPrefixes=_prefixes(page, encode))

    def _prepare(self, request: Request) -> tuple[BucketRow, int, Callable[[str], str]]:
        bucket = self._access.bucket(request)
        encode = _url if request.get("EncodingType") == "url" else str
        return bucket, page_size(request, "MaxKeys", "max-keys"), encode

    def _page(self, bucket: BucketRow, request: Request, start: str | None, limit: int) -> ListingPage:
        if start is None or limit == 0:
            return ListingPage()
        prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
        return self._objects.page(bucket.name, prefix=prefix, delimiter=delimiter, start=start, limit=limit)

    def _contents(self, page: ListingPage, encode: Callable[[str], str], owner: bool) -> Response:
        extra = {"Owner": self._access.owner} if owner else {}
        contents = [_entry(item, encode) | extra for item in page.items]
        return _present(Contents=contents, CommonPrefixes=_prefixes(page, encode))

    def _version(self, item: StoredObject, encode: Callable[[str], str]) -> Response:
        return _entry(item, encode) | {
            "VersionId": item.version_id,
            "IsLatest": item.latest,
            "Owner": self._access.owner,
        }

    def _marker(self, item: StoredObject, encode: Callable[[str], str]) -> Response:
        return {
            "Key": encode(item.key),
            "VersionId": item.version_id,
            "IsLatest": item.latest,
            "LastModified": float(int(item.modified)),
            "Owner": self._access.owner,
        }


def page_size(request: Request, member: str, name: str) -> int:
    """A page holds at most a thousand entries, and zero is allowed."""
    limit = request.get(member)
    if limit is None:
        return _MOST
    if limit < 0:
        raise InvalidArgument(
            f"Argument {name} must be an integer between 0 and 2147483647",
            ArgumentName=name,
            ArgumentValue=str(limit),
        )
    return min(limit, _MOST)


def _behind(marker: str, request: Request) -> str | None:
    """The first key behind a marker. A common prefix, as NextMarker gives it, stands for all that it hides."""
    delimiter = request.get("Delimiter") or ""
    prefix = request.get("Prefix") or ""
    if marker and marker.startswith(prefix) and common_prefix(marker, prefix, delimiter) == marker:
        return successor(marker)
    return marker + "\x00" if marker else ""


def _url(text: str) -> str:
    return quote(text, safe="/*-._~")


def _echo(request: Request, encode: Callable[[str], str], *names: str) -> Response:
    members = {name: request[name] for name in names if request.get(name) not in (None, "")}
    return {name: value if name == "EncodingType" else encode(value) for name, value in members.items()}


def _present(**lists: list[Response]) -> Response:
    return {name: entries for name, entries in lists.items() if entries}


def _prefixes(page: ListingPage, encode: Callable[[str], str]) -> list[Response]:
    return [{"Prefix": encode(prefix)} for prefix in page.prefixes]


def _entry(item: StoredObject, encode: Callable[[str], str]) -> Response:
    entry: Response = {
        "Key": encode(item.key),
        "LastModified": float(int(item.modified)),
        "ETag": quote_etag(item.etag),
        "Size": item.size,
        "StorageClass": item.attributes.headers.get("StorageClass", "STANDARD"),
    }
    if item.attributes.checksums:
        entry["ChecksumAlgorithm"] = [name.removeprefix("Checksum") for name in item.attributes.checksums]
        entry["ChecksumType"] = checksum_members(item.attributes)["ChecksumType"]
    return entry
