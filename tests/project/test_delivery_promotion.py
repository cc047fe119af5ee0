"""``model-registry copy``: a version with its files in another region, by a role as for another account."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from delivery.promotion import SOURCE, replace_uris
from tests.project.delivering import register, registry, upload
from tests.support import XGBOOST, Service, read_json

NAME, REGION = "promoted", "eu-west-1"


@pytest.fixture(scope="module")
def version(service: Service) -> str:
    """The ARN of a version with a baseline and a commit."""
    uri = upload(service, f"{NAME}-source")
    service.client("s3").put_object(Bucket=f"{NAME}-source", Key="a/constraints.json", Body=b'{"features": []}')
    source = {"ContentType": "application/json", "S3Uri": f"s3://{NAME}-source/a/constraints.json"}
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=NAME)
    return register(
        service, NAME, uri, ModelApprovalStatus="Approved", MetadataProperties={"CommitId": "1a2b3c4d5e6f"},
        AdditionalInferenceSpecifications=[{"Name": "again", "Containers": [{"Image": XGBOOST, "ModelDataUrl": uri}]}],
        DriftCheckBaselines={"ModelDataQuality": {"Constraints": source}},
    )  # fmt: skip


@pytest.fixture(scope="module")
def role(service: Service) -> str:
    principal = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    role = service.client("iam").create_role(RoleName="promotion-target", AssumeRolePolicyDocument=document)
    return str(role["Role"]["Arn"])


def elsewhere(service: Service, name: str) -> Any:
    """A client of the other region."""
    environment = service.environment()
    make: Any = boto3.client
    return make(
        name, region_name=REGION, endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip


def test_a_copy_has_files_of_its_own_and_waits_for_its_own_approval(service: Service, version: str, role: str) -> None:
    words = ("copy", f"{NAME}/1", "promoted-production", "--to-region", REGION, "--to-role-arn", role)
    bucket = ("--to-bucket", f"{NAME}-target")
    said = registry(service, *words, *bucket)
    assert said.startswith(
        f"copied: {NAME}/1 is promoted-production/1 (PendingManualApproval) arn:aws:sagemaker:{REGION}"
    )
    sagemaker, s3 = elsewhere(service, "sagemaker"), elsewhere(service, "s3")
    (copy,) = sagemaker.list_model_packages(ModelPackageGroupName="promoted-production")["ModelPackageSummaryList"]
    described = sagemaker.describe_model_package(ModelPackageName=copy["ModelPackageArn"])
    assert described["CustomerMetadataProperties"][SOURCE] == version
    assert described["MetadataProperties"]["CommitId"] == "1a2b3c4d5e6f"
    (container,) = described["InferenceSpecification"]["Containers"]
    assert f".ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.0-5" in container["Image"]
    assert container["ModelDataUrl"].startswith(f"s3://{NAME}-target/")
    (other,) = described["AdditionalInferenceSpecifications"][0]["Containers"]
    assert (other["Image"], other["ModelDataUrl"]) == (container["Image"], container["ModelDataUrl"])
    baseline = described["DriftCheckBaselines"]["ModelDataQuality"]["Constraints"]["S3Uri"]
    service.client("s3").delete_object(Bucket=f"{NAME}-source", Key="a/constraints.json")  # the source may end
    assert read_json(s3, baseline) == {"features": []}
    target, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    original = service.client("s3").get_object(Bucket=f"{NAME}-source", Key="model.tar.gz")["Body"].read()
    assert s3.get_object(Bucket=target, Key=key)["Body"].read() == original
    assert registry(service, *words, *bucket).startswith(f"already copied: {NAME}/1 is promoted-production/1")


def test_a_file_that_no_longer_exists_is_named_and_nothing_is_registered(service: Service, version: str) -> None:
    uri = upload(service, f"{NAME}-gone", "gone.tar.gz")
    register(service, f"{NAME}", uri)
    service.client("s3").delete_object(Bucket=f"{NAME}-gone", Key="gone.tar.gz")
    said = registry(service, "copy", f"{NAME}/2", "promoted-nothing", fails=1)
    assert f"the version's file {uri} no longer exists" in said
    groups = service.client("sagemaker").list_model_package_groups(NameContains="promoted-nothing")
    assert groups["ModelPackageGroupSummaryList"] == []


def test_only_uris_of_objects_are_replaced() -> None:
    given = {
        "S3Uri": "s3://a/b",
        "ManifestS3Uri": "s3://a/m",
        "Containers": [{"ModelDataUrl": "s3://a/c", "Environment": {"X": "s3://a/d"}}],
    }
    assert replace_uris(given, str.upper) == {
        "S3Uri": "S3://A/B",
        "ManifestS3Uri": "S3://A/M",
        "Containers": [{"ModelDataUrl": "S3://A/C", "Environment": {"X": "s3://a/d"}}],
    }
