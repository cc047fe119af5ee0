"""S3: buckets, folders, objects with a preview by range; content for the sandbox, downloads, uploads, deletion."""

from __future__ import annotations

import mimetypes
import shlex
from dataclasses import dataclass, field
from typing import IO, Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.studio import urls
from local_sagemaker.studio.page import Content, Moved, Page, Visit
from local_sagemaker.studio.pages.objects import read_part
from local_sagemaker.studio.views.preview import Preview, bytes_wanted, make_preview
from local_sagemaker.studio.views.times import seconds

_LARGEST_CONTENT = 20 << 20
_EXEC = ("local-sagemaker", "exec", "--", "aws", "s3")
_TYPES = {".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class S3Entry:
    """A folder or an object."""

    name: str
    href: str
    is_folder: bool
    size: int | None = None
    modified: float | None = None


@dataclass(frozen=True)
class S3Context:
    """What the S3 browser shows: buckets, or one folder of a bucket."""

    bucket: str = field(metadata={"help": "the bucket, empty for the list of buckets"})
    prefix: str = field(metadata={"help": "the folder"})
    filter: str = field(metadata={"help": "what names begin with"})
    crumbs: list[tuple[str, str]] = field(metadata={"help": "the folders above, with their addresses"})
    entries: list[S3Entry] = field(metadata={"help": "one page of entries"})
    next: str = field(metadata={"help": "the next page's token, empty on the last"})
    upload: str = field(metadata={"help": "an upload into the folder as a command"})


def load(visit: Visit) -> S3Context:
    """ListBuckets, or ListObjectsV2 with a delimiter."""
    bucket, prefix, begins = visit.value("bucket"), visit.value("prefix"), visit.value("q")
    if not bucket:
        buckets = visit.call("s3:ListBuckets", {}).get("Buckets", [])
        entries = [
            S3Entry(item["Name"], urls.to("s3", bucket=item["Name"]), True, None, seconds(item.get("CreationDate")))
            for item in buckets
        ]
        return S3Context("", "", "", [], entries, "", "")
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix + begins, "Delimiter": "/", "MaxKeys": 200}
    if visit.value("token"):
        request["ContinuationToken"] = visit.value("token")
    response = visit.call("s3:ListObjectsV2", request)
    entries = [
        S3Entry(item["Prefix"][len(prefix) :], urls.to("s3", bucket=bucket, prefix=item["Prefix"]), True)
        for item in response.get("CommonPrefixes", [])
    ]
    entries += [
        S3Entry(
            item["Key"][len(prefix) :] or "(this folder)", urls.to("s3", "object", bucket=bucket, key=item["Key"]),
            False, item["Size"], seconds(item.get("LastModified")),
        )
        for item in response.get("Contents", [])
    ]  # fmt: skip
    return S3Context(
        bucket, prefix, begins, _crumbs(bucket, prefix), entries, response.get("NextContinuationToken", ""),
        shlex.join([*_EXEC, "cp", "FILE", f"s3://{bucket}/{prefix}"]),
    )  # fmt: skip


def act(visit: Visit) -> str:
    """Makes a bucket."""
    if visit.field("action") != "create":
        raise ValidationError(f"There is no action '{visit.field('action')}'.")
    name = visit.field("name").strip()
    visit.call("s3:CreateBucket", {"Bucket": name})
    return urls.to("s3", bucket=name)


def take(visit: Visit, file: IO[bytes]) -> str:
    """PutObject with the bytes of the file; the address of the folder."""
    bucket, prefix, name = visit.value("bucket"), visit.value("prefix"), visit.value("name")
    if not bucket or not name:
        raise ValidationError("The address needs a bucket and a name.")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    visit.call("s3:PutObject", {"Bucket": bucket, "Key": prefix + name, "Body": file, "ContentType": kind})
    return urls.to("s3", bucket=bucket, prefix=prefix, done=f"{name} was uploaded")


def _crumbs(bucket: str, prefix: str) -> list[tuple[str, str]]:
    crumbs = [(bucket, urls.to("s3", bucket=bucket))]
    parts = prefix.split("/")[:-1]
    for place, part in enumerate(parts):
        crumbs.append((part or "(empty)", urls.to("s3", bucket=bucket, prefix="/".join(parts[: place + 1]) + "/")))
    return crumbs


@dataclass(frozen=True)
class ObjectVersion:
    """A version of the object, or a marker that it was deleted."""

    id: str
    modified: float | None
    size: int | None
    is_marker: bool
    href: str


@dataclass(frozen=True)
class ObjectContext:
    """What an object's page shows."""

    bucket: str = field(metadata={"help": "its bucket"})
    key: str = field(metadata={"help": "its key"})
    uri: str = field(metadata={"help": "its S3 URI"})
    crumbs: list[tuple[str, str]] = field(metadata={"help": "the folders above, with their addresses"})
    size: int = field(metadata={"help": "bytes"})
    modified: float | None = field(metadata={"help": "seconds since the epoch"})
    etag: str = field(metadata={"help": "its ETag"})
    content_type: str = field(metadata={"help": "its content type"})
    metadata: dict[str, str] = field(metadata={"help": "the user's metadata"})
    tags: dict[str, str] = field(metadata={"help": "its tags"})
    preview: Preview = field(metadata={"help": "what its first bytes look like"})
    frame: str = field(metadata={"help": "the address of its sandboxed content, for pages"})
    download: str = field(metadata={"help": "the address of its bytes"})
    version: str = field(metadata={"help": "the version that is shown, empty for the newest"})
    versions: list[ObjectVersion] = field(metadata={"help": "its versions, newest first"})
    commands: dict[str, str] = field(metadata={"help": "each action as a command"})


def load_object(visit: Visit) -> ObjectContext:
    """HeadObject, and the first bytes by range. Raises Moved for a prefix: jobs' URIs name those without a slash."""
    bucket, key = visit.value("bucket"), visit.value("key")
    if not bucket or not key:
        raise ValidationError("The address needs a bucket and a key.")
    try:
        part = read_part(visit, bucket, key, bytes_wanted(key), visit.value("version"))
    except ServiceError:
        if _is_folder(visit, bucket, key):
            raise Moved(urls.to("s3", bucket=bucket, prefix=f"{key}/")) from None
        raise
    heading = {"yes": True, "no": False}.get(visit.value("heading"))
    preview = make_preview(key, part.data, part.size, heading=heading)
    tags = visit.optional("s3:GetObjectTagging", {"Bucket": bucket, "Key": key}) or {}
    return ObjectContext(
        bucket, key, f"s3://{bucket}/{key}", _crumbs(bucket, key), part.size, seconds(part.head.get("LastModified")),
        str(part.head.get("ETag", "")).strip('"'), str(part.head.get("ContentType", "")), part.head.get("Metadata", {}),
        {item["Key"]: item["Value"] for item in tags.get("TagSet", [])}, preview,
        urls.to("content", bucket=bucket, key=key) if preview.kind == "page" else "",
        urls.to("download", bucket=bucket, key=key), visit.value("version"), _versions(visit, bucket, key),
        {"download": shlex.join([*_EXEC, "cp", f"s3://{bucket}/{key}", "."]),
         "make a link that works for an hour": shlex.join([*_EXEC, "presign", f"s3://{bucket}/{key}"])},
    )  # fmt: skip


def _is_folder(visit: Visit, bucket: str, key: str) -> bool:
    listed = visit.optional("s3:ListObjectsV2", {"Bucket": bucket, "Prefix": f"{key}/", "MaxKeys": 1}) or {}
    return bool(listed.get("Contents"))


def _versions(visit: Visit, bucket: str, key: str) -> list[ObjectVersion]:
    """The versions of a bucket that keeps them; none of one that does not."""
    response = visit.optional("s3:ListObjectVersions", {"Bucket": bucket, "Prefix": key, "MaxKeys": 100}) or {}
    versions = [
        ObjectVersion(
            item["VersionId"], seconds(item.get("LastModified")), item.get("Size"), "Size" not in item,
            urls.to("s3", "object", bucket=bucket, key=key, version=item["VersionId"]),
        )
        for item in [*response.get("Versions", []), *response.get("DeleteMarkers", [])]
        if item["Key"] == key and item["VersionId"] != "null"
    ]  # fmt: skip
    return sorted(versions, key=lambda item: -(item.modified or 0.0))


def act_object(visit: Visit) -> str:
    """Deletes the object; its name must be typed."""
    bucket, key = visit.value("bucket"), visit.value("key")
    name = key.rstrip("/").rpartition("/")[2]
    if visit.field("action") != "delete" or visit.field("confirm") != name:
        raise ValidationError(f"Type the object's name, {name}, to delete it.")
    visit.call("s3:DeleteObject", {"Bucket": bucket, "Key": key})
    folder = key.rpartition("/")[0]
    return urls.to("s3", bucket=bucket, prefix=f"{folder}/" if folder else "", done=f"{name} was deleted")


def load_content(visit: Visit) -> Content:
    """A page or picture of a user, for the frame of the sandbox; safe when it is opened directly, too."""
    bucket, key = visit.value("bucket"), visit.value("key")
    part = read_part(visit, bucket, key, _LARGEST_CONTENT)
    kind = next((kind for end, kind in _TYPES.items() if key.lower().endswith(end)), "text/plain; charset=utf-8")
    return Content(part.data, kind, sandbox=True, scripts=visit.value("scripts") == "1")


def load_download(visit: Visit) -> Content:
    """The bytes, as an attachment, part by part; any range of them."""
    bucket, key = visit.value("bucket"), visit.value("key")
    version = visit.value("version")
    request = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    response = visit.call("s3:GetObject", request)
    name, etag = key.rpartition("/")[2], str(response.get("ETag", ""))
    return Content(response["Body"], "application/octet-stream", name, etag=etag)


PAGE = Page("/s3", load, "s3.html", "S3", act, take=take)
OBJECT = Page("/s3/object", load_object, "object.html", "S3", act_object)
CONTENT = Page("/content", load_content)
DOWNLOAD = Page("/download", load_download)
