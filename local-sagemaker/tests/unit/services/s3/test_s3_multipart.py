"""Multipart uploads as clients make them."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest

from local_sagemaker.objects.errors import S3Error
from local_sagemaker.services.s3.multipart import SMALLEST

BIG = bytes(range(256)) * (SMALLEST // 256)


class Upload:
    """An upload to ``box/big``."""

    def __init__(self, s3: Any, **more: Any) -> None:
        self.s3 = s3
        self.names = {"Bucket": "box", "Key": "big"}
        self.names["UploadId"] = s3("CreateMultipartUpload", **self.names, **more)["UploadId"]

    def put(self, number: int, data: bytes, **more: Any) -> dict[str, Any]:
        answer = self.s3("UploadPart", **self.names, PartNumber=number, Body=io.BytesIO(data), **more)
        checksums = {name: value for name, value in answer.items() if name.startswith("Checksum")}
        return {"PartNumber": number, "ETag": answer["ETag"], **checksums}

    def complete(self, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.s3(
            "CompleteMultipartUpload", **self.names, MultipartUpload={"Parts": list(parts)}, **more
        )
        return answer

    def refused(self, *parts: dict[str, Any], **more: Any) -> S3Error:
        with pytest.raises(S3Error) as raised:
            self.complete(*parts, **more)
        return raised.value


def test_an_upload_becomes_an_object(s3: Any) -> None:
    upload = Upload(s3, ContentType="text/plain", Metadata={"m": "1"}, Tagging="t=1")
    parts = [upload.put(1, BIG), upload.put(2, b"end")]
    done = upload.complete(*parts)
    md5s = hashlib.md5(BIG).digest() + hashlib.md5(b"end").digest()
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-2"'
    answer, data = s3.get("big")
    assert data == BIG + b"end"
    assert (answer["ContentType"], answer["Metadata"], answer["TagCount"]) == ("text/plain", {"m": "1"}, 1)
    assert s3("ListMultipartUploads", Bucket="box").get("Uploads") is None
    assert upload.complete(*parts) == upload.complete(*parts, IfNoneMatch="*") == done
    assert upload.refused(parts[0]).code == "NoSuchUpload"
    s3.put("big", b"another")
    assert upload.refused(*parts).code == "NoSuchUpload"


def test_parts_of_the_object_can_be_read(s3: Any) -> None:
    upload = Upload(s3)
    upload.complete(upload.put(3, BIG), upload.put(7, b"end"))
    answer, data = s3.get("big", PartNumber=2)
    assert (data, answer["PartsCount"], answer["__status__"]) == (b"end", 2, 206)
    assert answer["ContentRange"] == f"bytes {SMALLEST}-{SMALLEST + 2}/{SMALLEST + 3}"
    with pytest.raises(S3Error) as raised:
        s3.get("big", PartNumber=3)
    assert (raised.value.code, raised.value.status) == ("InvalidPartNumber", 416)
    shown = s3("GetObjectAttributes", Bucket="box", Key="big", ObjectAttributes=["ObjectParts,ETag"])
    assert shown["ObjectParts"] == {"TotalPartsCount": 2}
    assert shown["ETag"].endswith("-2")


def test_what_completing_refuses(s3: Any) -> None:
    upload = Upload(s3)
    first, small, last = upload.put(1, BIG), upload.put(2, b"small"), upload.put(3, b"last")
    assert upload.refused().code == "MalformedXML"
    assert upload.refused(last, first).code == "InvalidPartOrder"
    assert upload.refused(first, first).code == "InvalidPartOrder"
    assert upload.refused(first, {"PartNumber": 9, "ETag": first["ETag"]}).code == "InvalidPart"
    assert upload.refused({"PartNumber": 1, "ETag": '"other"'}).code == "InvalidPart"
    error = upload.refused(first, small, last)
    assert (error.code, error.status) == ("EntityTooSmall", 400)
    assert error.detail["PartNumber"] == "2"
    assert upload.refused(first, last, MpuObjectSize=7).code == "InvalidRequest"
    upload.complete(first, last, MpuObjectSize=SMALLEST + 4)
    assert s3.get("big")[1] == BIG + b"last"


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers(s3: Any, number: int) -> None:
    with pytest.raises(S3Error, match="Part number must be an integer between 1 and 10000, inclusive"):
        Upload(s3).put(number, b"")


def test_completing_on_a_condition(s3: Any) -> None:
    upload = Upload(s3)
    part = upload.put(1, b"1")
    s3.put("big", b"already there")
    assert upload.refused(part, IfNoneMatch="*").code == "PreconditionFailed"
    assert s3.get("big")[1] == b"already there"
    upload.complete(part)
    assert s3.get("big")[1] == b"1"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_the_checksum_of_the_checksums(s3: Any, algorithm: str) -> None:
    def digest(data: bytes) -> bytes:
        if algorithm == "CRC32":
            return zlib.crc32(data).to_bytes(4, "big")
        return hashlib.new(algorithm.lower(), data).digest()

    name = f"Checksum{algorithm}"
    upload = Upload(s3, ChecksumAlgorithm=algorithm)
    data = (BIG, b"end")
    parts = [
        upload.put(number, piece, **{name: base64.b64encode(digest(piece)).decode()})
        for number, piece in enumerate(data, 1)
    ]
    assert upload.refused({**parts[0], name: "other"}).code == "InvalidPart"
    done = upload.complete(*parts)
    whole = base64.b64encode(digest(b"".join(digest(piece) for piece in data))).decode()
    assert (done[name], done["ChecksumType"]) == (f"{whole}-2", "COMPOSITE")
    part = s3.get("big", ChecksumMode="ENABLED", PartNumber=2)[0]
    assert part[name] == base64.b64encode(digest(b"end")).decode()
    shown = s3("GetObjectAttributes", Bucket="box", Key="big", ObjectAttributes=["ObjectParts"], MaxParts=1)
    assert [part["Size"] for part in shown["ObjectParts"]["Parts"]] == [SMALLEST]
    assert shown["ObjectParts"]["IsTruncated"] is True


def test_parts_copied_from_objects(s3: Any) -> None:
    s3.put("source", b"0123456789")
    upload = Upload(s3)
    copied = [
        s3("UploadPartCopy", **upload.names, PartNumber=1, CopySource="box/source", CopySourceRange="bytes=2-4"),
    ]  # fmt: skip
    upload.complete({"PartNumber": 1, "ETag": copied[0]["CopyPartResult"]["ETag"]})
    assert s3.get("big")[1] == b"234"
    for bad in ("bytes=2-", "bytes=5-10", "2-4"):
        again = Upload(s3)
        with pytest.raises(S3Error) as raised:
            s3("UploadPartCopy", **again.names, PartNumber=1, CopySource="box/source", CopySourceRange=bad)
        assert raised.value.code == "InvalidArgument"


def test_parts_and_uploads_are_listed_in_pages(s3: Any) -> None:
    upload = Upload(s3, StorageClass="STANDARD_IA")
    for number in (5, 1, 3):
        upload.put(number, b"x" * number)
    first = s3("ListParts", **upload.names, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in first["Parts"]] == [(1, 1), (3, 3)]
    assert (first["IsTruncated"], first["NextPartNumberMarker"], first["StorageClass"]) == (True, 3, "STANDARD_IA")
    second = s3("ListParts", **upload.names, PartNumberMarker=3)
    assert [part["PartNumber"] for part in second["Parts"]] == [5]
    for key in ("a/1", "a/2", "c"):
        s3("CreateMultipartUpload", Bucket="box", Key=key)
    Upload(s3)
    assert [entry["Key"] for entry in s3("ListMultipartUploads", Bucket="box")["Uploads"]] == (
        ["a/1", "a/2", "big", "big", "c"]
    )
    found: list[str] = []
    request: dict[str, Any] = {"Bucket": "box", "Delimiter": "/", "MaxUploads": 1}
    page = s3("ListMultipartUploads", **request)
    while True:
        found += [entry["Key"] for entry in page.get("Uploads", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        page = s3(
            "ListMultipartUploads", **request,
            KeyMarker=page["NextKeyMarker"], UploadIdMarker=page["NextUploadIdMarker"],
        )  # fmt: skip
    assert found == ["a/", "big", "big", "c"]


def test_an_aborted_upload_is_gone(s3: Any) -> None:
    upload = Upload(s3)
    upload.put(1, b"1")
    s3("AbortMultipartUpload", **upload.names)
    for operation in ("AbortMultipartUpload", "ListParts"):
        with pytest.raises(S3Error) as raised:
            s3(operation, **upload.names)
        assert (raised.value.code, raised.value.status) == ("NoSuchUpload", 404)
    with pytest.raises(S3Error):
        upload.put(1, b"1")
