"""Presigned links of signature version 2, used without a client."""

from __future__ import annotations

import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest

from tests.support import Service


@pytest.fixture
def s3(service: Service) -> Any:
    return service.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of this test's own."""
    name = f"boto-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def test_presigned_links_of_version_2_keep_what_they_were_signed_for(s3: Any, bucket: str) -> None:
    """boto3 puts headers into the query of such a link; the type of the body is a header that must be sent."""
    given = {"Bucket": bucket, "Key": "k", "ContentType": "app/sth", "Metadata": {"by": "me"}, "Tagging": "a=1"}
    link = s3.generate_presigned_url("put_object", Params={**given, "StorageClass": "GLACIER_IR"})
    assert "Signature=" in link
    assert "X-Amz-Signature" not in link

    def put(**headers: str) -> int:
        request = urllib.request.Request(
            link, b"1,2", {name.replace("_", "-"): v for name, v in headers.items()}, method="PUT"
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                assert b"<Code>SignatureDoesNotMatch</Code>" in error.read()
                return error.code

    assert put(Content_Type="text/html") == 403
    assert put(Content_Type="app/sth") == 200
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["Metadata"], head["StorageClass"]) == ("app/sth", {"by": "me"}, "GLACIER_IR")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}]


def test_presigned_links_of_version_2_reach_buckets_and_parts(s3: Any, bucket: str) -> None:
    """Of a bucket itself, botocore signs the path with a slash that the link does not have."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")

    def ask(operation: str, method: str = "GET", **members: Any) -> tuple[int, bytes]:
        link = s3.generate_presigned_url(operation, Params={"Bucket": bucket, **members})
        assert "AWSAccessKeyId=" in link
        body = b"x" if method == "PUT" else None
        try:
            with urllib.request.urlopen(urllib.request.Request(link, body, method=method), timeout=20) as response:
                return int(response.status), response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    status, listed = ask("list_objects_v2", Prefix="k")
    assert status == 200
    assert b"<Key>k</Key>" in listed
    assert ask("head_bucket", "HEAD")[0] == 200
    fields = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert (fields["content-type"], fields["x-amz-bucket-region"]) == ("application/xml", "us-east-1")
    assert ask("get_bucket_location")[0] == 200
    # urllib sends a form's Content-Type, which was not signed: S3's error, not that of a form's service
    status, refused = ask("upload_part", "PUT", Key="k", UploadId="none", PartNumber=1)
    assert (status, b"<Error><Code>SignatureDoesNotMatch" in refused) == (403, True)
