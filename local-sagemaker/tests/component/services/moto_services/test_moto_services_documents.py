"""Documents that no service reads: refused in the service's words, and nothing is left that others can't read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.component.services.moto_services.bridge import Client

DEEP = '{"a":' * 3000 + "1" + "}" * 3000
LAUGHS = "\n".join(
    ["schemaVersion: '2.2'", "l0: &l0 [a, b]"]
    + [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 10)]
)
REQUESTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "iam:create_role": ("iam", {"RoleName": "deep", "AssumeRolePolicyDocument": DEEP}, "MalformedPolicyDocument"),
    "iam:create_role of a text": (
        "iam", {"RoleName": "deep", "AssumeRolePolicyDocument": "x"}, "MalformedPolicyDocument",
    ),
    "iam:create_policy": ("iam", {"PolicyName": "deep", "PolicyDocument": DEEP}, "MalformedPolicyDocument"),
    "iam:simulate_custom_policy": ("iam", {"PolicyInputList": [DEEP], "ActionNames": ["s3:Get"]}, "InvalidInput"),
    "sns:create_topic": ("sns", {"Name": "deep", "Attributes": {"Policy": DEEP}}, "InvalidParameter"),
    "sqs:create_queue": ("sqs", {"QueueName": "deep", "Attributes": {"Policy": DEEP}}, "InvalidAttributeValue"),
    "ssm:create_document": ("ssm", {"Name": "deep", "Content": DEEP}, "InvalidDocumentContent"),
    "ssm:create_document of aliases": (
        "ssm", {"Name": "deep", "Content": LAUGHS, "DocumentFormat": "YAML"}, "InvalidDocumentContent",
    ),
    "cloudwatch:put_dashboard": (
        "cloudwatch", {"DashboardName": "deep", "DashboardBody": DEEP}, "InvalidParameterValue",
    ),
}  # fmt: skip


def test_documents_that_can_not_be_read_are_refused(client: Client) -> None:
    found = {}
    for name, (service, request, _) in REQUESTS.items():
        with pytest.raises(ClientError) as raised:
            getattr(client(service), name.partition(":")[2].partition(" ")[0])(**request)
        status = raised.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == 400, name
        found[name] = raised.value.response["Error"]["Code"]
    assert {name: code.split(".")[-1] for name, code in found.items()} == {
        name: code for name, (*_, code) in REQUESTS.items()
    }
    assert "deep" not in json.dumps(client("iam").list_roles(), default=str)


def test_policies_that_iam_takes_are_taken(client: Client) -> None:
    """All of IAM's resources, S3's of a region, and conditions with numbers; what IAM refuses is refused still."""
    iam = client("iam")
    iam.create_role(RoleName="broad", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    statement = {
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": ["arn:aws:iam::123456789012:*", "arn:aws:s3:us-east-1:123456789012:job/*"],
        "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 3600, "s3:max-keys": [1, "2"]}},
    }
    document = {"Version": "2012-10-17", "Statement": statement}
    iam.put_role_policy(RoleName="broad", PolicyName="inline", PolicyDocument=json.dumps(document))
    assert iam.get_role_policy(RoleName="broad", PolicyName="inline")["PolicyDocument"] == document
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=json.dumps({**document, "Statement": [statement]}))
    assert managed["Policy"]["PolicyName"] == "managed"
    for old in ({}, {"Version": "2008-10-17"}):  # for inline policies only
        text = json.dumps({**old, "Statement": [statement]})
        iam.put_role_policy(RoleName="broad", PolicyName="old", PolicyDocument=text)
        with pytest.raises(ClientError, match="must be version 2012-10-17 or greater"):
            iam.create_policy(PolicyName="old", PolicyDocument=text)
    for resource in ("arn:aws:iam::123456789012:all", "arn:aws:s3:us-east-1:123456789012:bucket"):
        refused = {"Version": "2012-10-17", "Statement": {**statement, "Resource": resource}}
        with pytest.raises(ClientError, match=r"IAM resource path must|can not contain region"):
            iam.put_role_policy(RoleName="broad", PolicyName="inline", PolicyDocument=json.dumps(refused))


def test_a_key_s_policy_changes_nothing(client: Client) -> None:
    """A Deny with a condition had held for everybody."""
    kms = client("kms")
    everything = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"}
    outside = {"Effect": "Deny", "Principal": "*", "Action": ["kms:DescribeKey"]}
    condition = {"StringNotEquals": {"aws:sourceVpce": "vpce-1"}, "Bool": {"aws:ViaAWSService": "false"}}
    statements = [{**everything, "Resource": "*"}, {**outside, "Resource": "*", "Condition": condition}]
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))["KeyMetadata"]["KeyId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    kms.create_alias(AliasName="alias/outside", TargetKeyId=key)
