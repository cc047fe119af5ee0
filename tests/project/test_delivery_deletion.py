"""Deletions as data: how a plan reads, how it is divided into requests, and that it may be carried out twice."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from delivery.deletion import Deletion, send
from delivery.owned_resources import plan_objects
from delivery.project.deletion import Planner, carry_out
from delivery.project.names import Project
from tests.support import Service


def test_a_request_is_shown_by_its_names() -> None:
    assert str(Deletion("sagemaker", "delete_model", {"ModelName": "m"})) == "sagemaker delete_model ModelName=m"
    assert str(Deletion("s3", "delete_bucket", {"Bucket": "b"}, text="delete the bucket b")) == "delete the bucket b"
    assert len(str(Deletion("s3", "delete_objects", {"Delete": ["key"] * 1000}))) < 120


def test_equal_requests_are_equal_plans() -> None:
    assert Deletion("s3", "delete_bucket", {"Bucket": "b"}, text="so") == Deletion(
        "s3", "delete_bucket", {"Bucket": "b"}
    )
    assert Deletion("s3", "delete_bucket", {"Bucket": "b"}) != Deletion("s3", "delete_bucket", {"Bucket": "c"})


def test_objects_are_deleted_by_a_thousand() -> None:
    plan = list(plan_objects("b", [f"k{number}" for number in range(2001)]))
    assert [len(deletion.request["Delete"]["Objects"]) for deletion in plan] == [1000, 1000, 1]
    assert plan[-1].request["Delete"]["Objects"] == [{"Key": "k2000"}]
    assert {deletion.request["Bucket"] for deletion in plan} == {"b"}


@pytest.mark.parametrize(
    ("service_name", "operation", "request_"),
    [
        ("sagemaker", "delete_model", {"ModelName": "deletion-absent"}),
        ("sagemaker", "delete_model_package_group", {"ModelPackageGroupName": "deletion-absent"}),
        ("logs", "delete_log_group", {"logGroupName": "deletion-absent"}),
        ("iam", "delete_role", {"RoleName": "deletion-absent"}),
        ("lambda", "delete_function", {"FunctionName": "deletion-absent"}),
        ("apigateway", "delete_rest_api", {"restApiId": "absent0000"}),
        ("s3", "delete_bucket", {"Bucket": "deletion-absent"}),
    ],
)
def test_what_no_longer_exists_is_deleted(
    local_sagemaker: Service, service_name: str, operation: str, request_: dict[str, str]
) -> None:
    send(boto3.client, Deletion(service_name, operation, request_))


def test_other_errors_are_raised(local_sagemaker: Service) -> None:
    local_sagemaker.client("s3").create_bucket(Bucket="deletion-full")
    local_sagemaker.client("s3").put_object(Bucket="deletion-full", Key="k", Body=b"1")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        send(boto3.client, Deletion("s3", "delete_bucket", {"Bucket": "deletion-full"}))


def test_a_bucket_is_emptied_again_when_something_was_written_late(local_sagemaker: Service) -> None:
    """Captured requests and logs of builds arrive after the plan was made (seen in the tour)."""
    s3, bucket = local_sagemaker.client("s3"), "deletion-late"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="captured/late.jsonl", Body=b"{}")
    carry_out(
        Planner("us-east-1", Project("late", "p-late"), "uploads"), Deletion("s3", "delete_bucket", {"Bucket": bucket})
    )
    assert bucket not in [row["Name"] for row in s3.list_buckets()["Buckets"]]
