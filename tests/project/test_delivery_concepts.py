"""Concepts of the registry (A1): versions and their numbers, full request shapes, and both ways of deploying."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from time import gmtime, strftime
from typing import Any

import pytest

from tests.project.delivering import register, regressor, upload
from tests.support import ROLE, XGBOOST, Service, sdk_v2_python, until

IRIS = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.2-1"
HERE = Path(__file__).parent


def test_item_1_versions_are_counted_and_never_reused(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-versions")
    sagemaker.create_model_package_group(ModelPackageGroupName="concepts-versions")
    first, second, third = (register(service, "concepts-versions", uri) for _ in range(3))
    assert [arn.rpartition("/")[2] for arn in (first, second, third)] == ["1", "2", "3"]
    sagemaker.delete_model_package(ModelPackageName=third)
    assert register(service, "concepts-versions", uri).endswith("/4")


def test_item_2_the_iris_variant_is_registered(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-iris")
    sagemaker.create_model_package_group(ModelPackageGroupName="concepts-iris")
    description = "Model to detect 3 different types of irises (Setosa, Versicolour, and Virginica)"
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="concepts-iris",
        ModelPackageDescription=description,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": IRIS, "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelPackageDescription"] == description
    assert described["InferenceSpecification"]["Containers"][0]["Image"] == IRIS


def approved(service: Service, name: str) -> str:
    """An approved version; its ARN."""
    service.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return register(service, name, upload(service, name), ModelApprovalStatus="Approved")


def expected() -> float:
    """What the model says of one row, asked directly."""
    import numpy
    import xgboost

    row = numpy.array([[0.25, 0.5]], dtype="float32")
    return float(regressor()[1].predict(xgboost.DMatrix(row))[0])


def test_item_3b_the_three_calls_deploy_it(service: Service) -> None:
    sagemaker_client, model_version_arn = service.client("sagemaker"), approved(service, "concepts-calls")
    model_name = "DEMO-modelregistry-model-" + strftime("%Y-%m-%d-%H-%M-%S", gmtime())
    container_list = [{"ModelPackageName": model_version_arn}]
    create_model_response = sagemaker_client.create_model(
        ModelName=model_name, ExecutionRoleArn=ROLE, Containers=container_list
    )
    assert create_model_response["ModelArn"]
    endpoint_config_name = "DEMO-modelregistry-EndpointConfig-" + strftime("%Y-%m-%d-%H-%M-%S", gmtime())
    sagemaker_client.create_endpoint_config(
        EndpointConfigName=endpoint_config_name,
        ProductionVariants=[
            {
                "InstanceType": "ml.m4.xlarge",
                "InitialVariantWeight": 1,
                "InitialInstanceCount": 1,
                "ModelName": model_name,
                "VariantName": "AllTraffic",
            }
        ],
    )
    endpoint_name = "DEMO-modelregistry-endpoint-" + strftime("%Y-%m-%d-%H-%M-%S", gmtime())
    sagemaker_client.create_endpoint(EndpointName=endpoint_name, EndpointConfigName=endpoint_config_name)
    while sagemaker_client.describe_endpoint(EndpointName=endpoint_name)["EndpointStatus"] == "Creating":
        time.sleep(0.05)
    answer = service.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint_name, Body=b"0.25,0.5", ContentType="text/csv"
    )
    assert float(answer["Body"].read()) == expected()
    sagemaker_client.delete_endpoint(EndpointName=endpoint_name)


@pytest.mark.slow
def test_item_3a_sdk_v2_deploys_a_model_package(service: Service) -> None:
    python = sdk_v2_python()
    arn = approved(service, "concepts-sdk-v2")
    done = service.run(python, str(HERE / "v2" / "deploying.py"), ROLE, arn)
    assert float(done.stdout.splitlines()[-1]) == expected()
    endpoints = service.client("sagemaker").list_endpoints(NameContains="concepts-sdk-v2")["Endpoints"]
    assert endpoints == []


@pytest.mark.slow
def test_sdk_v3_builds_deploys_and_invokes(service: Service) -> None:
    uri = upload(service, "concepts-sdk-v3")
    script = HERE / "deploying_with_sdk_v3.py"
    done = service.run(sys.executable, str(script), ROLE, XGBOOST, uri)
    assert float(done.stdout.splitlines()[-1]) == expected()
    sagemaker = service.client("sagemaker")
    until(lambda: not sagemaker.list_endpoints(NameContains="concepts-sdk-v3")["Endpoints"], "it is deleted")


def test_item_4_a_group_takes_name_description_and_tags(service: Service) -> None:
    sagemaker = service.client("sagemaker")
    tags = [{"Key": "team", "Value": "sea"}]
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName="concepts-group", ModelPackageGroupDescription="described", Tags=tags
    )["ModelPackageGroupArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    described = sagemaker.describe_model_package_group(ModelPackageGroupName="concepts-group")
    assert described["ModelPackageGroupDescription"] == "described"


def source(name: str) -> dict[str, str]:
    return {
        "ContentType": "application/json",
        "ContentDigest": "sha256:" + "a" * 64,
        "S3Uri": f"s3://concepts-full/{name}",
    }


def full_package(uri: str) -> dict[str, Any]:
    """Items 5, 6, 8, 9, 10 and 11: all that can stand together in one request."""
    container = {
        "ContainerHostname": "first",
        "Image": XGBOOST,
        "ImageDigest": "sha256:" + "1" * 64,
        "ModelDataUrl": uri,
        "ProductId": "product",
        "Environment": {"NAME": "value"},
        "ModelInput": {"DataInputConfig": '{"x": [1, 2]}'},
        "Framework": "XGBOOST",
        "FrameworkVersion": "3.0",
        "NearestModelName": "xgboost",
    }
    specification = {
        "Containers": [container],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.t2.medium"],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    transform = {
        "MaxConcurrentTransforms": 1,
        "MaxPayloadInMB": 6,
        "BatchStrategy": "MultiRecord",
        "Environment": {"NAME": "value"},
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://concepts-full/in"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": "s3://concepts-full/out", "Accept": "text/csv", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {
        "ModelPackageDescription": "all of it",
        "InferenceSpecification": specification,
        "ValidationSpecification": {
            "ValidationRole": ROLE,
            "ValidationProfiles": [{"ProfileName": "profile", "TransformJobDefinition": transform}],
        },
        "ModelApprovalStatus": "Rejected",
        "MetadataProperties": {"CommitId": "c", "Repository": "r", "GeneratedBy": "g", "ProjectId": "p"},
        "ModelMetrics": {
            "ModelQuality": {"Statistics": source("a"), "Constraints": source("b")},
            "ModelDataQuality": {"Statistics": source("c"), "Constraints": source("d")},
            "Bias": {"Report": source("e"), "PreTrainingReport": source("f"), "PostTrainingReport": source("g")},
            "Explainability": {"Report": source("h")},
        },
        "DriftCheckBaselines": {
            "Bias": {
                "ConfigFile": source("i"),
                "PreTrainingConstraints": source("j"),
                "PostTrainingConstraints": source("k"),
            },
            "Explainability": {"Constraints": source("l"), "ConfigFile": source("m")},
            "ModelQuality": {"Statistics": source("n"), "Constraints": source("o")},
            "ModelDataQuality": {"Statistics": source("p"), "Constraints": source("q")},
        },
        "Domain": "MACHINE_LEARNING",
        "Task": "REGRESSION",
        "SamplePayloadUrl": "s3://concepts-full/sample.csv",
        "CustomerMetadataProperties": {"owner": "sea"},
        "AdditionalInferenceSpecifications": [{"Name": "second", "Containers": [container]}],
        "SkipModelValidation": "All",
        "SourceUri": "s3://concepts-full/source",
        "ModelCard": {"ModelCardContent": json.dumps({"model_overview": {}}), "ModelCardStatus": "Draft"},
    }


def contains(answer: Any, given: Any) -> bool:
    """Whether all that was given is in the answer."""
    if isinstance(given, dict):
        return all(name in answer and contains(answer[name], value) for name, value in given.items())
    if isinstance(given, list):
        return len(answer) == len(given) and all(contains(a, g) for a, g in zip(answer, given, strict=True))
    return bool(answer == given)


def test_item_5_to_11_the_full_shape_of_a_version_is_echoed(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-full")
    sagemaker.create_model_package_group(ModelPackageGroupName="concepts-full")
    given = full_package(uri)
    request = {**given, "ModelPackageGroupName": "concepts-full", "ClientToken": "0123456789"}
    arn = sagemaker.create_model_package(**request)["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    missing = [name for name, value in given.items() if not contains(described.get(name), value)]
    assert missing == []
    assert sagemaker.create_model_package(**request)["ModelPackageArn"] == arn  # the token makes it the same request


def test_item_5_a_package_without_a_group_has_a_name_and_tags(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-alone")
    data = {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    tags = [{"Key": "team", "Value": "sea"}]
    arn = sagemaker.create_model_package(
        ModelPackageName="concepts-alone",
        InferenceSpecification={
            "Containers": [{"Image": XGBOOST, "ModelDataSource": {"S3DataSource": data}}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        CertifyForMarketplace=False,
        Tags=tags,
    )["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName="concepts-alone")
    assert described["ModelPackageArn"] == arn and "ModelPackageVersion" not in described
    assert contains(described["InferenceSpecification"]["Containers"][0]["ModelDataSource"]["S3DataSource"], data)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_item_5_a_container_may_have_data_of_every_kind(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-sources")
    sagemaker.create_model_package_group(ModelPackageGroupName="concepts-sources")
    prefix = uri.rpartition("/")[0] + "/"
    eula = {"ModelAccessConfig": {"AcceptEula": True}}
    data = {"S3Uri": prefix, "S3DataType": "S3Prefix", "CompressionType": "None", **eula}
    more = {"S3Uri": uri, "S3DataType": "S3Object", "CompressionType": "Gzip"}
    container = {"Image": XGBOOST, "ModelDataSource": {"S3DataSource": data}, "AdditionalS3DataSource": more}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="concepts-sources", InferenceSpecification=specification, SkipModelValidation="None"
    )["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert contains(described["InferenceSpecification"]["Containers"], [container])
    assert described["SkipModelValidation"] == "None"


def test_item_6_a_package_may_be_made_of_an_algorithm(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-algorithm")
    algorithm = "arn:aws:sagemaker:us-east-1:123456789012:algorithm/mine"
    given = {
        "SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": algorithm, "ModelDataUrl": uri}]},
        "CertifyForMarketplace": True,
    }
    sagemaker.create_model_package(ModelPackageName="concepts-algorithm", **given)
    assert contains(sagemaker.describe_model_package(ModelPackageName="concepts-algorithm"), given)


@pytest.mark.parametrize("status", ["Draft", "PendingReview", "Approved", "Archived"])
def test_item_11_a_model_card_in_every_status_and_its_key(service: Service, status: str) -> None:
    sagemaker, name = service.client("sagemaker"), f"concepts-card-{status.lower()}"
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    given = {
        "ModelCard": {"ModelCardContent": json.dumps({"model_overview": {}}), "ModelCardStatus": status},
        "SecurityConfig": {"KmsKeyId": "12345678-1234-1234-1234-123456789012"},
    }
    arn = register(service, name, upload(service, name), **given)
    assert contains(sagemaker.describe_model_package(ModelPackageName=arn), given)


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
def test_item_7_every_approval_status_is_taken(service: Service, status: str) -> None:
    sagemaker, name = service.client("sagemaker"), f"concepts-{status.lower()}"
    uri = upload(service, name)
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    arn = register(service, name, uri)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == status


def test_item_12_the_full_shape_of_a_model_is_echoed(service: Service) -> None:
    sagemaker, uri = service.client("sagemaker"), upload(service, "concepts-model")
    container = {
        "ContainerHostname": "only",
        "Image": XGBOOST,
        "ImageConfig": {"RepositoryAccessMode": "Platform"},
        "Mode": "MultiModel",
        "ModelDataUrl": uri.rpartition("/")[0] + "/",
        "MultiModelConfig": {"ModelCacheSetting": "Disabled"},
        "Environment": {"NAME": "value"},
    }
    given = {
        "ExecutionRoleArn": ROLE,
        "Containers": [container],
        "InferenceExecutionConfig": {"Mode": "Serial"},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "EnableNetworkIsolation": True,
    }
    tags = [{"Key": "team", "Value": "sea"}]
    arn = sagemaker.create_model(ModelName="concepts-model", Tags=tags, **given)["ModelArn"]
    assert contains(sagemaker.describe_model(ModelName="concepts-model"), given)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    vpc = {"RepositoryAccessMode": "Vpc"}
    direct = {
        "Containers": [
            {
                "ContainerHostname": name,
                "Image": XGBOOST,
                "ImageConfig": vpc,
                "Mode": "SingleModel",
                "ModelDataUrl": uri,
            }
            for name in ("first", "second")
        ],
        "InferenceExecutionConfig": {"Mode": "Direct"},
    }
    sagemaker.create_model(ModelName="concepts-direct", ExecutionRoleArn=ROLE, **direct)
    assert contains(sagemaker.describe_model(ModelName="concepts-direct"), direct)
    package = approved(service, "concepts-model-package")
    named = {"ModelPackageName": package}
    sagemaker.create_model(ModelName="concepts-by-package", ExecutionRoleArn=ROLE, PrimaryContainer=named)
    assert contains(sagemaker.describe_model(ModelName="concepts-by-package")["PrimaryContainer"], named)
