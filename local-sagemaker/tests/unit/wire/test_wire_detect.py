"""Which S3 operation a request is, and buckets in host names."""

from __future__ import annotations

import pytest

from local_sagemaker.errors import NotSupported
from local_sagemaker.wire import detect
from local_sagemaker.wire.body import Body, source_of
from local_sagemaker.wire.request import WireRequest


def request(method: str, url: str, host: str = "127.0.0.1:5000", **headers: str) -> WireRequest:
    path, _, query = url.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireRequest(method, path, query, {"host": host, **named}, Body(source_of(b"")))


@pytest.mark.parametrize(
    ("method", "url", "operation"),
    [
        ("GET", "/", "ListBuckets"),
        ("GET", "/b", "ListObjects"),
        ("GET", "/b/", "ListObjects"),
        ("GET", "/b?prefix=x&delimiter=/", "ListObjects"),
        ("GET", "/b?list-type=2", "ListObjectsV2"),
        ("GET", "/b?list-type=1", "ListObjects"),
        ("GET", "/b?versions", "ListObjectVersions"),
        ("GET", "/b?versioning", "GetBucketVersioning"),
        ("GET", "/b?uploads=", "ListMultipartUploads"),
        ("GET", "/b?tagging", "GetBucketTagging"),
        ("GET", "/b?lifecycle", "GetBucketLifecycleConfiguration"),
        ("GET", "/b?analytics", "ListBucketAnalyticsConfigurations"),
        ("GET", "/b?analytics&id=1", "GetBucketAnalyticsConfiguration"),
        ("HEAD", "/b", "HeadBucket"),
        ("HEAD", "/b/k", "HeadObject"),
        ("PUT", "/b", "CreateBucket"),
        ("PUT", "/b/?versioning", "PutBucketVersioning"),
        ("POST", "/b?delete", "DeleteObjects"),
        ("GET", "/b/k", "GetObject"),
        ("GET", "/b/k?versionId=1&partNumber=2&x-id=GetObject", "GetObject"),
        ("GET", "/b/k?tagging", "GetObjectTagging"),
        ("GET", "/b/k?attributes", "GetObjectAttributes"),
        ("GET", "/b/k?uploadId=u", "ListParts"),
        ("PUT", "/b/k", "PutObject"),
        ("PUT", "/b/k?tagging", "PutObjectTagging"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload"),
        ("DELETE", "/b/k?versionId=1", "DeleteObject"),
        ("DELETE", "/b", "DeleteBucket"),
    ],
)
def test_operations_of_s3(method: str, url: str, operation: str) -> None:
    assert detect.find("s3", request(method, url)).operation.name == operation


def test_copies_are_told_by_a_header() -> None:
    copied = request("PUT", "/b/k", x_amz_copy_source="/a/k")
    assert detect.find("s3", copied).operation.name == "CopyObject"
    part = request("PUT", "/b/k?partNumber=1&uploadId=u", x_amz_copy_source="/a/k")
    assert detect.find("s3", part).operation.name == "UploadPartCopy"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("/b//k", "/k"),
        ("/b/k/", "k/"),
        ("/b/a%2Fb%20c+d", "a/b c+d"),
        ("/b/../x", "../x"),
        ("/b/%E4%B8%AD%0A", "中\n"),
        ("/b/%FF", "\udcff"),  # not UTF-8: the store refuses it
        ("/b/a?b".replace("?", "%3F"), "a?b"),
    ],
)
def test_keys_are_taken_as_they_are(url: str, key: str) -> None:
    assert detect.find("s3", request("GET", url)).labels == {"Bucket": "b", "Key": key}


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("127.0.0.1:5000", None),
        ("localhost", None),
        ("s3.amazonaws.com", None),
        ("s3.us-east-1.amazonaws.com", None),
        ("s3-eu-west-1.amazonaws.com", None),
        ("data.s3.amazonaws.com", "data"),
        ("my.data.s3.us-east-1.amazonaws.com", "my.data"),
        ("data.s3.dualstack.us-east-1.amazonaws.com", "data"),
        ("data.s3.cn-north-1.amazonaws.com.cn", "data"),
        ("data.localhost:5000", "data"),
        ("my.data.localhost", "my.data"),
    ],
)
def test_buckets_of_hosts(host: str, bucket: str | None) -> None:
    found = detect.find("s3", request("GET", "/x", host))
    assert found.labels == ({"Bucket": bucket, "Key": "x"} if bucket else {"Bucket": "x"})


def test_what_no_model_has_is_named() -> None:
    with pytest.raises(NotSupported, match=r"SageMaker\.MakeCoffee"):
        detect.find("sagemaker", request("POST", "/", x_amz_target="SageMaker.MakeCoffee"))
    with pytest.raises(NotSupported, match="PATCH /b"):
        detect.find("s3", request("PATCH", "/b"))


def test_path_variables_of_the_runtime() -> None:
    found = detect.find("sagemaker", request("POST", "/endpoints/my%20e/invocations"))
    assert (found.name, found.labels) == ("sagemaker-runtime:InvokeEndpoint", {"EndpointName": "my e"})
