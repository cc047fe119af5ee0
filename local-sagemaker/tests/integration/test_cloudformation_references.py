"""Stacks with dynamic references and rules, against a real service (contracts: delivery 2.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.stack_operations import TRUST, create, events, physical, refused, settled, topics, update
from tests.support import Service


@pytest.fixture(scope="module")
def stacks(service: Service) -> Any:
    return service.client("cloudformation")


def displayed(service: Service, name: str) -> str:
    sns = service.client("sns")
    (arn,) = [row["TopicArn"] for row in sns.list_topics()["Topics"] if row["TopicArn"].endswith(f":{name}")]
    return str(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"])


def named(value: Any, name: str = "referring", **properties: Any) -> dict[str, Any]:
    template = topics(name)
    template["Resources"]["T0"]["Properties"] |= {"DisplayName": value, **properties}
    return template


def test_a_secret_is_read_where_it_is_used(service: Service, stacks: Any) -> None:
    """What functions write is a reference, too; neither change sets nor the stack's record hold the value."""
    secrets = service.client("secretsmanager")
    secrets.create_secret(Name="of-stacks", SecretString=json.dumps({"word": "first-word"}))
    reference = {"Fn::Join": ["", ["{{resolve:secretsmanager:", {"Ref": "Id"}, ":SecretString:word}}"]]}
    declared = {"Parameters": {"Id": {"Type": "String", "Default": "of-stacks"}}}
    assert create(stacks, "referring", {**named(reference), **declared})["StackStatus"] == "CREATE_COMPLETE"
    assert displayed(service, "referring") == "first-word"
    secrets.put_secret_value(SecretId="of-stacks", SecretString=json.dumps({"word": "second-word"}))
    again = {**named(reference, Tags=[{"Key": "k", "Value": "v"}]), **declared}
    request = {"StackName": "referring", "ChangeSetName": "look"}
    stacks.create_change_set(**request, TemplateBody=json.dumps(again))
    stacks.get_waiter("change_set_create_complete").wait(**request)
    shown = json.dumps(stacks.describe_change_set(**request, IncludePropertyValues=True), default=str)
    assert "{{resolve:secretsmanager:of-stacks:SecretString:word}}" in shown
    assert "first-word" not in shown and "second-word" not in shown
    assert update(stacks, "referring", again)["StackStatus"] == "UPDATE_COMPLETE"
    assert displayed(service, "referring") == "second-word"
    secrets.delete_secret(SecretId="of-stacks", ForceDeleteWithoutRecovery=True)
    identity = settled(stacks, "referring")["StackId"]
    stacks.delete_stack(StackName="referring")
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE"


def test_what_a_stack_may_not_hold_fails_the_resource(service: Service, stacks: Any) -> None:
    """A reference to a key that the secret has not, and an encrypted parameter."""
    service.client("secretsmanager").create_secret(Name="without", SecretString="{}")
    encrypted = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "SecureString", "Value": "x"}}
    for name, template, logical, text in (
        ("without", named("{{resolve:secretsmanager:without:SecretString:word}}", "without"), "T0",
         "Could not find a value associated with JSONKey in SecretString"),
        ("encrypted", {"Resources": {"P": encrypted}}, "P",
         "Properties validation failed for resource P with message:\n[#/Type: SecureString is not a valid enum value]"),
    ):  # fmt: skip
        assert create(stacks, name, template)["StackStatus"] == "ROLLBACK_COMPLETE"
        assert (logical, "CREATE_FAILED", text) in events(stacks, name)


def test_what_a_failed_creation_did_not_make_stays(service: Service, stacks: Any) -> None:
    """DEL-12: neither a rollback nor a second attempt deletes what has the name: no call ever made it."""
    code, iam = service.client("codecommit"), service.client("iam")
    reference = {"RepositoryName": "precious", "RepositoryDescription": "{{resolve:ssm:/rv/missing}}"}
    too_short = {"RoleName": "precious", "AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": 1}
    kinds = {
        "Repository": ("AWS::CodeCommit::Repository", reference, {"RepositoryName": "precious"}),
        "Role": ("AWS::IAM::Role", too_short, {"RoleName": "precious", "AssumeRolePolicyDocument": TRUST}),
    }
    named = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}

    def template(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
        return {"Resources": {"R": {"Type": kind, "Properties": properties}}}

    for name, (kind, wrong, _) in kinds.items():
        made = create(stacks, f"kept-{name}", template(kind, wrong), OnFailure="DO_NOTHING", **named)
        assert made["StackStatus"] == "CREATE_FAILED", name
    theirs = code.create_repository(repositoryName="precious")["repositoryMetadata"]["repositoryId"]
    role = iam.create_role(RoleName="precious", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["RoleId"]
    for name, (kind, wrong, right) in kinds.items():
        made = create(stacks, f"back-{name}", template(kind, wrong), **named)
        assert made["StackStatus"] == "ROLLBACK_COMPLETE", name
        stacks.update_stack(StackName=f"kept-{name}", TemplateBody=json.dumps(template(kind, right)), **named)
        again = settled(stacks, f"kept-{name}")
        assert "exist" in str(events(stacks, f"kept-{name}")), name
        stacks.delete_stack(StackName=again["StackId"])
        assert settled(stacks, again["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert code.get_repository(repositoryName="precious")["repositoryMetadata"]["repositoryId"] == theirs
    assert iam.get_role(RoleName="precious")["Role"]["RoleId"] == role


def test_what_only_refers_does_not_change(service: Service, stacks: Any) -> None:
    """A description is all that changes; and a reference to the value that is there is no change at all."""
    for name, value in (("name", "by-reference"), ("spec", "RSA_2048")):
        service.client("ssm").put_parameter(Name=f"/of-stacks/{name}", Value=value, Type="String")

    def template(name: str, spec: str, **described: str) -> dict[str, Any]:
        code = {"RepositoryName": name, **{f"Repository{key}": value for key, value in described.items()}}
        key = {"KeySpec": spec, "KeyUsage": "SIGN_VERIFY", **described}
        return {"Resources": {
            "Code": {"Type": "AWS::CodeCommit::Repository", "Properties": code},
            "Key": {"Type": "AWS::KMS::Key", "Properties": key},
            "Topic": topics(name)["Resources"]["T0"],
        }}  # fmt: skip

    references = ("{{resolve:ssm:/of-stacks/name}}", "{{resolve:ssm:/of-stacks/spec}}")
    assert create(stacks, "values", template("by-reference", "RSA_2048"))["StackStatus"] == "CREATE_COMPLETE"
    before = physical(stacks, "values")
    request = {"StackName": "values", "ChangeSetName": "look"}
    stacks.create_change_set(**request, TemplateBody=json.dumps(template(*references)))
    assert stacks.describe_change_set(**request)["Changes"] == []
    assert update(stacks, "values", template(*references))["StackStatus"] == "UPDATE_COMPLETE"
    assert "UPDATE_IN_PROGRESS" not in [status for logical, status, _ in events(stacks, "values") if logical in before]
    done = update(stacks, "values", template(*references, Description="described"))
    assert done["StackStatus"] == "UPDATE_COMPLETE", events(stacks, "values")
    assert physical(stacks, "values") == before
    assert service.client("kms").describe_key(KeyId=before["Key"])["KeyMetadata"]["Description"] == "described"


def test_what_is_wrong_is_said_before_anything_happens(stacks: Any) -> None:
    """DEL-10, DEL-18: rules, encrypted parameters, mappings and parameters' types refuse the request."""
    rules = {"R": {"Assertions": [{"Assert": {"Fn::Contains": [["a"], "b"]}, "AssertDescription": "b is not there"}]}}
    for template, text in (
        ({**topics("wrong"), "Rules": rules}, "Template validation error: The rule R failed: b is not there"),
        (named("{{resolve:ssm-secure:/a:1}}"), "SSM Secure reference is not supported in: "
         "[AWS::SNS::Topic/Properties/DisplayName]"),
        (named({"Fn::FindInMap": ["M", "A", "B"]}), "Template error: Unable to get mapping for M::A::B"),
        ({**topics("wrong"), "Parameters": {"P": {"Type": "Text"}}}, "Template format error: Unrecognized parameter "
         "type: Text"),
    ):  # fmt: skip
        assert refused(stacks.create_stack, StackName="wrong", TemplateBody=json.dumps(template)) == text
    assert "Stack with id wrong does not exist" in refused(stacks.describe_stacks, StackName="wrong")
