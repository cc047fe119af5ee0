"""Buckets and what is kept of them."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from local_sagemaker.objects.errors import S3Error
from local_sagemaker.services.s3.configurations import CONFIGURATIONS


def refused(call: Any) -> tuple[str, int, str]:
    with pytest.raises(S3Error) as raised:
        call()
    return raised.value.code, raised.value.status, raised.value.message


def test_every_operation_is_one_of_s3_and_listed_once(s3: Any) -> None:
    model = botocore.session.get_session().get_service_model("s3")
    names = {name.removeprefix("s3:") for name in s3.table}
    assert names <= set(model.operation_names)
    assert {"PutObject", "GetObject", "ListObjectsV2", "CompleteMultipartUpload", "GetBucketPolicy"} <= names


def test_create_is_idempotent_only_in_us_east_1(s3: Any, s3_in: Any) -> None:
    s3.put("x")
    assert s3("CreateBucket", Bucket="box")["Location"] == "/box"
    assert s3.keys() == ["x"]
    west = s3_in("us-west-2")
    configuration = {"LocationConstraint": "us-west-2"}
    west("CreateBucket", Bucket="far", CreateBucketConfiguration=configuration)
    assert west("GetBucketLocation", Bucket="far") == {"LocationConstraint": "us-west-2"}
    again = refused(lambda: west("CreateBucket", Bucket="far", CreateBucketConfiguration=configuration))
    assert again[:2] == ("BucketAlreadyOwnedByYou", 409)
    assert refused(lambda: west("CreateBucket", Bucket="new"))[0] == "IllegalLocationConstraintException"


def test_location_of_us_east_1_is_empty_and_may_not_be_asked_for(s3: Any) -> None:
    assert s3("GetBucketLocation", Bucket="box") == {}
    asked = {"LocationConstraint": "us-east-1"}
    code, status, _ = refused(lambda: s3("CreateBucket", Bucket="new", CreateBucketConfiguration=asked))
    assert (code, status) == ("InvalidLocationConstraint", 400)


def test_a_missing_bucket_has_the_exact_error(s3: Any) -> None:
    for operation in ("HeadBucket", "ListObjectsV2", "GetBucketTagging", "DeleteBucket", "GetBucketVersioning"):
        error = ("NoSuchBucket", 404, "The specified bucket does not exist")
        assert refused(lambda operation=operation: s3(operation, Bucket="nowhere")) == error


def test_names_and_full_buckets(s3: Any) -> None:
    assert refused(lambda: s3("CreateBucket", Bucket="No_Good"))[:2] == ("InvalidBucketName", 400)
    s3.put("x")
    assert refused(lambda: s3("DeleteBucket", Bucket="box"))[:2] == ("BucketNotEmpty", 409)
    s3("DeleteObject", Bucket="box", Key="x")
    assert s3("DeleteBucket", Bucket="box") == {}


@pytest.mark.parametrize("operation", ["HeadBucket", "ListObjects", "GetBucketAcl", "GetBucketPolicy"])
def test_another_expected_owner_is_denied(s3: Any, operation: str) -> None:
    error = refused(lambda: s3(operation, Bucket="box", ExpectedBucketOwner="999999999999"))
    assert error == ("AccessDenied", 403, "Access Denied")


def test_the_right_expected_owner_passes(s3: Any) -> None:
    assert s3("HeadBucket", Bucket="box", ExpectedBucketOwner="123456789012")["BucketRegion"] == "us-east-1"


def test_buckets_are_listed_with_dates_in_pages(s3: Any) -> None:
    for name in ("pre-a", "pre-b", "zoo"):
        s3("CreateBucket", Bucket=name)
    everything = s3("ListBuckets")
    assert [entry["Name"] for entry in everything["Buckets"]] == ["box", "pre-a", "pre-b", "zoo"]
    assert all(entry["CreationDate"] > 1e9 for entry in everything["Buckets"])
    assert "ContinuationToken" not in everything
    first = s3("ListBuckets", Prefix="pre-", MaxBuckets=1)
    second = s3("ListBuckets", Prefix="pre-", MaxBuckets=1, ContinuationToken=first["ContinuationToken"])
    assert [page["Buckets"][0]["Name"] for page in (first, second)] == ["pre-a", "pre-b"]
    assert "ContinuationToken" not in second


def test_versioning_states(s3: Any) -> None:
    assert s3("GetBucketVersioning", Bucket="box") == {}
    for state in ("Enabled", "Suspended"):
        s3("PutBucketVersioning", Bucket="box", VersioningConfiguration={"Status": state})
        assert s3("GetBucketVersioning", Bucket="box") == {"Status": state}
    code, status, _ = refused(lambda: s3("PutBucketVersioning", Bucket="box", VersioningConfiguration={}))
    assert (code, status) == ("IllegalVersioningConfigurationException", 400)


VALUES: dict[str, Any] = {
    "BucketTagging": {"TagSet": [{"Key": "a", "Value": "b"}]},
    "BucketPolicy": '{"Version": "2012-10-17", "Statement": []}',
    "BucketEncryption": {
        "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}],
    },
    "PublicAccessBlock": {
        "BlockPublicAcls": False, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False,
    },
    "BucketCors": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
    "BucketLifecycleConfiguration": {
        "Rules": [{"ID": "old", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 3}}],
    },
    "BucketOwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "BucketNotificationConfiguration": {},
    "BucketLogging": {"LoggingEnabled": {"TargetBucket": "box", "TargetPrefix": ""}},
    "BucketRequestPayment": {"Payer": "Requester"},
    "BucketAccelerateConfiguration": {"Status": "Suspended"},
}  # fmt: skip


@pytest.mark.parametrize("configuration", CONFIGURATIONS, ids=lambda configuration: configuration.name)
def test_a_configuration_is_given_back_as_it_was_put(s3: Any, configuration: Any) -> None:
    s3.objects.buckets.keep_setting("box", configuration.name, None)
    name = configuration.name

    def unset() -> None:
        if configuration.default is None:
            assert refused(lambda: s3(f"Get{name}", Bucket="box")) == (
                configuration.missing[0],
                404,
                configuration.missing[1],
            )
        else:
            assert s3(f"Get{name}", Bucket="box") == configuration.default

    unset()
    if not configuration.put:
        assert f"s3:Put{name}" not in s3.table
        return
    value = VALUES[name]
    s3(configuration.put, Bucket="box", **{configuration.member: value})
    assert s3(f"Get{name}", Bucket="box") == ({configuration.shown: value} if configuration.shown else value)
    if configuration.delete:
        s3(configuration.delete, Bucket="box")
        unset()


def test_a_new_bucket_blocks_public_access(s3: Any) -> None:
    block = s3("GetPublicAccessBlock", Bucket="box")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


@pytest.mark.parametrize("policy", ["no json", "[]"])
def test_a_policy_must_be_an_object(s3: Any, policy: str) -> None:
    assert refused(lambda: s3("PutBucketPolicy", Bucket="box", Policy=policy))[:2] == ("MalformedPolicy", 400)


def test_acls_are_disabled(s3: Any) -> None:
    s3.put("x")
    acl = s3("GetBucketAcl", Bucket="box")
    assert acl["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert s3("GetObjectAcl", Bucket="box", Key="x") == acl
    assert s3("PutBucketAcl", Bucket="box", ACL="private") == {}
    assert refused(lambda: s3("PutObjectAcl", Bucket="box", Key="x", ACL="public-read"))[0] == (
        "AccessControlListNotSupported"
    )
