"""The registry walk-through (A0): the boto3 calls as a notebook has them, in its order, against the service."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from time import gmtime, strftime
from typing import Any

import pytest

from pipelines.data import training_csv
from tests.support import ROLE, Service

ACCOUNT = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost"
SILENT: dict[str, dict[str, str]] = {"1.7-1-cpu-py3": {}}  # which refuses it, as every tag since 1.2-1 does
ROW = b".345,0.224414,.131102,0.042329,.279923,-0.110329,-0.099358,0.0"


@dataclass
class Walk:
    """What the calls answered, by what they were."""

    client: Any
    runtime: Any
    tag: str
    said: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module", params=["1.0-1", "1.7-1"])
def walk(request: pytest.FixtureRequest, service: Service) -> Walk:
    """Item 1, the two clients; then every call once, for the image tag of the source and a newer one."""
    walked = Walk(service.client("sagemaker"), service.client("sagemaker-runtime"), request.param.replace(".", "-"))
    train(walked, service, f"{ACCOUNT}:{request.param}-cpu-py3", f"walk-{walked.tag}")
    register(walked, f"xgboost-abalone-realtime-{walked.tag}")
    deploy(walked)
    return walked


def train(walk: Walk, service: Service, image: str, job: str) -> None:
    """Items 2 to 4."""
    bucket = f"sagemaker-us-east-1-{job}"
    s3 = service.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="xgboost-regression/train.csv", Body=training_csv())
    walk.client.create_training_job(
        TrainingJobName=job,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters={
            "objective": "reg:linear",
            "num_round": "50",
            "max_depth": "5",
            "eta": "0.2",
            "gamma": "4",
            "min_child_weight": "6",
            "subsample": "0.7",
            **SILENT.get(image.split(":")[1], {"silent": "0"}),
        },
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/xgboost-regression/train.csv",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/xgboost-example/xgb_model"},
        ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    walk.client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=job, WaiterConfig={"Delay": 1})
    trained = walk.client.describe_training_job(TrainingJobName=job)
    walk.said["training"] = trained
    walk.said["artifact"] = trained["ModelArtifacts"]["S3ModelArtifacts"]
    walk.said["image"] = image


def register(walk: Walk, name: str) -> None:
    """Items 5 to 9."""
    client = walk.client
    model_package_group_input_dict = {
        "ModelPackageGroupName": name,
        "ModelPackageGroupDescription": "Model package group for xgboost regression model with Abalone dataset",
    }
    create_model_package_group_response = client.create_model_package_group(**model_package_group_input_dict)
    model_package_arn = create_model_package_group_response["ModelPackageGroupArn"]
    walk.said["group"] = model_package_arn

    modelpackage_inference_specification = {
        "InferenceSpecification": {
            "Containers": [{"Image": walk.said["image"], "ModelDataUrl": walk.said["artifact"]}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
    }
    create_model_package_input_dict = {
        "ModelPackageGroupName": model_package_arn,
        "ModelPackageDescription": "Model for regression with the Abalone dataset",
        "ModelApprovalStatus": "PendingManualApproval",
    }
    create_model_package_input_dict.update(modelpackage_inference_specification)
    walk.said["given"] = create_model_package_input_dict
    walk.said["package"] = client.create_model_package(**create_model_package_input_dict)["ModelPackageArn"]

    model_versions = client.list_model_packages(ModelPackageGroupName=name)
    walk.said["listed"] = model_versions
    latest_model_version_arn = model_versions["ModelPackageSummaryList"][0]["ModelPackageArn"]
    walk.said["described"] = client.describe_model_package(ModelPackageName=latest_model_version_arn)
    walk.said["updated"] = client.update_model_package(
        ModelPackageArn=latest_model_version_arn, ModelApprovalStatus="Approved"
    )
    walk.said["arn"] = latest_model_version_arn


def deploy(walk: Walk) -> None:
    """Items 10 to 14."""
    client = walk.client
    model_name = "xgboost-model" + strftime("%Y-%m-%d-%H-%M-%S", gmtime()) + walk.tag
    container_list = [{"ModelPackageName": walk.said["arn"]}]
    walk.said["model"] = client.create_model(ModelName=model_name, ExecutionRoleArn=ROLE, Containers=container_list)

    endpoint_config_name = model_name + "-config"
    client.create_endpoint_config(
        EndpointConfigName=endpoint_config_name,
        ProductionVariants=[
            {
                "InstanceType": "ml.c5.xlarge",
                "InitialVariantWeight": 1,
                "InitialInstanceCount": 1,
                "ModelName": model_name,
                "VariantName": "AllTraffic",
            }
        ],
    )
    endpoint_name = model_name + "-endpoint"
    walk.said["endpoint"] = client.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=endpoint_config_name)
    describe_endpoint_response = client.describe_endpoint(EndpointName=endpoint_name)
    statuses = [describe_endpoint_response["EndpointStatus"]]
    while describe_endpoint_response["EndpointStatus"] == "Creating":
        describe_endpoint_response = client.describe_endpoint(EndpointName=endpoint_name)
        statuses.append(describe_endpoint_response["EndpointStatus"])
        time.sleep(0.05)  # 15 in the notebook
    walk.said["statuses"] = statuses
    response = walk.runtime.invoke_endpoint(EndpointName=endpoint_name, Body=ROW, ContentType="text/csv")
    walk.said["answer"] = response["Body"].read()


def test_item_3_4_the_artifact_is_read_from_the_finished_job(walk: Walk) -> None:
    trained = walk.said["training"]
    assert trained["TrainingJobStatus"] == "Completed"
    assert trained["HyperParameters"].get("silent", "0") == "0"
    assert walk.said["artifact"].endswith(f"/xgb_model/{trained['TrainingJobName']}/output/model.tar.gz")


def test_item_5_6_group_and_version_have_arns(walk: Walk) -> None:
    assert ":model-package-group/xgboost-abalone-realtime" in walk.said["group"]
    assert walk.said["package"] == f"{walk.said['group'].replace('model-package-group', 'model-package')}/1"


def test_item_7_8_the_version_is_listed_and_described_as_it_was_given(walk: Walk) -> None:
    assert [item["ModelPackageArn"] for item in walk.said["listed"]["ModelPackageSummaryList"]] == [
        walk.said["package"]
    ]
    described, given = walk.said["described"], walk.said["given"]
    container = described["InferenceSpecification"]["Containers"][0]
    assert container["Image"] == walk.said["image"] and container["ModelDataUrl"] == walk.said["artifact"]
    for name in ("ModelPackageDescription", "ModelApprovalStatus"):
        assert described[name] == given[name]


def test_item_7_versions_are_listed_in_the_order_of_their_creation(walk: Walk) -> None:
    group = walk.said["group"].rpartition("/")[2]
    second = walk.client.create_model_package(**walk.said["given"])["ModelPackageArn"]
    listed = walk.client.list_model_packages(ModelPackageGroupName=group, SortOrder="Ascending")
    by_default = walk.client.list_model_packages(ModelPackageGroupName=group)
    assert [item["ModelPackageArn"] for item in listed["ModelPackageSummaryList"]] == [walk.said["arn"], second]
    assert by_default["ModelPackageSummaryList"] == listed["ModelPackageSummaryList"]
    walk.client.delete_model_package(ModelPackageName=second)


def test_item_9_approval_answers_the_arn_and_stays(walk: Walk) -> None:
    assert walk.said["updated"]["ModelPackageArn"] == walk.said["arn"]
    described = walk.client.describe_model_package(ModelPackageName=walk.said["arn"])
    assert described["ModelApprovalStatus"] == "Approved"


def test_item_10_to_12_the_endpoint_gets_into_service(walk: Walk) -> None:
    assert walk.said["model"]["ModelArn"] and walk.said["endpoint"]["EndpointArn"]
    assert walk.said["statuses"][-1] == "InService"
    assert set(walk.said["statuses"]) <= {"Creating", "InService"}


def test_item_14_the_answer_is_a_number_as_text(walk: Walk) -> None:
    assert 0 < float(walk.said["answer"].decode()) < 40


def test_item_12_a_failed_endpoint_ends_the_loop(walk: Walk, service: Service) -> None:
    bucket = name = f"broken-{walk.tag}"
    s3, client = service.client("s3"), walk.client
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"this is no archive")
    url = f"s3://{bucket}/model.tar.gz"
    client.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": walk.said["image"], "ModelDataUrl": url}
    )
    variant = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "ModelName": name, "VariantName": "AllTraffic"}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    described = client.describe_endpoint(EndpointName=name)
    deadline = time.monotonic() + 60
    while described["EndpointStatus"] == "Creating" and time.monotonic() < deadline:
        described = client.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Failed" and described["FailureReason"]
    client.delete_endpoint(EndpointName=name)
