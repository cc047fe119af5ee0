"""Every resource type but those of endpoints and monitors (see test_cloudformation_monitoring and test_projects)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_sagemaker.services.cloudformation.handlers import HANDLERS
from tests.integration.calls_of_stacks import wrongly_told
from tests.integration.stack_of_all_types import seen, template
from tests.integration.stack_operations import create, events, physical, settled, update
from tests.support import Service

ELSEWHERE = {
    "ApplicationAutoScaling::ScalableTarget", "ApplicationAutoScaling::ScalingPolicy",
    "SageMaker::DataQualityJobDefinition", "SageMaker::Endpoint", "SageMaker::EndpointConfig", "SageMaker::Model",
    "SageMaker::ModelBiasJobDefinition", "SageMaker::ModelExplainabilityJobDefinition",
    "SageMaker::ModelQualityJobDefinition", "SageMaker::MonitoringSchedule", "SageMaker::Project",
    "CloudFormation::CustomResource", "CDK::Metadata",
}  # fmt: skip
"""Tested in stacks of monitors, endpoints, projects and custom resources, and below."""


def test_no_type_is_left_out() -> None:
    """DEL-9."""
    here = {resource["Type"].removeprefix("AWS::") for resource in template("one")["Resources"].values()}
    assert here | ELSEWHERE == {name.removeprefix("AWS::") for name in HANDLERS} and not here & ELSEWHERE


@pytest.mark.timeout(600)
def test_every_type_is_made_changed_replaced_and_deleted(service: Service) -> None:
    """DEL-9, DEL-11, DEL-15: what each type's own operations say after each operation on the stack.

    Updates are executed as change sets, so that what these say of replacement is compared with what then happens.
    """
    stacks = service.client("cloudformation")
    request = {"StackName": "all-types", "Capabilities": ["CAPABILITY_NAMED_IAM"]}

    def change(word: str, name: str) -> str:
        before = physical(stacks, "all-types")
        foretold = announced(stacks, {**request, "ChangeSetName": name}, json.dumps(template(word, name)))
        stacks.execute_change_set(StackName="all-types", ChangeSetName=name)
        status = str(settled(stacks, "all-types")["StackStatus"])
        after = physical(stacks, "all-types")
        assert {logical for logical in before if after[logical] != before[logical]} >= foretold["True"]
        assert {logical for logical in before if after[logical] != before[logical]} <= (
            foretold["True"] | foretold["Conditional"]
        )
        return status

    stacks.create_stack(**request, TemplateBody=json.dumps(template("one")))
    assert settled(stacks, "all-types")["StackStatus"] == "CREATE_COMPLETE", failures(stacks)
    for logical, look in seen(service).items():
        text = json.dumps(look(), default=str)
        assert "two" not in text, logical
    assert wrongly_told(service, template("one")["Resources"], there=True) == [], "a second stack would take it over"
    assert wrongly_told(service, template("one", "another")["Resources"], there=False) == []
    first, before = physical(stacks, "all-types"), {name: look() for name, look in seen(service).items()}
    assert set(first) == set(before)

    assert change("two", "types") == "UPDATE_COMPLETE", failures(stacks)
    after = {name: look() for name, look in seen(service).items()}
    unchanged = {name for name in before if after[name] == before[name]}
    assert unchanged <= {"Alias"}, unchanged
    stale = {name for name, value in after.items() if '"one"' in json.dumps(value, default=str)
             or "only-one" in json.dumps(value, default=str)}  # fmt: skip
    assert stale == set()
    ids = physical(stacks, "all-types")
    assert {name for name in ids if ids[name] != first[name]} == {"Permission", "Version"}

    assert change("two", "other") == "UPDATE_COMPLETE", failures(stacks)
    for look in seen(service, "other").values():
        look()
    left = [name for name, look in seen(service).items() if _exists(look)]
    assert left == []

    stacks.delete_stack(StackName="all-types")
    identity = next(row["StackId"] for row in stacks.list_stacks()["StackSummaries"] if row["StackName"] == "all-types")
    assert settled(stacks, identity)["StackStatus"] == "DELETE_COMPLETE", failures(stacks, identity)
    assert [name for name, look in seen(service, "other").items() if _exists(look)] == []


def announced(stacks: Any, request: dict[str, Any], body: str) -> dict[str, set[str]]:
    """The logical ids of the resources that a change set changes, by its word on their replacement."""
    stacks.create_change_set(**request, TemplateBody=body)
    names = {"StackName": request["StackName"], "ChangeSetName": request["ChangeSetName"]}
    stacks.get_waiter("change_set_create_complete").wait(**names, WaiterConfig={"Delay": 1})
    changes = [row["ResourceChange"] for row in stacks.describe_change_set(**names)["Changes"]]
    assert {change["Action"] for change in changes} == {"Modify"}
    words = ("True", "False", "Conditional")
    return {word: {one["LogicalResourceId"] for one in changes if one["Replacement"] == word} for word in words}


def failures(stacks: Any, name: str = "all-types") -> list[tuple[str, str, str]]:
    return [row for row in events(stacks, name) if row[1].endswith("_FAILED") or "ROLLBACK" in row[1]]


def _exists(look: Callable[[], Any]) -> bool:
    try:
        look()
    except (ClientError, LookupError):
        return False
    return True


def test_names_made_for_fifo_resources_end_as_they_must(service: Service) -> None:
    """And the stack can be changed: the kind of a queue is not among what is sent then."""

    def template(delay: int) -> dict[str, object]:
        queue = {"FifoQueue": "true", "ContentBasedDeduplication": True, "DelaySeconds": delay}
        topic = {"FifoTopic": True, "ContentBasedDeduplication": True}
        return {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": queue},
                              "T": {"Type": "AWS::SNS::Topic", "Properties": topic}}}  # fmt: skip

    stacks = service.client("cloudformation")
    assert create(stacks, "fifo", template(0))["StackStatus"] == "CREATE_COMPLETE", events(stacks, "fifo")
    found = physical(stacks, "fifo")
    assert all(name.rsplit("/", 1)[-1].rsplit(":", 1)[-1].startswith("fifo-") for name in found.values())
    assert all(name.endswith(".fifo") for name in found.values())
    assert update(stacks, "fifo", template(5))["StackStatus"] == "UPDATE_COMPLETE", events(stacks, "fifo")
    request = {"QueueUrl": found["Q"], "AttributeNames": ["DelaySeconds"]}
    assert service.client("sqs").get_queue_attributes(**request)["Attributes"] == {"DelaySeconds": "5"}
    assert physical(stacks, "fifo") == found


def test_lifecycle_rules_of_buckets_are_those_of_s3(service: Service) -> None:
    """Each property of a template's rule is a member of S3's rule."""
    tag = {"Key": "kind", "Value": "old"}
    rules = [
        {"Status": "Enabled", "ExpirationInDays": "9", "TagFilters": [tag],
         "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": "3"}]},
        {"Status": "Enabled", "Prefix": "a/", "ObjectSizeGreaterThan": "5", "TagFilters": [tag],
         "NoncurrentVersionExpirationInDays": 8,
         "NoncurrentVersionTransition": {"StorageClass": "GLACIER", "TransitionInDays": 2}},
        {"Status": "Disabled", "Transition": {"StorageClass": "GLACIER", "TransitionInDays": 4}},
        {"Status": "Enabled", "Prefix": "b/", "ExpirationDate": "2030-01-01T00:00:00Z"},
    ]  # fmt: skip
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"LifecycleConfiguration": {"Rules": rules}}}
    stacks = service.client("cloudformation")
    assert create(stacks, "ages", {"Resources": {"B": bucket}})["StackStatus"] == "CREATE_COMPLETE", events(
        stacks, "ages"
    )
    found = service.client("s3").get_bucket_lifecycle_configuration(Bucket=physical(stacks, "ages")["B"])["Rules"]
    assert [{name: value for name, value in rule.items() if name != "ID"} for rule in found] == [
        {"Status": "Enabled", "Filter": {"Tag": tag}, "Expiration": {"Days": 9},
         "Transitions": [{"StorageClass": "GLACIER", "Days": 3}]},
        {"Status": "Enabled", "Filter": {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 5, "Tags": [tag]}},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 8},
         "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "NoncurrentDays": 2}]},
        {"Status": "Disabled", "Filter": {"Prefix": ""}, "Transitions": [{"StorageClass": "GLACIER", "Days": 4}]},
        {"Status": "Enabled", "Filter": {"Prefix": "b/"}, "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)}},
    ]  # fmt: skip


def test_a_template_of_the_cdk_with_a_generated_secret(service: Service) -> None:
    """The secret's value is made once, is what references resolve to, and is deleted with the stack at once."""
    stacks, secrets = service.client("cloudformation"), service.client("secretsmanager")
    service.client("ssm").put_parameter(Name="/cdk-bootstrap/types/version", Value="21", Type="String")
    wanted = {"SecretStringTemplate": '{"user": "me"}', "GenerateStringKey": "password", "PasswordLength": "20",
             "ExcludePunctuation": True}  # fmt: skip
    reference = "{{resolve:secretsmanager:cdk-secret:SecretString:user}}"

    def body(description: str) -> dict[str, Any]:
        return {
            "Parameters": {"BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/types/version"}},
            "Rules": {"CheckBootstrapVersion": {"Assertions": [{"Assert": {"Fn::Not": [
                {"Fn::Contains": [["1", "2", "3"], {"Ref": "BootstrapVersion"}]}]}}]}},
            "Resources": {
                "CDKMetadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": f"v2:{description}"}},
                "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {
                    "Name": "cdk-secret", "Description": description, "GenerateSecretString": wanted}},
                "User": {"Type": "AWS::SSM::Parameter", "DependsOn": "Secret", "Properties": {
                    "Name": "/types/user", "Type": "String", "Value": reference}},
            },
            "Outputs": {"Secret": {"Value": {"Ref": "Secret"}}},
        }  # fmt: skip

    create(stacks, "cdk", body("one"))
    first = json.loads(secrets.get_secret_value(SecretId="cdk-secret")["SecretString"])
    assert first["user"] == "me" and len(first["password"]) == 20 and first["password"].isalnum()
    assert service.client("ssm").get_parameter(Name="/types/user")["Parameter"]["Value"] == "me"
    ids = physical(stacks, "cdk")
    assert update(stacks, "cdk", body("two"))["StackStatus"] == "UPDATE_COMPLETE"
    assert physical(stacks, "cdk") == ids
    assert json.loads(secrets.get_secret_value(SecretId="cdk-secret")["SecretString"]) == first
    described = secrets.describe_secret(SecretId="cdk-secret")
    assert (described["ARN"], described["Description"]) == (ids["Secret"], "two")
    bare = body("three")
    del bare["Resources"]["Secret"]["Properties"]["Description"]
    assert update(stacks, "cdk", bare)["StackStatus"] == "UPDATE_COMPLETE"
    assert not secrets.describe_secret(SecretId="cdk-secret").get("Description")
    assert json.loads(secrets.get_secret_value(SecretId="cdk-secret")["SecretString"]) == first
    stack = stacks.describe_stacks(StackName="cdk")["Stacks"][0]["StackId"]
    stacks.delete_stack(StackName="cdk")
    assert settled(stacks, stack)["StackStatus"] == "DELETE_COMPLETE"
    secrets.create_secret(Name="cdk-secret", SecretString="another")  # the name is free
    secrets.delete_secret(SecretId="cdk-secret", ForceDeleteWithoutRecovery=True)
