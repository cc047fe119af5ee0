"""What S3 refuses, computes and says where clients notice: checksums, ACLs, tags, encryption, regions, archives."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zlib
from typing import Any

import pytest

from local_sagemaker.objects.checksums import checksum
from local_sagemaker.objects.errors import S3Error
from local_sagemaker.services.s3.multipart import SMALLEST

BODY = b"some value"
CRC32 = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


def refused(call: Any) -> tuple[str, int, str]:
    with pytest.raises(S3Error) as raised:
        call()
    return raised.value.code, raised.value.status, raised.value.message


def copied(s3: Any, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = s3("CopyObject", Bucket="box", Key="copy", CopySource="box/x", **more)
    return answer


@pytest.mark.parametrize(("algorithm", "expected"), [("SHA256", SHA256), ("CRC32", CRC32)])
def test_a_copy_has_the_checksum_that_was_asked_for(s3: Any, algorithm: str, expected: str) -> None:
    s3.put("x", BODY, ChecksumCRC32=CRC32)
    result = copied(s3, ChecksumAlgorithm=algorithm)["CopyObjectResult"]
    assert (result[f"Checksum{algorithm}"], result["ChecksumType"]) == (expected, "FULL_OBJECT")
    head = s3("HeadObject", Bucket="box", Key="copy", ChecksumMode="ENABLED")
    assert {name for name in head if name.startswith("Checksum")} == {f"Checksum{algorithm}", "ChecksumType"}


def test_a_copy_of_parts_has_the_checksum_of_the_whole(s3: Any) -> None:
    names = {"Bucket": "box", "Key": "x"}
    upload = s3("CreateMultipartUpload", **names, ChecksumAlgorithm="SHA256")["UploadId"]
    part = s3("UploadPart", **names, UploadId=upload, PartNumber=1, Body=io.BytesIO(BODY), ChecksumSHA256=SHA256)
    listed = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": SHA256}]}
    done = s3("CompleteMultipartUpload", **names, UploadId=upload, MultipartUpload=listed)
    assert done["ChecksumSHA256"].endswith("-1")
    shown = s3("GetObjectAttributes", **names, ObjectAttributes=["Checksum"])["Checksum"]
    assert shown == {"ChecksumSHA256": done["ChecksumSHA256"][:-2], "ChecksumType": "COMPOSITE"}
    assert copied(s3)["CopyObjectResult"]["ChecksumSHA256"] == SHA256


def test_copied_parts_have_the_checksums_of_their_upload(s3: Any) -> None:
    s3.put("x", BODY)
    names = {"Bucket": "box", "Key": "y"}
    upload = s3("CreateMultipartUpload", **names, ChecksumAlgorithm="SHA256")["UploadId"]
    part = s3("UploadPartCopy", **names, UploadId=upload, PartNumber=1, CopySource="box/x")["CopyPartResult"]
    assert part["ChecksumSHA256"] == SHA256
    bare = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    missing = refused(lambda: s3("CompleteMultipartUpload", **names, UploadId=upload, MultipartUpload=bare))
    assert missing[2].endswith("The complete request must include the checksum for each part. It was missing for part "
                               "1 in the request.")  # fmt: skip
    listed = {"Parts": [{**bare["Parts"][0], "ChecksumSHA256": SHA256}]}
    done = s3("CompleteMultipartUpload", **names, UploadId=upload, MultipartUpload=listed)
    digest = base64.b64encode(hashlib.sha256(base64.b64decode(SHA256)).digest()).decode()
    assert done["ChecksumSHA256"] == f"{digest}-1"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"ChecksumCRC32": CRC32}, "expected checksum Type: sha256, actual checksum Type: crc32"),
        ({}, "expected checksum Type: sha256, actual checksum Type: null"),
        ({"ChecksumCRC32": CRC32, "ChecksumSHA256": SHA256}, "Multiple checksum Types are not allowed."),
    ],
)
def test_parts_have_the_algorithm_of_their_upload(s3: Any, given: dict[str, str], text: str) -> None:
    names = {"Bucket": "box", "Key": "x"}
    names["UploadId"] = s3("CreateMultipartUpload", **names, ChecksumAlgorithm="SHA256")["UploadId"]
    error = refused(lambda: s3("UploadPart", **names, PartNumber=1, Body=io.BytesIO(BODY), **given))
    assert error[:2] == ("InvalidRequest", 400)
    assert text in error[2]
    assert "Parts" not in s3("ListParts", **names)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ChecksumType": "FULL_OBJECT"}, "The x-amz-checksum-type header can only be used with the "),
        (
            {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"},
            "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm.",
        ),
        (
            {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "COMPOSITE"},
            "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm.",
        ),
    ],
)
def test_not_every_algorithm_has_both_types(s3: Any, options: dict[str, str], text: str) -> None:
    error = refused(lambda: s3("CreateMultipartUpload", Bucket="box", Key="x", **options))
    assert error[:2] == ("InvalidRequest", 400)
    assert error[2].startswith(text)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
@pytest.mark.parametrize("with_parts", [True, False])
def test_the_checksum_of_all_bytes_comes_from_the_parts(s3: Any, algorithm: str, with_parts: bool) -> None:
    names, pieces = {"Bucket": "box", "Key": "x"}, [bytes(SMALLEST), BODY]
    options = {"ChecksumAlgorithm": algorithm, "ChecksumType": "FULL_OBJECT"}
    names["UploadId"] = s3("CreateMultipartUpload", **names, **options)["UploadId"]
    parts = []
    for number, piece in enumerate(pieces, 1):
        given = {f"Checksum{algorithm}": checksum(algorithm, piece)} if with_parts else {}
        answer = s3("UploadPart", **names, PartNumber=number, Body=io.BytesIO(piece), **given)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    listed = {"MultipartUpload": {"Parts": parts}}
    wrong = {f"Checksum{algorithm}": "AAAAAA=="}
    assert refused(lambda: s3("CompleteMultipartUpload", **names, **listed, **wrong))[0] == "BadDigest"
    mode = refused(lambda: s3("CompleteMultipartUpload", **names, **listed, ChecksumType="COMPOSITE"))
    assert "FULL_OBJECT checksum mode" in mode[2]
    done = s3("CompleteMultipartUpload", **names, **listed)
    assert (done[f"Checksum{algorithm}"], done["ChecksumType"]) == (
        checksum(algorithm, b"".join(pieces)),
        "FULL_OBJECT",
    )


def test_a_copy_is_of_one_version_of_its_source(s3: Any) -> None:
    """Also while the source is overwritten: the bytes are those that ETag and checksum say."""
    bodies = [bytes([n]) * (200 + n) for n in range(8)]
    ended = threading.Event()
    s3.put("x", bodies[0])

    def overwrite() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            s3.put("x", bodies[number % 8])

    writers = [threading.Thread(target=overwrite) for _ in range(2)]
    for writer in writers:
        writer.start()
    upload = s3("CreateMultipartUpload", Bucket="box", Key="parts")["UploadId"]
    wrong = []
    for _ in range(300):
        etag = copied(s3)["CopyObjectResult"]["ETag"].strip('"')
        _, data = s3.get("copy")
        part = s3("UploadPartCopy", Bucket="box", Key="parts", UploadId=upload, PartNumber=1, CopySource="box/x")
        known = {hashlib.md5(body).hexdigest() for body in bodies}
        if hashlib.md5(data).hexdigest() != etag or part["CopyPartResult"]["ETag"].strip('"') not in known:
            wrong.append(etag)
    ended.set()
    for writer in writers:
        writer.join()
    assert not wrong


@pytest.mark.parametrize(
    "given", [{"ACL": "public-read"}, {"GrantRead": "uri=http://acs.amazonaws.com/groups/global/AllUsers"}]
)
def test_acls_are_refused_wherever_they_can_be_given(s3: Any, given: dict[str, str]) -> None:
    s3.put("x", BODY)
    expected = ("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")
    assert refused(lambda: s3.put("y", b"", **given)) == expected
    assert refused(lambda: copied(s3, **given)) == expected
    assert refused(lambda: s3("CreateMultipartUpload", Bucket="box", Key="y", **given)) == expected
    assert refused(lambda: s3("PutObjectAcl", Bucket="box", Key="x", **given)) == expected
    assert refused(lambda: s3("CreateBucket", Bucket="new", **given))[0] == "InvalidBucketAclWithObjectOwnership"
    for harmless in ("private", "bucket-owner-full-control"):
        s3.put("y", b"", ACL=harmless)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ObjectLockMode": "GOVERNANCE"}, "InvalidRequest"),
        ({"ObjectLockLegalHoldStatus": "ON"}, "InvalidRequest"),
        ({"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k"}, "NotImplemented"),
        ({"WriteOffsetBytes": 0}, "NotImplemented"),
        ({"StorageClass": "OUTPOSTS"}, "InvalidStorageClass"),
    ],
)
def test_what_no_object_here_can_have_is_refused(s3: Any, given: dict[str, Any], expected: str) -> None:
    assert refused(lambda: s3.put("x", BODY, **given))[0] == expected
    assert refused(lambda: s3("CreateMultipartUpload", Bucket="box", Key="x", **given))[0] == expected


@pytest.mark.parametrize(
    "given",
    [
        {"ObjectLockEnabledForBucket": True},
        {"ObjectOwnership": "ObjectWriter"},
        {"BucketNamespace": "account-regional"},
    ],
)
def test_what_no_bucket_here_can_have_is_refused(s3: Any, given: dict[str, Any]) -> None:
    assert refused(lambda: s3("CreateBucket", Bucket="new", **given))[:2] == ("NotImplemented", 501)


def test_archived_objects_can_not_be_read(s3: Any) -> None:
    s3.put("x", BODY, StorageClass="GLACIER")
    text = "The operation is not valid for the object's storage class"
    assert refused(lambda: s3.get("x")) == ("InvalidObjectState", 403, text)
    assert refused(lambda: copied(s3))[:2] == ("ObjectNotInActiveTierError", 403)
    assert s3("HeadObject", Bucket="box", Key="x")["StorageClass"] == "GLACIER"
    s3.put("x", BODY, StorageClass="GLACIER_IR")
    assert s3.get("x")[1] == BODY


def test_new_objects_are_encrypted_as_their_bucket_says(s3: Any) -> None:
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"},
        "BucketKeyEnabled": True,
    }
    kept = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k", "BucketKeyEnabled": True}
    s3.put("before", BODY)
    s3("PutBucketEncryption", Bucket="box", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert kept.items() <= s3.put("x", BODY).items()
    assert kept.items() <= s3("HeadObject", Bucket="box", Key="x").items()
    assert kept.items() <= copied(s3).items()
    assert kept.items() <= s3("CreateMultipartUpload", Bucket="box", Key="y").items()
    assert s3("HeadObject", Bucket="box", Key="before")["ServerSideEncryption"] == "AES256"
    assert s3.put("x", BODY, ServerSideEncryption="AES256")["ServerSideEncryption"] == "AES256"
    s3("DeleteBucketEncryption", Bucket="box")
    assert s3.put("x", BODY)["ServerSideEncryption"] == "AES256"


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([("a", "1"), ("a", "2")], "Cannot provide multiple Tags with the same key"),
        ([("aws:x", "1")], "System tags cannot be added/updated by requester"),
        ([("", "1")], "The TagKey you have provided is invalid"),
        ([("a", "\x00")], "The TagValue you have provided is invalid"),
    ],
)
def test_tags_of_buckets_are_checked(s3: Any, tags: list[tuple[str, str]], text: str) -> None:
    given = {"TagSet": [{"Key": key, "Value": value} for key, value in tags]}
    assert refused(lambda: s3("PutBucketTagging", Bucket="box", Tagging=given)) == ("InvalidTag", 400, text)


def test_no_tags_are_no_tag_set(s3: Any) -> None:
    one = {"TagSet": [{"Key": "something:aws:stuff", "Value": "é +-=._:/@"}]}
    assert s3("PutBucketTagging", Bucket="box", Tagging=one)["__status__"] == 204
    assert s3("GetBucketTagging", Bucket="box") == one
    s3("PutBucketTagging", Bucket="box", Tagging={"TagSet": []})
    assert refused(lambda: s3("GetBucketTagging", Bucket="box"))[:2] == ("NoSuchTagSet", 404)
    s3("CreateBucket", Bucket="new", CreateBucketConfiguration={"Tags": one["TagSet"]})
    assert s3("GetBucketTagging", Bucket="new") == one


def test_tags_of_objects(s3: Any) -> None:
    text = "Your TagKey cannot be prefixed with aws:"
    assert refused(lambda: s3.put("x", BODY, Tagging="aws:foo=1")) == ("InvalidTag", 400, text)
    s3("PutBucketVersioning", Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    s3.put("x", BODY)
    marker = s3("DeleteObject", Bucket="box", Key="x")["VersionId"]
    with pytest.raises(S3Error) as raised:
        s3("PutObjectTagging", Bucket="box", Key="x", VersionId=marker, Tagging={"TagSet": []})
    assert (raised.value.code, raised.value.detail["Method"]) == ("MethodNotAllowed", "PUT")


def cors(*methods: str, rules: int = 1) -> dict[str, Any]:
    return {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": list(methods), "AllowedOrigins": ["*"]}] * rules}}


def lifecycle(**rule: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", **rule}]}}


def logging_to(bucket: str) -> dict[str, Any]:
    return {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "logs/"}}}


OBJECT_WRITER = {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}
QUEUE = {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "Events": ["s3:ObjectCreated:*"]}
QUEUED = {"NotificationConfiguration": {"EventBridgeConfiguration": {}, "QueueConfigurations": [QUEUE]}}


@pytest.mark.parametrize(
    ("operation", "value", "code"),
    [
        ("PutBucketCors", cors(rules=0), "MalformedXML"),
        ("PutBucketCors", cors("NOTREAL", "GET"), "InvalidRequest"),
        ("PutBucketCors", cors("GET", rules=101), "MalformedXML"),
        ("PutBucketLifecycleConfiguration", {}, "MissingRequestBodyError"),
        ("PutBucketLifecycleConfiguration", lifecycle(), "MalformedXML"),
        ("PutBucketLifecycleConfiguration", lifecycle(Prefix="", Filter={}), "MalformedXML"),
        ("PutBucketLifecycleConfiguration", lifecycle(Filter={"Prefix": "", "Tag": {}}), "MalformedXML"),
        (
            "PutBucketLifecycleConfiguration",
            lifecycle(Filter={}, NoncurrentVersionTransitions=[{"StorageClass": "GLACIER"}]),
            "MalformedXML",
        ),
        (
            "PutBucketLifecycleConfiguration",
            lifecycle(Filter={}, NoncurrentVersionTransitions=[{"NoncurrentDays": 3}]),
            "MalformedXML",
        ),
        ("PutBucketLogging", logging_to("nowhere"), "InvalidTargetBucketForLogging"),
        ("PutBucketLogging", logging_to("abroad"), "CrossLocationLoggingProhibited"),
        ("PutPublicAccessBlock", {"PublicAccessBlockConfiguration": {}}, "InvalidRequest"),
        ("PutBucketEncryption", {"ServerSideEncryptionConfiguration": {"Rules": []}}, "MalformedXML"),
        ("PutBucketOwnershipControls", OBJECT_WRITER, "NotImplemented"),
        ("PutBucketNotificationConfiguration", QUEUED, "NotImplemented"),
        ("PutBucketPolicy", {"Policy": "{}"}, "MalformedPolicy"),
        ("PutBucketPolicy", {"Policy": "[" * 100_000}, "MalformedPolicy"),
    ],
)
def test_configurations_are_checked(s3: Any, operation: str, value: dict[str, Any], code: str) -> None:
    s3.objects.buckets.create("abroad", "eu-west-1")
    assert refused(lambda: s3(operation, Bucket="box", **value))[0] == code


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("AllowedOrigins", "http://*.a.*", 'AllowedOrigin "http://*.a.*" can not have more than one wildcard.'),
        ("AllowedHeaders", "x-*-*", 'AllowedHeader "x-*-*" can not have more than one wildcard.'),
        (
            "ExposeHeaders", "x-amz-meta-*",
            'ExposeHeader "x-amz-meta-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
        ),
    ],
)  # fmt: skip
def test_wildcards_of_cors(s3: Any, member: str, value: str, text: str) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["http://*.a"], "AllowedHeaders": ["*"]}
    s3("PutBucketCors", Bucket="box", CORSConfiguration={"CORSRules": [rule]})
    wrong = {"CORSRules": [rule, {**rule, member: ["a", value]}]}
    code, _, message = refused(lambda: s3("PutBucketCors", Bucket="box", CORSConfiguration=wrong))[:3]
    assert (code, message) == ("InvalidRequest", text)


@pytest.mark.parametrize(
    ("here", "constraint", "expected"),
    [
        ("us-east-1", None, "us-east-1"),
        ("us-east-1", "eu-west-1", "eu-west-1"),
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "somewhere", "InvalidLocationConstraint"),
        ("us-east-1", "EU", "eu-west-1"),
        ("eu-west-1", "EU", "eu-west-1"),
        ("us-west-2", "us-west-2", "us-west-2"),
        ("us-west-2", None, "IllegalLocationConstraintException"),
        ("us-west-2", "us-east-1", "IllegalLocationConstraintException"),
        ("us-west-2", "eu-central-1", "IllegalLocationConstraintException"),
    ],
)
def test_buckets_are_made_where_the_signing_region_may(
    s3: Any, here: str, constraint: str | None, expected: str
) -> None:
    configuration = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    try:
        s3.in_region(here)("CreateBucket", Bucket="new", **configuration)
    except S3Error as error:
        assert error.code == expected
        text = f"The {constraint or 'unspecified'} location constraint is incompatible"
        assert error.message.startswith(text) == (expected == "IllegalLocationConstraintException")
    else:
        assert s3("HeadBucket", Bucket="new")["BucketRegion"] == expected


def test_ones_own_bucket_can_not_be_made_in_another_region(s3: Any) -> None:
    constraint = {"CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
    west = s3.in_region("us-west-2")
    assert refused(lambda: west("CreateBucket", Bucket="box", **constraint))[:2] == ("BucketAlreadyOwnedByYou", 409)
    s3("CreateBucket", Bucket="box")


@pytest.mark.parametrize("token", ["", "x", "é", "AAAA"])
def test_tokens_that_are_none(s3: Any, token: str) -> None:
    for operation in ("ListBuckets", "ListObjectsV2"):
        error = refused(lambda name=operation: s3(name, Bucket="box", ContinuationToken=token))
        assert error == ("InvalidArgument", 400, "The continuation token provided is incorrect")


def test_texts_that_no_header_can_hold(s3: Any) -> None:
    text = "Header value cannot be represented using ISO-8859-1."
    for given in ({"Metadata": {"a": "b\r\nc: d"}}, {"ContentType": "a\x00"}, {"CacheControl": "a\nb"}):
        assert refused(lambda more=given: s3.put("x", BODY, **more)) == ("InvalidArgument", 400, text)
    s3.put("x", BODY)
    for name in ("ContentType", "ContentDisposition"):
        error = refused(lambda member=name: s3.get("x", **{f"Response{member}": "a\r\nb: c"}))
        assert error == ("InvalidArgument", 400, text)
