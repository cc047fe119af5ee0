"""Projects over boto3: a template in S3 becomes a stack that knows its project; by themselves and in a stack."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import Service, until

BUCKET = "templates-of-projects"
ROLE = "arn:aws:iam::123456789012:role/service-role/products"
TEMPLATE = {
    "Parameters": {
        "SageMakerProjectName": {"Type": "String"}, "SageMakerProjectId": {"Type": "String"},
        "Word": {"Type": "String", "Default": "none"},
    },
    "Resources": {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {
                "ModelPackageGroupName": {"Fn::Sub": "${SageMakerProjectName}-${SageMakerProjectId}"},
            },
        },
        "Stored": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "Word"}}},
    },
    "Outputs": {"Word": {"Value": {"Fn::GetAtt": ["Stored", "Value"]}}},
}  # fmt: skip
UNDECLARED = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


@pytest.fixture(scope="module")
def sagemaker(service: Service) -> Any:
    s3 = service.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="project.json", Body=json.dumps(TEMPLATE).encode())
    s3.put_object(Bucket=BUCKET, Key="undeclared.json", Body=json.dumps(UNDECLARED).encode())
    return service.client("sagemaker")


def provider(key: str = "project.json", **parameters: str) -> dict[str, Any]:
    rows = [{"Key": name, "Value": value} for name, value in parameters.items()]
    template = {"TemplateName": "ours", "TemplateURL": f"https://{BUCKET}.s3.us-east-1.amazonaws.com/{key}"}
    return {**template, "RoleARN": ROLE, "Parameters": rows}


def ends(sagemaker: Any, name: str, status: str) -> dict[str, Any]:
    def body() -> dict[str, Any]:
        return dict(sagemaker.describe_project(ProjectName=name))

    until(lambda: not body()["ProjectStatus"].endswith("InProgress"), f"the end of {name}", seconds=240)
    assert body()["ProjectStatus"] == status, json.dumps(body(), default=str)
    return body()


def word(service: Service, identity: str) -> str:
    stack = service.client("cloudformation").describe_stacks(StackName=f"SP-{identity}")["Stacks"][0]
    return str(stack["Outputs"][0]["OutputValue"])


def refusal(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    return str(raised.value.response["Error"]["Message"])


def test_a_project_is_its_templates_stack(service: Service, sagemaker: Any) -> None:
    made = sagemaker.create_project(
        ProjectName="Mine", ProjectDescription="a test", Tags=[{"Key": "team", "Value": "a"}],
        TemplateProviders=[{"CfnTemplateProvider": provider(Word="first")}],
    )  # fmt: skip
    body = ends(sagemaker, "Mine", "CreateCompleted")
    identity = made["ProjectId"]
    assert (body["ProjectArn"], body["ProjectId"]) == (made["ProjectArn"], identity)
    detail = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]
    assert detail["StackDetail"]["Name"] == f"SP-{identity}"
    stack = service.client("cloudformation").describe_stacks(StackName=f"SP-{identity}")["Stacks"][0]
    assert stack["StackId"] == detail["StackDetail"]["Id"]
    tags = {row["Key"]: row["Value"] for row in stack["Tags"]}
    assert tags == {"team": "a", "sagemaker:project-name": "Mine", "sagemaker:project-id": identity}
    sagemaker.describe_model_package_group(ModelPackageGroupName=f"Mine-{identity}")
    assert word(service, identity) == "first"
    assert sagemaker.list_tags(ResourceArn=made["ProjectArn"])["Tags"] == [{"Key": "team", "Value": "a"}]
    listed = sagemaker.list_projects(NameContains="Min")["ProjectSummaryList"]
    assert [row["ProjectStatus"] for row in listed] == ["CreateCompleted"]
    again = {"ProjectName": "Mine", "TemplateProviders": [{"CfnTemplateProvider": provider()}]}
    assert "already exists" in refusal(sagemaker.create_project, **again)
    new = {name: value for name, value in provider(Word="second").items() if name != "RoleARN"}
    sagemaker.update_project(ProjectName="Mine", TemplateProvidersToUpdate=[{"CfnTemplateProvider": new}])
    ends(sagemaker, "Mine", "UpdateCompleted")
    assert word(service, identity) == "second"
    sagemaker.delete_project(ProjectName="Mine")
    ends(sagemaker, "Mine", "DeleteCompleted")
    assert sagemaker.list_projects(NameContains="Min")["ProjectSummaryList"] == []
    text = "Cannot delete Project in DeleteCompleted status"
    assert refusal(sagemaker.delete_project, ProjectName="Mine") == text
    second = sagemaker.create_project(**again)["ProjectId"]
    assert second != identity
    ends(sagemaker, "Mine", "CreateCompleted")
    sagemaker.delete_project(ProjectName="Mine")
    ends(sagemaker, "Mine", "DeleteCompleted")


def test_a_project_whose_template_cannot_be_deployed_says_why(sagemaker: Any) -> None:
    for name, key, reason in (("Undeclared", "undeclared.json", "SageMakerProject"), ("Absent", "absent.json", "S3")):
        sagemaker.create_project(ProjectName=name, TemplateProviders=[{"CfnTemplateProvider": provider(key)}])
        body = ends(sagemaker, name, "CreateFailed")
        detail = body["TemplateProviderDetails"][0]["CfnTemplateProviderDetail"]["StackDetail"]
        assert reason in detail["StatusMessage"]
        sagemaker.delete_project(ProjectName=name)
        ends(sagemaker, name, "DeleteCompleted")
    assert "does not exist" in refusal(sagemaker.describe_project, ProjectName="Nothing")
    catalog = {"ServiceCatalogProvisioningDetails": {"ProductId": "prod-1"}}
    assert "Service Catalog" in refusal(sagemaker.create_project, ProjectName="Catalog", **catalog)
    assert "must be specified" in refusal(sagemaker.create_project, ProjectName="None")


def test_a_stack_makes_and_deletes_a_project(service: Service, sagemaker: Any) -> None:
    detail = {**provider(Word="in a stack"), "Parameters": [{"Key": "Word", "Value": "in a stack"}]}
    template = {
        "Resources": {
            "Project": {
                "Type": "AWS::SageMaker::Project",
                "Properties": {
                    "ProjectName": "Stacked",
                    "TemplateProviderDetails": [{"CfnTemplateProviderDetail": detail}],
                },
            }
        },
        "Outputs": {"Id": {"Value": {"Fn::GetAtt": ["Project", "ProjectId"]}}},
    }
    stacks = service.client("cloudformation")
    stacks.create_stack(StackName="of-a-project", TemplateBody=json.dumps(template))
    events = stacks.describe_stack_events

    def status() -> str:
        return str(stacks.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"])

    identity = stacks.describe_stacks(StackName="of-a-project")["Stacks"][0]["StackId"]
    until(lambda: not status().endswith("_IN_PROGRESS"), "the stack", seconds=240)
    assert status() == "CREATE_COMPLETE", events(StackName=identity)["StackEvents"]
    output = stacks.describe_stacks(StackName=identity)["Stacks"][0]["Outputs"][0]["OutputValue"]
    assert sagemaker.describe_project(ProjectName="Stacked")["ProjectId"] == output
    stacks.delete_stack(StackName=identity)
    until(lambda: not status().endswith("_IN_PROGRESS"), "the stack", seconds=240)
    assert status() == "DELETE_COMPLETE", events(StackName=identity)["StackEvents"]
    assert sagemaker.describe_project(ProjectName="Stacked")["ProjectStatus"] == "DeleteCompleted"
