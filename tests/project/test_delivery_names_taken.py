"""Names that are another's: creation is refused before it begins, and deletion takes nothing."""

from __future__ import annotations

import json

from delivery.project.names import Project
from tests.commands import run_command
from tests.project.delivering import upload
from tests.support import ROLE, XGBOOST, Service

ACCOUNT = "123456789012"
STACK_OF_A_PROJECT = json.dumps({
    "Parameters": {name: {"Type": "String"} for name in ("SageMakerProjectName", "SageMakerProjectId")},
    "Resources": {"Any": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}},
})  # fmt: skip


def make_owned(service: Service, project: Project) -> list[dict[str, str]]:
    """The stack, the bucket and the group of a project, as its template makes them; the tags."""
    tags = [
        {"Key": "sagemaker:project-name", "Value": project.name},
        {"Key": "sagemaker:project-id", "Value": project.id},
    ]
    cloudformation, s3, bucket = service.client("cloudformation"), service.client("s3"), project.bucket(ACCOUNT)
    values = {"SageMakerProjectName": project.name, "SageMakerProjectId": project.id}
    cloudformation.create_stack(
        StackName=project.stack, TemplateBody=STACK_OF_A_PROJECT,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()],
    )  # fmt: skip
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=project.group, Tags=tags)
    return tags


def test_another_project_s_names_are_refused_by_creation_and_deletion(service: Service) -> None:
    project, cloudformation = Project("owns-it", "p-owns"), service.client("cloudformation")
    make_owned(service, project)
    for name, number, reason in (
        ("typo", "p-owns", "the stack SP-p-owns is of the project owns-it p-owns, and not of typo p-owns; the bucket "),
        ("owns", "it-p-owns", "the model group owns-it-p-owns is of the project owns-it p-owns, and not of owns it-p-"),
    ):
        for flags in ((), ("--with-data", "--yes")):
            done = run_command(service, "delivery", "delete", name, number, *flags, check=False)
            assert (done.returncode, done.stdout) == (1, "") and f"nothing is deleted: {reason}" in done.stderr
    assert cloudformation.describe_stacks(StackName=project.stack)["Stacks"]
    service.client("s3").head_bucket(Bucket=project.bucket(ACCOUNT))
    preflight = [run_command(service, "delivery", "preflight", *more, "--source", "codecommit", check=False).stderr
                 for more in (("owns-it", "p-second"), ("other", "p-owns"), ("fresh", "p-fresh"))]  # fmt: skip
    assert "the stack SP-p-owns is a project of the name owns-it, too" in preflight[0]
    assert "the stack SP-p-owns exists already: choose another project id" in preflight[1]
    assert "exist" not in preflight[2] and "too" not in preflight[2]
    service.client("s3").delete_bucket_tagging(Bucket=project.bucket(ACCOUNT))
    words = ("delivery", "delete", project.name, project.id, "--with-data", "--yes")
    assert "has no tag sagemaker:project-name" in run_command(service, *words, check=False).stderr
    tags = [{"Key": "sagemaker:project-name", "Value": project.name}]
    service.client("s3").put_bucket_tagging(Bucket=project.bucket(ACCOUNT), Tagging={"TagSet": tags})
    run_command(service, *words)
    assert run_command(service, *words).stdout == "nothing is left of the project\n"


def test_an_endpoint_of_the_name_stands_in_the_way(service: Service) -> None:
    sagemaker, name = service.client("sagemaker"), "occupied-staging"
    uri = upload(service, "occupied-endpoint")
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": XGBOOST, "ModelDataUrl": uri}
    )
    variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    words = ("delivery", "preflight", "occupied", "p-1", "--source", "codecommit")
    done = run_command(service, *words, check=False)
    assert (done.returncode, done.stderr) == (2, f"the endpoint {name} exists already: choose another name\n")
    sagemaker.delete_endpoint(EndpointName=name)
