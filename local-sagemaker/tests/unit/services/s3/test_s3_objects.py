"""Single objects: headers, conditions, ranges, versions, copies, deletions, tags."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import pytest

from local_sagemaker.objects.errors import S3Error


def refused(call: Any) -> S3Error:
    with pytest.raises(S3Error) as raised:
        call()
    return raised.value


def test_put_then_get(s3: Any) -> None:
    put = s3.put("a/b", b"hello", ContentType="text/plain", Metadata={"by": "me"}, CacheControl="no-store")
    etag = f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert put == {"ETag": etag, "ServerSideEncryption": "AES256"}
    answer, data = s3.get("a/b")
    assert data == b"hello"
    assert answer.pop("LastModified") % 1 == 0
    assert answer == {
        "AcceptRanges": "bytes",
        "ContentLength": 5,
        "ETag": etag,
        "ContentType": "text/plain",
        "Metadata": {"by": "me"},
        "CacheControl": "no-store",
        "ServerSideEncryption": "AES256",
    }
    head = s3("HeadObject", Bucket="box", Key="a/b")
    assert head.pop("LastModified") > 1e9
    assert head == answer


def test_defaults_and_every_kept_header(s3: Any) -> None:
    s3.put("plain", b"")
    answer, _ = s3.get("plain")
    assert (answer["ContentType"], answer["Metadata"], answer["ContentLength"]) == ("binary/octet-stream", {}, 0)
    headers = {
        "ContentDisposition": "attachment",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Expires": 2_000_000_000.0,
        "StorageClass": "STANDARD_IA",
        "WebsiteRedirectLocation": "/other",
        "ServerSideEncryption": "aws:kms",
        "SSEKMSKeyId": "key",
    }
    s3.put("full", b"", **headers | {"ContentEncoding": "aws-chunked,gzip"})
    answer, _ = s3.get("full")
    assert {name: answer[name] for name in headers} == headers


def test_no_body_is_an_empty_object(s3: Any) -> None:
    s3("PutObject", Bucket="box", Key="folder/")
    assert s3.get("folder/")[1] == b""


def test_missing_objects_have_the_exact_error(s3: Any) -> None:
    for operation in ("GetObject", "HeadObject", "GetObjectTagging", "GetObjectAttributes", "GetObjectAcl"):
        error = refused(lambda operation=operation: s3(operation, Bucket="box", Key="no", ObjectAttributes=["ETag"]))
        assert (error.code, error.status, error.message) == ("NoSuchKey", 404, "The specified key does not exist.")
        assert error.detail == {"Key": "no"}
    assert refused(lambda: s3.get("no", VersionId="a" * 32)).code == "NoSuchVersion"
    for operation in ("GetObject", "HeadObject", "DeleteObject", "GetObjectTagging"):
        for version in ("noVersion", "", "\x00" * 32):
            error = refused(lambda name=operation, id=version: s3(name, Bucket="box", Key="no", VersionId=id))
            assert (error.code, error.status) == ("InvalidArgument", 400)
    assert refused(lambda: s3("PutObject", Bucket="nowhere", Key="x")).code == "NoSuchBucket"


def test_content_md5_is_compared(s3: Any) -> None:
    right = base64.b64encode(hashlib.md5(b"1").digest()).decode()
    s3.put("x", b"1", ContentMD5=right)
    assert refused(lambda: s3.put("x", b"2", ContentMD5=right)).code == "BadDigest"
    assert refused(lambda: s3.put("x", b"2", ContentMD5="nonsense!")).code == "InvalidDigest"
    assert s3.get("x")[1] == b"1"


class Trailing(io.BytesIO):
    """A body whose checksum comes behind its bytes, as the wire hands it over."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.checksums: dict[str, str] = {}

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            self.checksums = {"ChecksumCRC32": "AAAAAA=="}
        return data


def test_checksums_are_given_back(s3: Any) -> None:
    put = s3("PutObject", Bucket="box", Key="x", Body=Trailing(b"1"))
    assert (put["ChecksumCRC32"], put["ChecksumType"]) == ("AAAAAA==", "FULL_OBJECT")
    assert "ChecksumCRC32" not in s3.get("x")[0]
    assert s3.get("x", ChecksumMode="ENABLED")[0]["ChecksumCRC32"] == "AAAAAA=="
    assert "ChecksumCRC32" not in s3.get("x", ChecksumMode="ENABLED", Range="bytes=0-0")[0], "it is of the whole"
    shown = s3("GetObjectAttributes", Bucket="box", Key="x", ObjectAttributes=["Checksum", "ObjectSize"])
    assert shown["Checksum"] == {"ChecksumCRC32": "AAAAAA==", "ChecksumType": "FULL_OBJECT"}
    assert (shown["ObjectSize"], "ETag" in shown) == (1, False)
    s3.put("y", b"1", ChecksumSHA256="abc=", ChecksumAlgorithm="SHA256")
    assert s3("ListObjectsV2", Bucket="box", Prefix="y")["Contents"][0]["ChecksumAlgorithm"] == ["SHA256"]


def test_response_overrides(s3: Any) -> None:
    s3.put("x", b"1", ContentType="text/plain")
    answer, _ = s3.get("x", ResponseContentType="text/html", ResponseContentDisposition="inline", ResponseExpires=1.0)
    assert (answer["ContentType"], answer["ContentDisposition"], answer["Expires"]) == ("text/html", "inline", 1.0)


RANGES = [
    ("bytes=0-3", b"0123", "bytes 0-3/10"),
    ("bytes=4-", b"456789", "bytes 4-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=-30", b"0123456789", "bytes 0-9/10"),
    ("bytes=8-100", b"89", "bytes 8-9/10"),
    ("bytes=0-0", b"0", "bytes 0-0/10"),
    ("bytes=5-2", b"0123456789", None),
    ("bytes=-", b"0123456789", None),
    ("bytes=0-1,3-4", b"0123456789", None),
    ("lines=1-2", b"0123456789", None),
]


@pytest.mark.parametrize(("header", "data", "content_range"), RANGES)
def test_ranges(s3: Any, header: str, data: bytes, content_range: str | None) -> None:
    s3.put("x", b"0123456789")
    answer, got = s3.get("x", Range=header)
    assert got == data
    assert answer.get("ContentRange") == content_range
    assert answer.get("__status__") == (206 if content_range else None)
    assert answer["ContentLength"] == len(data)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_ranges_outside_the_object(s3: Any, header: str) -> None:
    s3.put("x", b"0123456789")
    error = refused(lambda: s3.get("x", Range=header))
    assert (error.code, error.status) == ("InvalidRange", 416)
    assert error.detail == {"RangeRequested": header, "ActualObjectSize": "10"}


OLD, NEW = 1.0, 4e9
READS = [
    ({"IfMatch": "same"}, None),
    ({"IfMatch": "*"}, None),
    ({"IfMatch": '"other"'}, 412),
    ({"IfMatch": '"other", same'}, None),
    ({"IfNoneMatch": "same"}, 304),
    ({"IfNoneMatch": "*"}, 304),
    ({"IfNoneMatch": '"other"'}, None),
    ({"IfModifiedSince": OLD}, None),
    ({"IfModifiedSince": NEW}, 304),
    ({"IfUnmodifiedSince": OLD}, 412),
    ({"IfUnmodifiedSince": NEW}, None),
    ({"IfMatch": "same", "IfUnmodifiedSince": OLD}, None),
    ({"IfNoneMatch": "same", "IfModifiedSince": OLD}, 304),
    ({"IfNoneMatch": '"other"', "IfModifiedSince": NEW}, None),
    ({"IfMatch": '"other"', "IfNoneMatch": "same"}, 412),
]


@pytest.mark.parametrize(("conditions", "status"), READS)
def test_conditional_reads_and_copies(s3: Any, conditions: dict[str, Any], status: int | None) -> None:
    etag = s3.put("x", b"1")["ETag"]
    given = {
        name: value.replace("same", etag) if isinstance(value, str) else value for name, value in conditions.items()
    }
    copy = {f"CopySource{name}": value for name, value in given.items()}
    if status is None:
        assert s3.get("x", **given)[1] == b"1"
        s3("CopyObject", Bucket="box", Key="y", CopySource="box/x", **copy)
        return
    error = refused(lambda: s3.get("x", **given))
    assert error.status == status
    assert error.headers == ({"ETag": etag} if status == 304 else {})
    error = refused(lambda: s3("CopyObject", Bucket="box", Key="y", CopySource="box/x", **copy))
    assert (error.code, error.status) == ("PreconditionFailed", 412)


def test_conditional_writes(s3: Any) -> None:
    etag = s3.put("x", b"1", IfNoneMatch="*")["ETag"]
    error = refused(lambda: s3.put("x", b"2", IfNoneMatch="*"))
    assert (error.code, error.status, error.detail) == ("PreconditionFailed", 412, {"Condition": "If-None-Match"})
    assert refused(lambda: s3.put("x", b"2", IfMatch='"other"')).code == "PreconditionFailed"
    assert refused(lambda: s3.put("new", b"2", IfMatch=etag)).code == "NoSuchKey"
    assert refused(lambda: s3.put("x", b"2", IfNoneMatch='"other"')).status == 501
    s3.put("x", b"2", IfMatch=etag)
    assert s3.get("x")[1] == b"2"
    assert refused(lambda: s3("DeleteObject", Bucket="box", Key="x", IfMatch=etag)).code == "PreconditionFailed"


def test_copy_keeps_or_replaces_headers_and_tags(s3: Any) -> None:
    s3.put("a b/ü", b"1", ContentType="text/plain", Metadata={"m": "1"}, Tagging="t=1", StorageClass="GLACIER_IR")
    result = s3("CopyObject", Bucket="box", Key="kept", CopySource="box/a%20b/%C3%BC")["CopyObjectResult"]
    assert result["ETag"] == f'"{hashlib.md5(b"1").hexdigest()}"'
    kept, data = s3.get("kept")
    assert (data, kept["ContentType"], kept["Metadata"], kept["TagCount"]) == (b"1", "text/plain", {"m": "1"}, 1)
    assert "StorageClass" not in kept, "a copy is STANDARD unless asked otherwise"
    s3(
        "CopyObject", Bucket="box", Key="new", CopySource="/box/a%20b/%C3%BC", MetadataDirective="REPLACE",
        ContentType="text/csv", TaggingDirective="REPLACE", Tagging="u=2&v=3",
    )  # fmt: skip
    new, _ = s3.get("new")
    assert (new["ContentType"], new["Metadata"], new["TagCount"]) == ("text/csv", {}, 2)


def test_copy_onto_itself_must_change_something(s3: Any) -> None:
    s3.put("x", b"1")
    assert refused(lambda: s3("CopyObject", Bucket="box", Key="x", CopySource="box/x")).code == "InvalidRequest"
    s3("CopyObject", Bucket="box", Key="x", CopySource="box/x", MetadataDirective="REPLACE", Metadata={"n": "1"})
    assert s3.get("x")[0]["Metadata"] == {"n": "1"}


def test_copy_sources_that_are_not_there(s3: Any) -> None:
    for source, code in (("box/no", "NoSuchKey"), ("nowhere/x", "NoSuchBucket"), ("box", "InvalidArgument")):
        copy = refused(lambda source=source: s3("CopyObject", Bucket="box", Key="y", CopySource=source))
        assert copy.code == code


def versioned(s3: Any) -> None:
    s3("PutBucketVersioning", Bucket="box", VersioningConfiguration={"Status": "Enabled"})


def test_versions_are_read_copied_and_deleted(s3: Any) -> None:
    s3.put("x", b"0")
    versioned(s3)
    first, second = (s3.put("x", data)["VersionId"] for data in (b"1", b"2"))
    assert s3.get("x")[0]["VersionId"] == second
    assert [s3.get("x", VersionId=version)[1] for version in ("null", first, second)] == [b"0", b"1", b"2"]
    copied = s3("CopyObject", Bucket="box", Key="x", CopySource=f"box/x?versionId={first}")
    assert copied["CopySourceVersionId"] == first
    assert s3.get("x")[1] == b"1"
    assert s3("DeleteObject", Bucket="box", Key="x", VersionId=copied["VersionId"]) == {
        "VersionId": copied["VersionId"]
    }
    assert s3.get("x")[1] == b"2"


def test_a_delete_marker_hides_and_its_removal_shows_again(s3: Any) -> None:
    versioned(s3)
    version = s3.put("x", b"1")["VersionId"]
    deleted = s3("DeleteObject", Bucket="box", Key="x")
    assert deleted["DeleteMarker"] is True
    marker = deleted["VersionId"]
    error = refused(lambda: s3.get("x"))
    assert (error.code, error.headers) == (
        "NoSuchKey", {"x-amz-delete-marker": "true", "x-amz-version-id": marker},
    )  # fmt: skip
    error = refused(lambda: s3.get("x", VersionId=marker))
    assert (error.code, error.status, error.headers["Allow"]) == ("MethodNotAllowed", 405, "DELETE")
    assert s3.get("x", VersionId=version)[1] == b"1"
    assert s3("DeleteObject", Bucket="box", Key="x", VersionId=marker) == {"VersionId": marker, "DeleteMarker": True}
    assert s3.get("x")[1] == b"1"


def test_deleting_nothing_succeeds(s3: Any) -> None:
    assert s3("DeleteObject", Bucket="box", Key="no") == {}
    s3.put("x")
    assert s3("DeleteObject", Bucket="box", Key="x") == {}


def test_delete_many(s3: Any) -> None:
    for key in ("a", "b", "c"):
        s3.put(key, b"1")
    wanted = [{"Key": "a"}, {"Key": "no"}, {"Key": "b", "ETag": '"other"'}]
    answer = s3("DeleteObjects", Bucket="box", Delete={"Objects": wanted})
    assert answer["Deleted"] == [{"Key": "a"}, {"Key": "no"}]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert s3("DeleteObjects", Bucket="box", Delete={"Objects": [{"Key": "b"}], "Quiet": True}) == {}
    assert s3.keys() == ["c"]
    versioned(s3)
    deleted = s3("DeleteObjects", Bucket="box", Delete={"Objects": [{"Key": "c"}]})["Deleted"][0]
    assert deleted["DeleteMarker"] is True
    assert deleted["DeleteMarkerVersionId"] == s3("ListObjectVersions", Bucket="box")["DeleteMarkers"][0]["VersionId"]
    assert refused(lambda: s3("DeleteObjects", Bucket="box", Delete={"Objects": []})).code == "MalformedXML"


def test_tags_of_objects(s3: Any) -> None:
    s3.put("x", b"1", Tagging="a=1&b=%20two")
    two = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": " two"}]
    assert s3("GetObjectTagging", Bucket="box", Key="x") == {"TagSet": two}
    assert s3.get("x")[0]["TagCount"] == 2
    s3("PutObjectTagging", Bucket="box", Key="x", Tagging={"TagSet": two[:1]})
    assert s3("GetObjectTagging", Bucket="box", Key="x")["TagSet"] == two[:1]
    s3("DeleteObjectTagging", Bucket="box", Key="x")
    assert s3("GetObjectTagging", Bucket="box", Key="x") == {"TagSet": []}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([("k", "v")] * 2, "InvalidTag"),
        ([("", "v")], "InvalidTag"),
        ([("k" * 129, "v")], "InvalidTag"),
        ([("k", "v" * 257)], "InvalidTag"),
        ([("aws:k", "v")], "InvalidTag"),
        ([(str(number), "v") for number in range(11)], "BadRequest"),
    ],
)
def test_tags_that_s3_refuses(s3: Any, tags: list[tuple[str, str]], code: str) -> None:
    s3.put("x")
    tag_set = [{"Key": key, "Value": value} for key, value in tags]
    put = refused(lambda: s3("PutObjectTagging", Bucket="box", Key="x", Tagging={"TagSet": tag_set}))
    assert (put.code, put.status) == (code, 400)


def test_too_much_metadata(s3: Any) -> None:
    assert refused(lambda: s3.put("x", Metadata={"m": "v" * 2048})).code == "MetadataTooLarge"
