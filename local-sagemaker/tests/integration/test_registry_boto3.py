"""The registry walk-through and the neighbours through unmodified boto3 and the SDK, against a real service."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://registry-walk/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def test_the_registry_walk_through(service: Service) -> None:
    sagemaker, s3 = service.client("sagemaker"), service.client("s3")
    s3.create_bucket(Bucket="registry-walk")
    s3.put_object(Bucket="registry-walk", Key="model.tar.gz", Body=b"archive")
    group = sagemaker.create_model_package_group(
        ModelPackageGroupName="xgboost-abalone-realtime", ModelPackageGroupDescription="real time"
    )["ModelPackageGroupArn"]
    sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelPackageDescription="first",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=SPECIFICATION,
    )
    arn = sagemaker.list_model_packages(ModelPackageGroupName="xgboost-abalone-realtime")["ModelPackageSummaryList"][0][
        "ModelPackageArn"
    ]
    assert sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"] == SPECIFICATION
    updated = sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    assert updated["ModelPackageArn"] == arn
    role = f"arn:aws:iam::{service.settings.account}:role/LocalSageMakerRole"
    sagemaker.create_model(ModelName="from-package", ExecutionRoleArn=role, Containers=[{"ModelPackageName": arn}])
    container = sagemaker.describe_model(ModelName="from-package")["Containers"][0]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, "s3://registry-walk/model.tar.gz")
    with pytest.raises(ClientError) as error:
        sagemaker.create_model(ModelName="From-Package", PrimaryContainer={"Image": IMAGE})
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert "Cannot create already existing model" in error.value.response["Error"]["Message"]


def test_what_was_acknowledged_survives_a_kill(own_service: Service) -> None:
    own_service.client("sagemaker").create_model_package_group(ModelPackageGroupName="g")
    iam = own_service.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    identity = iam.create_role(RoleName="mine", AssumeRolePolicyDocument=document)["Role"]["RoleId"]
    role = f"arn:aws:iam::{own_service.settings.account}:role/LocalSageMakerRole"
    keys = own_service.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    for _ in range(2):
        created = own_service.client("sagemaker").create_model_package(ModelPackageGroupName="g")
        own_service.client("sagemaker").delete_model_package(ModelPackageName=created["ModelPackageArn"])
    own_service.kill()
    own_service.up()
    assert own_service.client("iam").get_role(RoleName="mine")["Role"]["RoleId"] == identity
    version = own_service.client("sagemaker").create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    assert version.endswith("/3")
    signed = {"aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"]}
    assumed = own_service.client("sts", **signed, aws_session_token=keys["SessionToken"])
    assert assumed.get_caller_identity()["Arn"].endswith(":assumed-role/LocalSageMakerRole/me")
    own_service.reset()
    assert own_service.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert [one["RoleName"] for one in own_service.client("iam").list_roles()["Roles"]] == ["LocalSageMakerRole"]


def test_logs_are_read_and_deleted(service: Service) -> None:
    logs = service.client("logs")
    group = "/integration/logs"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="job/algo-1-1")
    now = time.time_ns() // 1_000_000
    events = [{"timestamp": now + number, "message": f"line\t{number}"} for number in range(25)]
    logs.put_log_events(logGroupName=group, logStreamName="job/algo-1-1", logEvents=events)
    stream: dict[str, Any] = {"logGroupName": group, "logStreamName": "job/algo-1-1"}
    got = until(lambda: logs.get_log_events(**stream, startFromHead=True)["events"], "the events can be read")
    assert [event["message"] for event in got] == [f"line#011{number}" for number in range(25)]
    assert [event["timestamp"] for event in got] == [event["timestamp"] for event in events]
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern='"#0111"', PaginationConfig={"PageSize": 4}
    )
    found = [event["message"] for page in pages for event in page["events"]]
    assert found == ["line#0111", *(f"line#011{number}" for number in range(10, 20))]
    logs.delete_log_stream(**stream)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    logs.delete_log_group(logGroupName=group)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName=group)


SDK = """
import os
os.environ["SAGEMAKER_VALIDATE_ROLE"] = "true"  # roles are taken as they are unless a user wants this
from sagemaker.core.helper.iam_role_resolver import RoleValidationError, resolve_and_validate_role
from sagemaker.core.helper.session_helper import Session, get_execution_role
session = Session()
print(get_execution_role())
print(resolve_and_validate_role(None, "training", session))
try:
    resolve_and_validate_role("weak-of-the-sdk", "training", session)
except RoleValidationError as error:
    print(error)
"""


def test_the_sdk_finds_and_checks_its_role(service: Service) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    service.client("iam").create_role(
        RoleName="weak-of-the-sdk",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    role = f"arn:aws:iam::{service.settings.account}:role/LocalSageMakerRole"
    lines = service.run(sys.executable, "-c", SDK).stdout.splitlines()
    start = lines.index(role)
    assert lines[start : start + 2] == [role, role]
    assert "cannot be used for 'training' workloads" in lines[start + 2]
    assert "ecr:GetAuthorizationToken" in lines[start + 3]
