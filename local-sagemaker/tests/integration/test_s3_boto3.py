"""S3 as an unmodified boto3 sees it, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import os
import threading
import urllib.error
import urllib.request
import uuid
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support import Service

MIB = 1 << 20
PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)


@pytest.fixture
def s3(service: Service) -> Any:
    return service.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test's own."""
    name = f"boto-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def code_of(call: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def test_files_go_up_and_down_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(13 * MIB + 17))
    extra = {"ContentType": "application/x-thing", "Metadata": {"by": "me"}}
    s3.upload_file(str(source), bucket, "big/file.bin", Config=PARTS, ExtraArgs=extra)
    head = s3.head_object(Bucket=bucket, Key="big/file.bin")
    assert head["ETag"].endswith('-3"')
    assert (head["ContentType"], head["Metadata"]) == ("application/x-thing", {"by": "me"})
    s3.download_file(bucket, "big/file.bin", str(target), Config=PARTS)
    assert target.read_bytes() == source.read_bytes()
    s3.copy({"Bucket": bucket, "Key": "big/file.bin"}, bucket, "big/copy.bin", Config=PARTS)
    assert s3.get_object(Bucket=bucket, Key="big/copy.bin")["Body"].read() == source.read_bytes()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_hold_from_end_to_end(s3: Any, bucket: str, algorithm: str) -> None:
    data = os.urandom(6 * MIB)
    put = s3.put_object(Bucket=bucket, Key="x", Body=data[:1000], ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="x", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == data[:1000]
    s3.upload_fileobj(io.BytesIO(data), bucket, "y", Config=PARTS, ExtraArgs={"ChecksumAlgorithm": algorithm})
    got = s3.get_object(Bucket=bucket, Key="y", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"].endswith("-2")
    assert got["Body"].read() == data


@pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT")])
def test_an_upload_is_completed_with_the_checksum_of_its_object(
    s3: Any, bucket: str, algorithm: str, kind: str
) -> None:
    name, more = f"Checksum{algorithm}", {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    pieces, place = (os.urandom(5 * MIB), b"end"), {"Bucket": bucket, "Key": "completed"}
    place["UploadId"] = s3.create_multipart_upload(**place, **more)["UploadId"]
    parts = []
    for number, piece in enumerate(pieces, 1):
        part = s3.upload_part(**place, PartNumber=number, Body=piece, ChecksumAlgorithm=algorithm)
        parts.append({"PartNumber": number, "ETag": part["ETag"], name: part[name]})
    if kind == "COMPOSITE":
        digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
        value = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
    else:
        value = base64.b64encode(zlib.crc32(b"".join(pieces)).to_bytes(4, "big")).decode()
    order = {**place, "MultipartUpload": {"Parts": parts}, "ChecksumType": kind}
    with pytest.raises(ClientError, match="BadDigest"):
        s3.complete_multipart_upload(**order, **{name: "A" + value[1:] if value[0] != "A" else "B" + value[1:]})
    done = s3.complete_multipart_upload(**order, **{name: value})
    assert (done[name], done["ChecksumType"]) == (value, kind)


def test_a_body_without_a_known_length(s3: Any, bucket: str) -> None:
    data = os.urandom(3 * MIB)
    s3.put_object(Bucket=bucket, Key="stream", Body=io.BufferedReader(io.BytesIO(data)))  # type: ignore[arg-type]
    assert s3.get_object(Bucket=bucket, Key="stream")["Body"].read() == data


@pytest.mark.parametrize(
    "key", ["a/b", "a b+c%20d", "é/ü ✓", "two//slashes", "/leading", "trailing/", "a/../b", "x" * 300, "q?k=v&w#h", "."]
)  # fmt: skip
def test_any_key_makes_the_round_trip(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert copied["CopyObjectResult"]["ETag"] == s3.head_object(Bucket=bucket, Key=key)["ETag"]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": "copy"}]})["Deleted"]
    assert sorted(entry["Key"] for entry in deleted) == sorted([key, "copy"])
    s3.delete_bucket(Bucket=bucket)


def test_the_errors_that_clients_match(s3: Any, bucket: str) -> None:
    missing = ("NoSuchKey", 404, "The specified key does not exist.")
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="no")) == missing
    assert code_of(lambda: s3.head_object(Bucket=bucket, Key="no")) == ("404", 404, "Not Found")
    assert code_of(lambda: s3.head_bucket(Bucket="nowhere-at-all")) == ("404", 404, "Not Found")
    assert code_of(lambda: s3.list_objects_v2(Bucket="nowhere-at-all")) == (
        "NoSuchBucket", 404, "The specified bucket does not exist",
    )  # fmt: skip
    assert code_of(lambda: s3.create_bucket(Bucket="Not_Valid"))[:2] == ("InvalidBucketName", 400)
    s3.put_object(Bucket=bucket, Key="x", Body=b"0123456789")
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="x", Range="bytes=99-"))[:2] == ("InvalidRange", 416)
    assert code_of(lambda: s3.delete_bucket(Bucket=bucket))[:2] == ("BucketNotEmpty", 409)
    owner = "999999999999"
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="x", ExpectedBucketOwner=owner))[:2] == (
        "AccessDenied",
        403,
    )
    with pytest.raises(s3.exceptions.NoSuchKey) as raised:
        s3.get_object(Bucket=bucket, Key="no")
    assert raised.value.response["Error"]["Key"] == "no"


def test_ranges_and_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="x", Body=b"0123456789")["ETag"]
    part = s3.get_object(Bucket=bucket, Key="x", Range="bytes=2-4")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (part["Body"].read(), part["ContentRange"], part["ContentLength"]) == (b"234", "bytes 2-4/10", 3)
    assert s3.head_object(Bucket=bucket, Key="x", Range="bytes=-3")["ContentLength"] == 3
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="x", IfNoneMatch=etag))[:2] == ("304", 304)
    modified = s3.head_object(Bucket=bucket, Key="x")["LastModified"]
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="x", IfModifiedSince=modified))[1] == 304
    assert code_of(lambda: s3.get_object(Bucket=bucket, Key="x", IfMatch='"other"'))[:2] == ("PreconditionFailed", 412)
    assert code_of(lambda: s3.put_object(Bucket=bucket, Key="x", Body=b"", IfNoneMatch="*"))[0] == "PreconditionFailed"
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (listed["LastModified"], listed["ETag"]) == (modified, etag)


def test_headers_tags_and_overrides(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket, Key="x", Body=b"1", ContentType="text/csv", CacheControl="max-age=3", ContentLanguage="de",
        ContentEncoding="identity", ContentDisposition="inline", Tagging="a=1&b=2", StorageClass="STANDARD_IA",
        Metadata={"Some-Name": "value"},
    )  # fmt: skip
    got = s3.get_object(Bucket=bucket, Key="x", ResponseContentType="text/plain")
    assert (got["ContentType"], got["CacheControl"], got["ContentLanguage"]) == ("text/plain", "max-age=3", "de")
    assert (got["ContentEncoding"], got["ContentDisposition"], got["TagCount"]) == ("identity", "inline", 2)
    assert (got["StorageClass"], got["Metadata"]) == ("STANDARD_IA", {"some-name": "value"})
    assert s3.get_object_tagging(Bucket=bucket, Key="x")["TagSet"] == [
        {"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"},
    ]  # fmt: skip
    s3.put_object_tagging(Bucket=bucket, Key="x", Tagging={"TagSet": [{"Key": "c", "Value": "3"}]})
    assert s3.head_object(Bucket=bucket, Key="x")["TagCount"] == 1
    attributes = s3.get_object_attributes(Bucket=bucket, Key="x", ObjectAttributes=["ETag", "ObjectSize"])
    assert (attributes["ObjectSize"], attributes["ETag"]) == (1, got["ETag"].strip('"'))


def test_paginators(s3: Any, bucket: str) -> None:
    keys = [f"{folder}/{number}" for folder in "abc" for number in range(7)] + ["top"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key)
    for operation in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
        assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
        pages = s3.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2})
        shown = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
        assert shown == ["a/", "b/", "c/"]
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
    assert [entry["Key"] for page in pages for entry in page["Versions"]] == keys


def test_versions(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="x", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="x", Body=b"2")
    marker = s3.delete_object(Bucket=bucket, Key="x")
    assert marker["DeleteMarker"] is True
    with pytest.raises(ClientError) as raised:
        s3.get_object(Bucket=bucket, Key="x")
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    assert s3.get_object(Bucket=bucket, Key="x", VersionId=first)["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="x", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == b"2"


def test_configurations_of_a_bucket(s3: Any, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    policy = '{"Version": "2012-10-17", "Statement": []}'
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    cors = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == cors
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert code_of(lambda: s3.get_bucket_website(Bucket=bucket))[:2] == ("NoSuchWebsiteConfiguration", 404)


def test_the_resource_interface_of_the_sagemaker_sdk(s3: Any, service: Service, bucket: str) -> None:
    client = s3.meta.client if hasattr(s3.meta, "client") else s3
    keys = client._request_signer._credentials
    resource = boto3.resource(
        "s3", endpoint_url=service.url, region_name="us-east-1",
        aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
    )  # fmt: skip
    assert resource.Bucket(bucket).creation_date is not None
    assert resource.Bucket("nowhere-at-all").creation_date is None
    resource.Object(bucket, "x").put(Body=b"1")
    assert [item.key for item in resource.Bucket(bucket).objects.filter(Prefix="x")] == ["x"]
    resource.Bucket(bucket).objects.all().delete()
    resource.Bucket(bucket).delete()


def fetch(url: str, **options: Any) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_presigned_urls_need_no_client(service: Service, bucket: str, signature: str) -> None:
    s3 = service.client("s3", config=Config(signature_version=signature))
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b/ü"}, ExpiresIn=60)
    assert fetch(put, data=b"by hand", method="PUT", headers={"Content-Type": ""})[0] == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b/ü"}, ExpiresIn=60)
    assert fetch(get) == (200, b"by hand")
    status, body = fetch(get.replace("Signature=", "Signature=0"))
    assert status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in body
    assert fetch(get.partition("?")[0])[0] == 403


def test_virtual_host_addressing(service: Service, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"virtual")
    keys = s3._request_signer._credentials
    virtual = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )  # fmt: skip
    url = urlsplit(virtual.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a/b"}))
    assert url.netloc.startswith(f"{bucket}.s3")
    address = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    connection.request("GET", f"{url.path}?{url.query}", headers={"Host": url.netloc})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"virtual")
    connection.close()


def test_a_replaced_object_does_not_mix_with_a_download(s3: Any, bucket: str) -> None:
    first, second = os.urandom(8 * MIB), os.urandom(9 * MIB)
    s3.put_object(Bucket=bucket, Key="x", Body=first)
    body = s3.get_object(Bucket=bucket, Key="x")["Body"]
    begin = body.read(MIB)
    s3.put_object(Bucket=bucket, Key="x", Body=second)
    assert begin + body.read() == first
    assert s3.get_object(Bucket=bucket, Key="x")["Body"].read() == second


def test_many_clients_at_once(service: Service, bucket: str) -> None:
    problems: list[BaseException] = []

    def work(worker: int) -> None:
        client = service.client("s3")
        try:
            for number in range(20):
                data = f"{worker}:{number}".encode() * 500
                client.put_object(Bucket=bucket, Key=f"{worker}/{number}", Body=data)
                assert client.get_object(Bucket=bucket, Key=f"{worker}/{number}")["Body"].read() == data
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert service.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 120


def test_checksums_are_asked_for_in_any_case(s3: Any, bucket: str) -> None:
    """As pyarrow, Spark and the Java SDK do."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.meta.events.register("before-call.s3.HeadObject", lambda params, **_: params["headers"].update(LOWER))
    assert s3.head_object(Bucket=bucket, Key="k")["ChecksumCRC32"]


LOWER = {"x-amz-checksum-mode": "enabled"}


def test_pages_and_parts_out_of_range_are_refused_in_s3s_words(s3: Any, bucket: str) -> None:
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    for member, name in (("MaxParts", "max-parts"), ("PartNumberMarker", "part-number-marker")):
        low = code_of(lambda m=member: s3.list_parts(**upload, **{m: -42}))
        assert low == ("InvalidArgument", 400, f"Argument {name} must be an integer between 0 and 2147483647")
        high = code_of(lambda m=member: s3.list_parts(**upload, **{m: 2**31 + 41}))
        assert high == ("InvalidArgument", 400, f"Provided {name} not an integer or within integer range")


def test_regions_of_clients(service: Service, bucket: str) -> None:
    west = service.client("s3", region_name="us-west-2")
    name = f"boto-{uuid.uuid4().hex[:12]}"
    for constraint in ("us-east-1", "us-gov-east-2"):
        configuration = {"LocationConstraint": constraint}
        refused = code_of(lambda c=configuration: west.create_bucket(Bucket=name, CreateBucketConfiguration=c))
        assert refused[0] == "IllegalLocationConstraintException"
        assert refused[2].startswith(f"The {constraint} location constraint is incompatible for the region specific")
    west.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert west.head_bucket(Bucket=name)["BucketRegion"] == "us-west-2"
    east = service.client("s3")
    odd = {"LocationConstraint": "us-east-1"}
    assert code_of(lambda: east.create_bucket(Bucket="new-one", CreateBucketConfiguration=odd)) == (
        "InvalidLocationConstraint", 400, "The specified location-constraint is not valid",
    )  # fmt: skip


def test_files_copied_into_the_state_folder_are_imported(own_service: Service) -> None:
    s3 = own_service.client("s3")
    folder = own_service.home / "objects/dropped-here/data"
    folder.mkdir(parents=True)
    (folder / "churn.csv").write_bytes(b"1,2")
    printed = own_service.run("local-sagemaker", "--home", str(own_service.home), "import").stdout
    assert printed == "s3://dropped-here: 1 new object\n"
    listed = s3.list_objects_v2(Bucket="dropped-here", Prefix="data/")["Contents"]
    assert [entry["Key"] for entry in listed] == ["data/churn.csv"]
    again = own_service.run("local-sagemaker", "--home", str(own_service.home), "import").stdout
    assert again.startswith("Nothing new in ")
