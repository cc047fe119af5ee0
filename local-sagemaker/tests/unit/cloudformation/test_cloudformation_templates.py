"""Templates as CloudFormation reads them: grammar, refusals in its words, parameters, functions, dependencies."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import MagicMock

import pytest

from local_sagemaker.cloudformation import dependencies, intrinsics, parameters
from local_sagemaker.cloudformation.comparison import Change, change
from local_sagemaker.cloudformation.errors import TemplateError
from local_sagemaker.cloudformation.intrinsics import Scope
from local_sagemaker.cloudformation.resource_types import resource_type
from local_sagemaker.cloudformation.template import load
from local_sagemaker.services.cloudformation.stack_contents import StackContents
from local_sagemaker.services.cloudformation.supported_properties import refuse_unexecuted

CIDR = "every Fn::Cidr object requires an IP address block, a count from 1 to 256 and a number of subnet bits"
SPLIT = (
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
    "split or a function that returns a string to be split."
)
PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "stack",
    "AWS::Partition": "aws",
}
TOPIC = {"Type": "AWS::SNS::Topic"}


def scope(document: dict[str, Any], **values: str) -> Scope:
    template = load(json.dumps({"Resources": {"Topic": TOPIC}, **document}))
    return Scope(
        template,
        parameters.resolve(template, values, lambda name: f"stored {name}"),
        PSEUDO,
        reference=lambda logical: f"ref-{logical}",
        attribute=lambda logical, name: f"{logical}/{name}",
        export=lambda name: f"export-{name}",
    )


def evaluated(value: Any, document: dict[str, Any] | None = None, **values: str) -> Any:
    return intrinsics.evaluate(value, scope(document or {}, **values))


def refusal(text: str) -> str:
    with pytest.raises(TemplateError) as raised:
        load(text)
    return raised.value.message


def test_yaml_with_short_tags_is_the_same_as_json() -> None:
    text = """
AWSTemplateFormatVersion: 2010-09-09
Parameters: {Name: {Type: String}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub "${Name}-topic"
      DisplayName: !Select [1, !Split ["/", !GetAtt Other.TopicArn]]
  Other: {Type: AWS::SNS::Topic}
"""
    properties = load(text).resources["Topic"].properties
    assert properties["TopicName"] == {"Fn::Sub": "${Name}-topic"}
    parts = {"Fn::Split": ["/", {"Fn::GetAtt": ["Other", "TopicArn"]}]}
    assert properties["DisplayName"] == {"Fn::Select": [1, parts]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: [", "Template format error: YAML not well-formed. (line 1, column 13)"),
        ("{", "Template format error: JSON not well-formed. (line 1, column 2)"),
        ("[]", "Template format error: unsupported structure."),
        ("Resources: {}", "Template format error: At least one Resources member must be defined."),
        (
            "Resources: {A: {}}",
            "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
        ),
        (
            "Resources: {A: {Type: AWS::EC2::Instance}}",
            "LocalUnsupported: AWS::EC2::Instance is not executed by the local service (Resources/A)",
        ),
        ("Transform: X\nResources: {}", "LocalUnsupported: Transform is not executed by the local service (Transform)"),
        ("Other: X\nResources: {}", "Invalid template property or properties [Other]"),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref B}}}",
            "Template format error: Unresolved resource dependencies [B] in the Resources block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: !Ref B}}",
            "Unresolved resource dependencies [B] in the Outputs block of the template",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt B.Name}}}",
            "Template error: instance of Fn::GetAtt references undefined resource B",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: !GetAtt A.Colour}}",
            "Template error: resource A does not support attribute type Colour in Fn::GetAtt",
        ),
        (
            "Parameters: {B: {Type: String}}\nResources: {A: {Type: AWS::SNS::Topic}}\n"
            "Outputs: {O: {Value: !GetAtt B.C}}",
            "Template error: instance of Fn::GetAtt references undefined resource B",
        ),
        (
            "Resources: {A: {Type: AWS::SageMaker::EndpointConfig}}",
            "Property validation failure: [The property {/ProductionVariants} is required]",
        ),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, Properties: {Nam: x}}}",
            "Property validation failure: [Encountered unsupported properties in {/}: [Nam]]",
        ),
        ("a: &x 1\nResources: {A: *x}", "Template error: YAML aliases are not allowed in CloudFormation templates"),
        ('{"Resources": {}, "Resources": {}}', "Template format error: duplicate key 'Resources'"),
        ("Resources: {}\nResources: {}", "Template format error: duplicate key 'Resources' (line 2, column 1)"),
        ("Resources: {A-B: {Type: AWS::SNS::Topic}}", "Template format error: Resources name A-B is non alphanumeric."),
        ('{"a":' * 5000 + "1" + "}" * 5000, "Template format error: the template is nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_in_its_words(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "Topic"}, "ref-Topic"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Topic", "A.B"]}, "Topic/A.B"),
        ({"Fn::GetAtt": "Topic.A.B"}, "Topic/A.B"),
        ({"Fn::Sub": "${Topic} ${Topic.Arn} ${!Kept} ${AWS::AccountId}"}, "ref-Topic Topic/Arn ${Kept} 123456789012"),
        ({"Fn::Sub": ["${X}-${AWS::Region}", {"X": {"Ref": "Topic"}}]}, "ref-Topic-us-east-1"),
        ({"Fn::Join": ["-", ["a", 1, True]]}, "a-1-true"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::FindInMap": ["M", "A", "B"]}, [1, 2]),
        ({"Fn::FindInMap": ["M", "A", "C", {"DefaultValue": "d"}]}, "d"),
        ({"Fn::ImportValue": "x"}, "export-x"),
        ({"Fn::Base64": "ab"}, "YWI="),
        ({"Fn::GetAZs": ""}, ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ({"Fn::Cidr": ["10.0.0.0/24", 2, 5]}, ["10.0.0.0/27", "10.0.0.32/27"]),
        ({"Fn::If": ["Big", "yes", "no"]}, "no"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": {"Fn::If": ["Big", 1, {"Ref": "AWS::NoValue"}]}, "c": 1}, {"c": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Fn::Join": ["", ["{{resolve:ssm:/", "a}}"]]}, "{{resolve:ssm:/a}}"),
    ],
)
def test_functions(value: Any, result: Any) -> None:
    document = {
        "Mappings": {"M": {"A": {"B": [1, 2]}}},
        "Parameters": {"Size": {"Type": "Number", "Default": 1}},
        "Conditions": {"Big": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Size"}, "1"]}]}},
    }
    assert evaluated(value, document) == result


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::FindInMap": ["M", "A", "B"]}, "Template error: Unable to get mapping for M::A::B"),
        ({"Fn::If": ["C", 1, 2]}, "Template error: unresolved condition dependency C in Fn::If"),
        (
            {"Fn::Select": [1]},
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        ({"Fn::Cidr": ["x", 2, 5]}, f"Template error: {CIDR}"),
        ({"Fn::Cidr": ["10.0.0.0/24", 9, 5]}, f"Template error: {CIDR}"),
        ({"Fn::Cidr": ["::/0", 10**18, 0]}, f"Template error: {CIDR}"),
        ({"Fn::Split": ["", "a"]}, SPLIT),
        ({"Fn::Select": [3, ["a"]]}, "Template error: Fn::Select cannot select nonexistent value at index 3"),
    ],
)
def test_functions_that_cannot_be_evaluated(value: Any, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        evaluated(value)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("rule", "values", "message"),
    [
        ({"Type": "String"}, {}, "Parameters: [P] must have values"),
        ({"Type": "String"}, {"P": "a", "Q": "b"}, "Parameters: [Q] do not exist in the template"),
        ({"Type": "Number"}, {"P": "a"}, "Parameter 'P' must be a number."),
        ({"Type": "Number", "MinValue": 3}, {"P": "2"}, "Parameter 'P' must be a number not less than 3"),
        ({"Type": "String", "AllowedValues": ["a"]}, {"P": "b"}, "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-c]+"}, {"P": "abcd"}, "Parameter 'P' must match pattern [a-c]+"),
        ({"Type": "String", "MaxLength": 2}, {"P": "abc"}, "Parameter 'P' must contain at most 2 characters"),
        (
            {"Type": "String", "MaxLength": 2, "ConstraintDescription": "be short"},
            {"P": "abc"},
            "Parameter 'P' failed to satisfy constraint: be short",
        ),
    ],
)
def test_parameters_that_are_refused(rule: dict[str, Any], values: dict[str, str], message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        scope({"Parameters": {"P": rule}}, **values)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("CommaDelimitedList", " a , b", ["a", "b"]),
        ("List<Number>", "1, 2", ["1", "2"]),
        ("Number", "1.50", "1.50"),
        ("AWS::SSM::Parameter::Value<String>", "/p", "stored /p"),
    ],
)
def test_values_of_parameters(kind: str, text: str, value: Any) -> None:
    assert evaluated({"Ref": "P"}, {"Parameters": {"P": {"Type": kind}}}, P=text) == value


def topics(**needs: Any) -> dict[str, Any]:
    return {"Resources": {name: {"Type": "AWS::SNS::Topic", **value} for name, value in needs.items()}}


def test_dependencies_follow_references_and_chosen_branches_only() -> None:
    document = {
        **topics(
            A={},
            B={"Properties": {"DisplayName": {"Fn::Sub": "${A.TopicName}"}}},
            C={"DependsOn": "B", "Condition": "Yes"},
            D={"Condition": "No"},
            E={"Properties": {"DisplayName": {"Fn::If": ["No", {"Ref": "D"}, {"Ref": "C"}]}}},
        ),
        "Conditions": {"Yes": {"Fn::Equals": [1, 1]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
    }
    assert dependencies.graph(scope(document)) == {"A": set(), "B": {"A"}, "C": {"B"}, "E": {"C"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Properties": {"TopicName": {"Fn::Sub": []}}}, "Template error: One or more Fn::Sub intrinsic functions"),
        (
            {"Properties": {"TopicName": {"Fn::Sub": [1, {}]}}},
            "Template error: One or more Fn::Sub intrinsic functions",
        ),
        ({"Properties": {"TopicName": {"Fn::GetAtt": 5}}}, "Template error: every Fn::GetAtt object requires two"),
        ({"DependsOn": 5}, "Template format error: DependsOn must be a string or list of strings."),
        ({"Condition": []}, "Template format error: [/Resources/A/Condition]"),
    ],
)
def test_values_of_another_kind_are_refused_and_break_nothing(change: dict[str, Any], message: str) -> None:
    """DEL-18: what AWS's parser refuses is no fault of the service."""
    assert refusal(json.dumps({"Resources": {"A": {**TOPIC, **change}}})).startswith(message)


def test_conditions_in_a_circle_are_refused() -> None:
    document = {**topics(A={"Condition": "C"}), "Conditions": {"C": {"Fn::Not": [{"Condition": "D"}]},
                "D": {"Condition": "C"}}}  # fmt: skip
    with pytest.raises(TemplateError, match="Circular dependency between conditions"):
        dependencies.graph(scope(document))


def test_a_properties_object_may_be_chosen_by_a_condition() -> None:
    """As in AWS's own template of shadow variants; both branches are checked."""
    chosen = {"Fn::If": ["C", {"TopicName": "a"}, {"DisplayName": {"Ref": "Topic"}}]}
    document = {**topics(A={"Properties": chosen}, Topic={}), "Conditions": {"C": {"Fn::Equals": [1, 2]}}}
    assert evaluated(chosen, document) == {"DisplayName": "ref-Topic"}
    assert dependencies.graph(scope(document))["A"] == {"Topic"}
    wrong = {"Fn::If": ["C", {"TopicName": "a"}, {"Nam": "x"}]}
    with pytest.raises(TemplateError, match="Encountered unsupported properties"):
        load(json.dumps({**document, "Resources": {"A": {**TOPIC, "Properties": wrong}}}))


@pytest.mark.parametrize(
    ("kind", "properties", "named"),
    [
        ("S3::Bucket", {"ReplicationConfiguration": {}}, "S3::Bucket.ReplicationConfiguration"),
        ("S3::Bucket", {"AccessControl": "PublicRead"}, "S3::Bucket.AccessControl"),
        ("S3::Bucket", {"NotificationConfiguration": {"TopicConfigurations": []}},
         "S3::Bucket.NotificationConfiguration.TopicConfigurations"),
        ("IAM::Policy", {"PolicyName": "p", "PolicyDocument": {}, "Users": ["u"]}, "IAM::Policy.Users"),
        ("Lambda::Function", {"Code": {}, "Role": "r", "ReservedConcurrentExecutions": 1},
         "Lambda::Function.ReservedConcurrentExecutions"),
        ("Lambda::Function", {"Code": {}, "Role": "r", "Layers": [{"Fn::Sub": "arn:${AWS::Partition}:x"}]},
         "Lambda::Function.Layers"),
        ("Lambda::Function", {"Code": {"ImageUri": "i"}, "Role": "r", "Layers": []}, "Lambda::Function.Code.ImageUri"),
        ("SQS::Queue", {"QueueName": {"Ref": "AWS::StackName"}}, ""),
        ("CodeBuild::Project", {"Artifacts": {"Type": "NO_ARTIFACTS"}, "Environment": {}, "ServiceRole": "r",
                                "Source": {"Type": "NO_SOURCE", "GitSubmodulesConfig": {"FetchSubmodules": True}}},
         "CodeBuild::Project.Source.GitSubmodulesConfig"),
        ("CodeBuild::Project", {"Artifacts": {}, "Environment": {}, "ServiceRole": "r", "Source": {},
                                "Triggers": {"Webhook": True}}, "CodeBuild::Project.Triggers"),
        ("SageMaker::Model", {"PrimaryContainer": {"Fn::If": ["C", {"Nope": 1}, {"Ref": "AWS::NoValue"}]}},
         "SageMaker::Model.PrimaryContainer.Nope"),
    ],
)  # fmt: skip
def test_properties_that_would_have_no_effect_are_refused(kind: str, properties: dict[str, Any], named: str) -> None:
    """DEL-10: by type and path, wherever they stand; what a function gives is not known before."""
    document = {"Resources": {"A": {"Type": f"AWS::{kind}", "Properties": properties}},
                "Conditions": {"C": {"Fn::Equals": [1, 1]}}}  # fmt: skip
    declared = load(json.dumps(document)).resources["A"]
    if not named:
        refuse_unexecuted(declared)
        return
    with pytest.raises(TemplateError) as raised:
        refuse_unexecuted(declared)
    assert raised.value.message == f"LocalUnsupported: AWS::{named} is not executed by the local service (Resources/A)"


@pytest.mark.parametrize(
    ("kind", "changed", "expected"),
    [
        ("SNS::Topic", {"DisplayName": "b"}, Change.UPDATE),
        ("SNS::Topic", {"TopicName": "b"}, Change.REPLACE),
        ("SNS::Topic", {"TopicName": "a"}, Change.NONE),
        ("Events::Rule", {"EventBusName": "b"}, Change.REPLACE),
        ("SageMaker::DataQualityJobDefinition", {"Tags": [{"Key": "a", "Value": "b"}]}, Change.REPLACE),
        ("CodeCommit::Repository", {"RepositoryName": "b"}, Change.UPDATE),
    ],
)
def test_what_a_change_means(kind: str, changed: dict[str, Any], expected: Change) -> None:
    """DEL-9, DEL-15: in place or by another resource, as the type's schema says."""
    before = {"TopicName": "a"} if kind == "SNS::Topic" else {}
    assert change(resource_type(f"AWS::{kind}", "A"), before, {**before, **changed}) is expected


@pytest.mark.parametrize(("name", "kind"), [("DeletionPolicy", "deletion"), ("UpdateReplacePolicy", "update replace")])
def test_no_type_here_is_kept_as_a_snapshot(name: str, kind: str) -> None:
    message = f"Template error: resource type AWS::SNS::Topic does not support {kind} policy Snapshot"
    assert refusal(json.dumps({"Resources": {"A": {**TOPIC, name: "Snapshot"}}})) == message


def test_circles_are_refused_by_name() -> None:
    document = topics(A={"DependsOn": "B"}, B={"DependsOn": ["A"]}, C={"DependsOn": "A"}, D={})
    with pytest.raises(TemplateError) as raised:
        dependencies.graph(scope(document))
    assert raised.value.message == "Circular dependency between resources: [A, B]"


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("CodeBuild::Project", {"Artifacts": {}, "Environment": {}, "ServiceRole": "r", "Source": {}, "Triggers": {},
                                "Visibility": "PRIVATE", "LogsConfig": {"S3Logs": {"Status": "DISABLED"}}}),
        ("Logs::LogGroup", {"LogGroupClass": "STANDARD"}),
        ("KMS::Key", {"Origin": "AWS_KMS"}),
        ("SNS::Topic", {"SignatureVersion": "1", "TracingConfig": "PassThrough"}),
    ],
)  # fmt: skip
def test_what_happens_anyway_may_be_asked_for(kind: str, properties: dict[str, Any]) -> None:
    document = {"Resources": {"A": {"Type": f"AWS::{kind}", "Properties": properties}}}
    refuse_unexecuted(load(json.dumps(document)).resources["A"])


def test_a_summary_names_what_identifies_resources() -> None:
    """By the types' primary identifiers, as their schemas have them; custom resources have none."""
    bucket, topic = {"Type": "AWS::S3::Bucket"}, {"Type": "AWS::SNS::Topic"}
    custom = {"Type": "Custom::X", "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:1:function:f"}}
    text = json.dumps({"Resources": {"A": bucket, "T": topic, "B": bucket, "C": custom}})
    contents = StackContents(store=MagicMock(), requests=MagicMock(template=lambda _: text))
    summary = contents.summary({"TemplateBody": text})
    assert summary["ResourceTypes"] == ["AWS::S3::Bucket", "AWS::SNS::Topic", "Custom::X"]
    assert summary["ResourceIdentifierSummaries"] == [
        {"ResourceType": "AWS::S3::Bucket", "LogicalResourceIds": ["A", "B"], "ResourceIdentifiers": ["BucketName"]},
        {"ResourceType": "AWS::SNS::Topic", "LogicalResourceIds": ["T"], "ResourceIdentifiers": ["TopicArn"]},
    ]
