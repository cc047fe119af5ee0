"""Constraints of the model in AWS's words. Texts marked truth were recorded from AWS (api-errors)."""

from __future__ import annotations

import io
from typing import Any

import pytest

from local_sagemaker.api.validation import check
from local_sagemaker.errors import ServiceError

NAME = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
AT = "failed to satisfy constraint: Member must"
ROLE = "arn:aws:iam::123456789012:role/r"
CONTAINER = {"Image": "i"}


def refused(name: str, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        check(name, request)
    assert caught.value.status == 400
    return caught.value.code, caught.value.message


def test_truth_create_model_reports_both_violations() -> None:
    value = "_" * 64
    code, message = refused("sagemaker:CreateModel", {"ModelName": value, "ExecutionRoleArn": ROLE})
    assert code == "ValidationException"
    assert message == (
        f"2 validation errors detected: Value '{value}' at 'modelName' {AT} have length less than or equal to 63; "
        f"Value '{value}' at 'modelName' {AT} satisfy regular expression pattern: {NAME}"
    )


@pytest.mark.parametrize("name", ["CreateModelPackageGroup", "CreateTrialComponent", "AddTags"])
def test_truth_a_tag_key_given_twice(name: str) -> None:
    member = {"CreateModelPackageGroup": "ModelPackageGroupName", "CreateTrialComponent": "TrialComponentName"}
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m"
    request = {"ResourceArn": arn} if name == "AddTags" else {member[name]: "g"}
    tags = [{"Key": "cat", "Value": "1"}, {"Key": "cat", "Value": "2"}]
    assert refused(f"sagemaker:{name}", {**request, "Tags": tags}) == ("ValidationException", "Duplicate tag key")
    check(f"sagemaker:{name}", {**request, "Tags": [*tags[:1], {"Key": "Cat", "Value": "1"}]})


def test_truth_create_endpoint_config_names_the_member_of_a_list() -> None:
    variant = {"VariantName": "v", "ModelName": "ENTER MODEL NAME"}
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    assert refused("sagemaker:CreateEndpointConfig", request) == (
        "ValidationException",
        f"1 validation error detected: Value 'ENTER MODEL NAME' at 'productionVariants.1.member.modelName' {AT} "
        f"satisfy regular expression pattern: {NAME}",
    )


def test_truth_start_pipeline_execution_with_an_empty_value() -> None:
    request = {"PipelineName": "p", "PipelineParameters": [{"Name": "n", "Value": ""}]}
    assert refused("sagemaker:StartPipelineExecution", request) == (
        "ValidationException",
        '[string "" is too short (length: 0, required minimum: 1)]',
    )


TRANSFORM = {
    "TransformJobName": "t", "ModelName": "m",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/k"}}},
    "TransformOutput": {"S3OutputPath": "s3://b/o"},
    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("sagemaker:DescribeModel", {}, f"Value null at 'modelName' {AT} not be null"),
        ("sagemaker:DescribeModel", {"ModelName": None}, f"Value null at 'modelName' {AT} not be null"),
        (
            "sagemaker:ListPipelines",
            {"MaxResults": 0},
            f"Value '0' at 'maxResults' {AT} have value greater than or equal to 1",
        ),
        (
            "sagemaker:ListPipelines",
            {"MaxResults": 101},
            f"Value '101' at 'maxResults' {AT} have value less than or equal to 100",
        ),
        (
            "sagemaker:ListPipelines",
            {"SortOrder": "Up"},
            f"Value 'Up' at 'sortOrder' {AT} satisfy enum value set: [Ascending, Descending]",
        ),
        (
            "sagemaker:CreateTransformJob",
            {**TRANSFORM, "BatchStrategy": "Some"},
            f"Value 'Some' at 'batchStrategy' {AT} satisfy enum value set: [MultiRecord, SingleRecord]",
        ),
        (
            "sagemaker:CreateTransformJob",
            {**TRANSFORM, "Environment": {"1": "x"}},
            "Value '{1=x}' at 'environment' failed to satisfy constraint: Map keys must satisfy constraint: "
            "[Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, "
            "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]{0,1023}]",
        ),
        (
            "sagemaker:CreateModel",
            {"ModelName": "m", "VpcConfig": {"SecurityGroupIds": ["sg 1"], "Subnets": ["s"]}},
            "Value '[sg 1]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: Member must satisfy "
            "constraint: [Member must have length less than or equal to 32, Member must have length greater than or "
            "equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]",
        ),
        (
            "sagemaker:AddTags",
            {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": [{"Key": "", "Value": "v"}]},
            f"Value '' at 'tags.1.member.key' {AT} have length greater than or equal to 1",
        ),
        ("sagemaker:DescribeModel", {"ModelName": "m", "Nmae": "x"}, "Unknown member 'nmae'"),
    ],
)
def test_violations(name: str, request_: dict[str, Any], message: str) -> None:
    assert refused(name, request_) == ("ValidationException", f"1 validation error detected: {message}")


@pytest.mark.parametrize(
    ("name", "request_", "message"),
    [
        ("sagemaker:ListPipelines", {"MaxResults": "1"}, "STRING_VALUE can not be converted to an Integer"),
        ("sagemaker:ListPipelines", {"MaxResults": True}, "TRUE_VALUE can not be converted to an Integer"),
        ("sagemaker:DescribeModel", {"ModelName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ("sagemaker:DescribeModel", {"ModelName": ["m"]}, "Start of list found where not expected"),
        ("sagemaker:DescribeModel", {"ModelName": {}}, "Start of structure or map found where not expected."),
        ("sagemaker:AddTags", {"ResourceArn": "a", "Tags": "x"}, "Unexpected value: a list is expected"),
    ],
)
def test_wrong_types(name: str, request_: dict[str, Any], message: str) -> None:
    code, text = refused(name, request_)
    assert code == "SerializationException"
    assert text.startswith(f"{message} (at '")


@pytest.mark.parametrize(
    ("name", "request_", "code"),
    [
        ("logs:GetLogEvents", {"logStreamName": "s", "logGroupName": "g", "limit": 0}, "InvalidParameterException"),
        ("sagemaker-runtime:InvokeEndpoint", {"EndpointName": "-", "Body": b""}, "ValidationError"),
        ("s3:ListObjectsV2", {}, "InvalidArgument"),
        ("s3:ListObjectsV2", {"Bucket": "b", "EncodingType": "gzip"}, "InvalidArgument"),
        ("s3:DeleteObjects", {"Bucket": "b"}, "MalformedXML"),
        ("s3:DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{}]}}, "MalformedXML"),
    ],
)
def test_the_code_is_the_services_own(name: str, request_: dict[str, Any], code: str) -> None:
    assert refused(name, request_)[0] == code


def test_absent_tokens_are_filled_in() -> None:
    request: dict[str, Any] = {"PipelineName": "p"}
    check("sagemaker:StartPipelineExecution", request)
    assert len(request["ClientRequestToken"]) == 36
    given = {"PipelineName": "p", "ClientRequestToken": "t" * 32}
    check("sagemaker:StartPipelineExecution", given)
    assert given["ClientRequestToken"] == "t" * 32


def test_good_requests_pass() -> None:
    check("sagemaker:CreateTransformJob", {**TRANSFORM, "Environment": {"A_1": "x" * 1024}})
    check("s3:PutObject", {"Bucket": "b", "Key": "k", "Body": io.BytesIO(b"x")})
    tags = [{"Key": "naïve key: é/=+-@ 中", "Value": ""}]
    check("sagemaker:AddTags", {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:model/m", "Tags": tags})


def test_pipeline_definitions_of_a_megabyte_are_checked_at_once() -> None:
    definition = '{"Version": "2020-12-01", "Steps": [\n' + '  {"Name": "step",\t"Type": "Fail"},\n' * 20_000 + "]}"
    check("sagemaker:CreatePipeline", {"PipelineName": "p", "PipelineDefinition": definition, "RoleArn": ROLE})


@pytest.mark.parametrize(
    ("name", "request_", "member", "as_map"),
    [
        ("sagemaker:CreateModelPackageGroup", {"ModelPackageGroupName": "g"}, "Tags", False),
        ("logs:CreateLogGroup", {"logGroupName": "g"}, "tags", True),
        ("iam:CreatePolicy", {"PolicyName": "p", "PolicyDocument": "{}"}, "Tags", False),
    ],
)
def test_tags_of_aws_do_not_count_against_the_most_that_a_resource_has(
    name: str, request_: dict[str, Any], member: str, as_map: bool
) -> None:
    """CloudFormation adds three; the fifty are the user's (AWS general reference, "Tagging your AWS resources")."""
    system = [f"aws:cloudformation:{word}" for word in ("stack-name", "stack-id", "logical-id")]

    def tags(keys: list[str]) -> Any:
        return dict.fromkeys(keys, "v") if as_map else [{"Key": key, "Value": "v"} for key in keys]

    user = [f"k{number}" for number in range(51)]
    check(name, {**request_, member: tags([*user[:50], *system])})
    assert "length less than or equal to 50" in refused(name, {**request_, member: tags([*user, *system])})[1]
