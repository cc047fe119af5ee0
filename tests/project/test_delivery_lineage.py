"""``model-registry lineage``: from an endpoint in service back to commit, data, parameters, metrics and approvals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.commit import SourceCommit, with_commit
from tests.project.delivering import register, registry, upload
from tests.support import ROLE, XGBOOST, Service, create_pipeline, finished, start, until

NAME = "l-lineage"
COMMIT = SourceCommit("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "me/abalone", "main")


@pytest.fixture(scope="module")
def version(service: Service) -> str:
    """GROUP/1: of a training job, registered by a pipeline for a commit, approved with a comment."""
    s3, sagemaker = service.client("s3"), service.client("sagemaker")
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="train.csv", Body="\n".join(f"{n},{n},{n % 7}" for n in range(50)))
    data = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{NAME}/train.csv"}
    sagemaker.create_training_job(
        TrainingJobName=f"{NAME}-Job",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "5"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": data}}],
        OutputDataConfig={"S3OutputPath": f"s3://{NAME}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=f"{NAME}-Job", WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    trained = sagemaker.describe_training_job(TrainingJobName=f"{NAME}-Job")["ModelArtifacts"]["S3ModelArtifacts"]
    report = {"regression_metrics": {"mse": {"value": 4.5}}}
    s3.put_object(Bucket=NAME, Key="evaluation.json", Body=json.dumps(report))
    statistics = {"ContentType": "application/json", "S3Uri": f"s3://{NAME}/evaluation.json"}
    arguments = {
        "ModelPackageGroupName": NAME,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": trained}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
    }
    step: dict[str, Any] = {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments}
    sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
    definition = with_commit(
        {"Version": "2020-12-01", "Parameters": [{"Name": "Depth", "Type": "Integer", "DefaultValue": 3}],
         "Steps": [step]}, COMMIT,
    )  # fmt: skip
    create_pipeline(sagemaker, NAME, *definition["Steps"], parameters=tuple(definition["Parameters"]))
    assert finished(sagemaker, start(sagemaker, NAME))["PipelineExecutionStatus"] == "Succeeded"
    registry(service, "approve", f"{NAME}/1", "--comment", "no drift")
    return f"{NAME}/1"


def test_a_version_leads_back_to_its_commit(service: Service, version: str) -> None:
    found = json.loads(registry(service, "lineage", version, "--json"))
    assert (found["version"], found["approval"]) == (version, "Approved")
    assert (found["commit"], found["repository"]) == (COMMIT.id, "me/abalone")
    assert f":pipeline/{NAME}/execution/" in found["execution"]
    assert found["parameters"] == {"Depth": "3"}
    assert found["data"] == [f"s3://{NAME}/train.csv"]
    assert found["metrics"] == {"mse": 4.5}
    assert found["training"]["hyperparameters"]["num_round"] == "5"
    assert [(item["status"], item["comment"]) for item in found["decisions"]] == [
        ("PendingManualApproval", ""), ("Approved", "no drift"),
    ]  # fmt: skip
    assert found["remarks"] == []


def test_an_endpoint_leads_back_by_its_name_in_one_command(service: Service, version: str) -> None:
    sagemaker = service.client("sagemaker")
    arn = sagemaker.list_model_packages(ModelPackageGroupName=NAME)["ModelPackageSummaryList"][0]["ModelPackageArn"]
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": arn}])
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=f"{NAME}-prod", EndpointConfigName=NAME)
    text = registry(service, "lineage", f"{NAME}-prod")
    for part in (f"endpoint {NAME}-prod", "variant AllTraffic serves", f"{version}, Approved", COMMIT.id, "mse = 4.5",
                 "num_round = 5", f"s3://{NAME}/train.csv", 'Approved, "no drift"'):  # fmt: skip
        assert part in text
    assert registry(service, "lineage", NAME).startswith(f"version      {version}")  # a group: its latest version
    assert "neither an endpoint nor a group" in registry(service, "lineage", "l-nothing", fails=1)
    sagemaker.delete_endpoint(EndpointName=f"{NAME}-prod")


def test_a_version_and_a_model_that_were_deleted_are_remarks(service: Service) -> None:
    name, sagemaker = f"{NAME}-deleted", service.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    version = register(service, name, upload(service, name))
    variants = []
    for model in (f"{name}-a", f"{name}-b"):
        sagemaker.create_model(ModelName=model, ExecutionRoleArn=ROLE, Containers=[{"ModelPackageName": version}])
        variants.append({"VariantName": model[-1], "ModelName": model, "InstanceType": "ml.m5.large",
                         "InitialInstanceCount": 1})  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    settled = ("InService", "Failed")
    until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] in settled, "the endpoint", 240)
    sagemaker.delete_model_package(ModelPackageName=version)
    sagemaker.delete_model(ModelName=f"{name}-b")
    text = registry(service, "lineage", name)
    assert f"a serves a version that was deleted: there is no version {version}" in text
    assert f"b serves {name}-b, a model that was deleted" in text
    sagemaker.delete_endpoint(EndpointName=name)
