"""The registry: groups, numbered versions, approval, lists and their orders."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
ELSEWHERE, OTHERS = "arn:aws:sagemaker:us-west-2:123456789012", "arn:aws:sagemaker:us-east-1:210987654321"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1"
DIGEST = f"sha256:{0:064x}"
SPECIFICATION = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


def source(name: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": f"s3://bucket/{name}.json", "ContentDigest": DIGEST}


FULL: dict[str, Any] = {
    "ModelPackageDescription": "setosa, versicolor, virginica",
    "InferenceSpecification": {
        "Containers": [
            {
                "ContainerHostname": "one",
                "Image": IMAGE,
                "ImageDigest": DIGEST,
                "ModelDataUrl": "s3://bucket/model.tar.gz",
                "ModelDataSource": {
                    "S3DataSource": {
                        "S3Uri": "s3://bucket/model/",
                        "S3DataType": "S3Prefix",
                        "CompressionType": "None",
                        "ModelAccessConfig": {"AcceptEula": True},
                    }
                },
                "ProductId": "p",
                "Environment": {"A": "b"},
                "ModelInput": {"DataInputConfig": "{}"},
                "Framework": "XGBOOST",
                "FrameworkVersion": "1.2",
                "NearestModelName": "n",
                "AdditionalS3DataSource": {"S3DataType": "S3Object", "S3Uri": "s3://bucket/x"},
            }
        ],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.t2.medium"],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    "ValidationSpecification": {
        "ValidationRole": "arn:aws:iam::123456789012:role/LocalSageMakerRole",
        "ValidationProfiles": [
            {
                "ProfileName": "profile",
                "TransformJobDefinition": {
                    "MaxConcurrentTransforms": 1,
                    "MaxPayloadInMB": 6,
                    "BatchStrategy": "MultiRecord",
                    "Environment": {"A": "b"},
                    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/i"}}},
                    "TransformOutput": {"S3OutputPath": "s3://b/o"},
                    "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
                },
            }
        ],
    },
    "SourceAlgorithmSpecification": {
        "SourceAlgorithms": [{"ModelDataUrl": "s3://b/m.tar.gz", "AlgorithmName": f"{ARN}:algorithm/a"}]
    },
    "CertifyForMarketplace": False,
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
    "SamplePayloadUrl": "s3://b/payload.tar.gz",
    "CustomerMetadataProperties": {"team": "a"},
    "AdditionalInferenceSpecifications": [{"Name": "small", "Containers": [{"Image": IMAGE}]}],
    "SkipModelValidation": "All",
    "SourceUri": "https://example.com/source",
    "SecurityConfig": {"KmsKeyId": "key"},
    "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
}


@pytest.fixture
def group(registry: Any) -> str:
    answer = registry("CreateModelPackageGroup", ModelPackageGroupName="Abalone-Group")
    assert answer == {"ModelPackageGroupArn": f"{ARN}:model-package-group/abalone-group"}
    return "Abalone-Group"


def register(registry: Any, group: str, **request: Any) -> str:
    given = {"InferenceSpecification": SPECIFICATION, **request}
    answer = registry("CreateModelPackage", ModelPackageGroupName=group, **given)
    return str(answer["ModelPackageArn"])


def refused(registry: Any, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(ServiceError) as error:
        registry(operation, **request)
    return error.value.code, error.value.message


def test_everything_given_is_described(registry: Any, group: str) -> None:
    arn = register(registry, group, **FULL, Tags=[{"Key": "a", "Value": "1"}])
    package = registry("DescribeModelPackage", ModelPackageName=arn)
    assert package.items() >= FULL.items()
    assert package["ModelPackageGroupName"] == group
    assert package["ModelPackageVersion"] == 1
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelPackageStatusDetails"] == {
        "ValidationStatuses": [{"Name": "profile", "Status": "NotStarted"}],
        "ImageScanStatuses": [],
    }
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["CreatedBy"]["IamIdentity"]["Arn"].endswith(":assumed-role/LocalSageMakerRole/local-sagemaker")
    assert not {"ModelPackageName", "ClientToken", "Tags"} & set(package)
    assert registry("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
    only = registry("DescribeModelPackage", ModelPackageName=arn, IncludedData="MetadataOnly")
    assert "ModelCard" not in only


def test_empty_structures_of_the_sdk_are_taken(registry: Any, group: str) -> None:
    arn = register(registry, group, ModelMetrics={"Explainability": {}, "ModelQuality": {"Statistics": source("a")}})
    assert registry("DescribeModelPackage", ModelPackageName=arn)["ModelMetrics"]["Explainability"] == {}


def test_versions_count_up_and_are_never_given_twice(registry: Any, group: str) -> None:
    arns = [register(registry, name) for name in (group, group.lower(), f"{ARN}:model-package-group/{group.lower()}")]
    assert arns == [f"{ARN}:model-package/abalone-group/{number}" for number in (1, 2, 3)]
    registry("DeleteModelPackage", ModelPackageName=arns[2])
    registry("DeleteModelPackage", ModelPackageName=arns[0])
    assert register(registry, group) == f"{ARN}:model-package/abalone-group/4"
    listed = registry("ListModelPackages", ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in listed] == [2, 4]


def test_a_client_token_is_used_once(registry: Any, group: str) -> None:
    first = register(registry, group, ClientToken="t")
    assert register(registry, group, ClientToken="t") == first
    second = register(registry, group, ClientToken="u")
    assert second != first
    registry("DeleteModelPackage", ModelPackageName=second)  # the token means nothing any more
    assert register(registry, group, ClientToken="u") == f"{ARN}:model-package/abalone-group/3"
    code, _ = refused(registry, "CreateModelPackage", ModelPackageGroupName=group, Domain="x", ClientToken="t")
    assert code == "ConflictException"


def test_a_package_without_a_group_has_its_own_name(registry: Any) -> None:
    answer = registry("CreateModelPackage", ModelPackageName="Alone", InferenceSpecification=SPECIFICATION)
    assert answer["ModelPackageArn"] == f"{ARN}:model-package/alone"
    for name in ("Alone", "alone", answer["ModelPackageArn"]):
        package = registry("DescribeModelPackage", ModelPackageName=name)
        assert package["ModelPackageName"] == "Alone"
        assert "ModelApprovalStatus" not in package
    code, text = refused(registry, "CreateModelPackage", ModelPackageName="ALONE", InferenceSpecification=SPECIFICATION)
    assert (code, text) == ("ValidationException", f"ModelPackage already exists: {answer['ModelPackageArn']}")


def test_approval_is_published_and_noted(registry: Any, group: str) -> None:
    arn = register(registry, group)
    answer = registry(
        "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good"
    )
    assert answer == {"ModelPackageArn": arn}
    package = registry("DescribeModelPackage", ModelPackageName=arn)
    assert not [member for member in package if member.startswith("_")]
    assert (package["ModelApprovalStatus"], package["ApprovalDescription"]) == ("Approved", "good")
    assert package["LastModifiedTime"] >= package["CreationTime"]
    assert "IamIdentity" in package["LastModifiedBy"]
    seen = [(event.arn, event.kind, event.status) for event in registry.events if event.kind == "model-package"]
    assert seen == [(arn, "model-package", "PendingManualApproval"), (arn, "model-package", "Approved")]


def test_updates_merge_and_replace(registry: Any, group: str) -> None:
    arn = register(
        registry,
        group,
        CustomerMetadataProperties={"keep": "1", "drop": "2", "change": "3"},
        ModelCard={"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        AdditionalInferenceSpecifications=[{"Name": "one", "Containers": [{"Image": IMAGE}]}],
    )
    two = {"Name": "two", "Containers": [{"Image": IMAGE}]}
    registry(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"change": "4", "new": "5"},
        CustomerMetadataPropertiesToRemove=["drop", "absent"],
        ModelCard={"ModelCardStatus": "Approved"},
        AdditionalInferenceSpecificationsToAdd=[two],
        SourceUri="s3://b/source",
        ModelLifeCycle={"Stage": "Staging", "StageStatus": "Approved"},
    )
    package = registry("DescribeModelPackage", ModelPackageName=arn)
    assert package["CustomerMetadataProperties"] == {"keep": "1", "change": "4", "new": "5"}
    assert package["ModelCard"] == {"ModelCardContent": "{}", "ModelCardStatus": "Approved"}
    assert [one["Name"] for one in package["AdditionalInferenceSpecifications"]] == ["one", "two"]
    assert (package["SourceUri"], package["ModelLifeCycle"]["Stage"]) == ("s3://b/source", "Staging")
    assert package["InferenceSpecification"] == SPECIFICATION
    code, _ = refused(registry, "UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[two])
    assert code == "ValidationException"


LISTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["alone", "z-alone"]),
    ({"ModelPackageType": "Both"}, ["g/1", "alone", "g/2", "other/1", "z-alone"]),
    ({"ModelPackageType": "Versioned"}, ["g/1", "g/2", "other/1"]),
    ({"ModelPackageGroupName": "G"}, ["g/1", "g/2"]),
    ({"ModelPackageGroupName": f"{ARN}:model-package-group/g"}, ["g/1", "g/2"]),
    ({"ModelPackageGroupName": "g", "SortOrder": "Descending"}, ["g/2", "g/1"]),
    ({"ModelPackageGroupName": "g", "ModelApprovalStatus": "Approved"}, ["g/2"]),
    ({"ModelPackageGroupName": "none"}, []),
    ({"ModelPackageType": "Both", "SortBy": "Name"}, ["alone", "g/1", "g/2", "other/1", "z-alone"]),
    ({"NameContains": "Z-"}, ["z-alone"]),
    ({"CreationTimeBefore": 1.0}, []),
]


@pytest.mark.parametrize(("request_", "expected"), LISTS)
def test_lists(registry: Any, request_: dict[str, Any], expected: list[str]) -> None:
    for name in ("g", "other"):
        registry("CreateModelPackageGroup", ModelPackageGroupName=name)
    register(registry, "g")
    registry("CreateModelPackage", ModelPackageName="alone", InferenceSpecification=SPECIFICATION)
    register(registry, "g", ModelApprovalStatus="Approved")
    register(registry, "other")
    registry("CreateModelPackage", ModelPackageName="z-alone", InferenceSpecification=SPECIFICATION)
    listed = registry("ListModelPackages", **request_)["ModelPackageSummaryList"]
    assert [one["ModelPackageArn"].split("model-package/")[1] for one in listed] == expected


def test_lists_come_in_pages(registry: Any, group: str) -> None:
    for _ in range(12):
        register(registry, group)
    first = registry("ListModelPackages", ModelPackageGroupName=group)
    assert len(first["ModelPackageSummaryList"]) == 10
    rest = registry("ListModelPackages", ModelPackageGroupName=group, NextToken=first["NextToken"])
    assert [one["ModelPackageVersion"] for one in rest["ModelPackageSummaryList"]] == [11, 12]
    assert "NextToken" not in rest


def test_many_are_described_at_once(registry: Any, group: str) -> None:
    arn = register(registry, group)
    missing = f"{ARN}:model-package/{group.lower()}/9"
    answer = registry("BatchDescribeModelPackage", ModelPackageArnList=[arn, missing])
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == SPECIFICATION
    assert answer["BatchDescribeModelPackageErrorMap"][missing]["ErrorCode"] == "ValidationException"


def test_groups(registry: Any) -> None:
    for name in ("b", "A"):
        registry("CreateModelPackageGroup", ModelPackageGroupName=name, ModelPackageGroupDescription=f"group {name}")

    def names(**request: Any) -> list[str]:
        listed = registry("ListModelPackageGroups", **request)["ModelPackageGroupSummaryList"]
        return [one["ModelPackageGroupName"] for one in listed]

    assert names() == ["b", "A"]
    assert names(SortOrder="Descending") == ["A", "b"]
    assert names(SortBy="Name") == ["A", "b"]
    assert names(NameContains="a") == ["A"]
    for name in ("a", "A", f"{ARN}:model-package-group/a"):
        described = registry("DescribeModelPackageGroup", ModelPackageGroupName=name)
        assert described["ModelPackageGroupDescription"] == "group A"
        assert described["ModelPackageGroupStatus"] == "Completed"
        assert not [member for member in described if member.startswith("_")]


def test_a_group_with_packages_cannot_be_deleted(registry: Any, group: str) -> None:
    arn = register(registry, group)
    code, _ = refused(registry, "DeleteModelPackageGroup", ModelPackageGroupName=group)
    assert code == "ConflictException"
    registry("DeleteModelPackage", ModelPackageName=arn)
    registry("DeleteModelPackageGroup", ModelPackageGroupName=group)
    missing = ("ValidationException", f"ModelPackageGroup {ARN}:model-package-group/abalone-group does not exist.")
    assert refused(registry, "DescribeModelPackageGroup", ModelPackageGroupName=group) == missing


def test_group_policies(registry: Any, group: str) -> None:
    none = ("ValidationException", f"Cannot find resource policy for: {ARN}:model-package-group/abalone-group")
    for operation in ("GetModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy"):
        assert refused(registry, operation, ModelPackageGroupName=group) == none
        missing = ("ValidationException", f"Cannot find Model Package Group: {ARN}:model-package-group/gone")
        assert refused(registry, operation, ModelPackageGroupName="gone") == missing
    registry("PutModelPackageGroupPolicy", ModelPackageGroupName=group, ResourcePolicy='{"Statement": []}')
    answer = registry("GetModelPackageGroupPolicy", ModelPackageGroupName=group)
    assert answer == {"ResourcePolicy": '{"Statement": []}'}
    registry("DeleteModelPackageGroupPolicy", ModelPackageGroupName=group)
    assert refused(registry, "GetModelPackageGroupPolicy", ModelPackageGroupName=group) == none


@pytest.mark.parametrize(
    ("operation", "request_", "text"),
    [
        (
            "CreateModelPackageGroup",
            {"ModelPackageGroupName": "ABALONE-group"},
            f"Model Package Group already exists: {ARN}:model-package-group/abalone-group",
        ),
        ("CreateModelPackage", {"ModelPackageGroupName": "none"}, "Model Package Group does not exist."),
        ("CreateModelPackage", {}, "Missing ARN."),
        (
            "CreateModelPackage",
            {"ModelPackageGroupName": "Abalone-Group", "ModelPackageName": "x"},
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use.",
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{ARN}:model-package/abalone-group/7"},
            f"ModelPackage {ARN}:model-package/abalone-group/7 does not exist.",
        ),
        (
            "UpdateModelPackage",
            {"ModelPackageArn": f"{ARN}:model-package/abalone-group/7", "ModelApprovalStatus": "Approved"},
            f"ModelPackage {ARN}:model-package/abalone-group/7 does not exist.",
        ),
        ("DeleteModelPackage", {"ModelPackageName": "none"}, f"ModelPackage {ARN}:model-package/none does not exist."),
        (
            "CreateModelPackage",
            {
                "ModelPackageName": "alone",
                "InferenceSpecification": {"Containers": [{"Image": IMAGE, "Environment": {"A": "b"}}]},
            },
            "1 validation errors detected:Environment variable map cannot be specified when using non-versioned "
            "ModelPackages",
        ),
        (
            "DescribeModelPackage",
            {"ModelPackageName": f"{ELSEWHERE}:model-package/abalone-group/1"},
            "ARN should be scoped to correct region: us-east-1",
        ),
        (
            "DescribeModelPackageGroup",
            {"ModelPackageGroupName": f"{ELSEWHERE}:model-package-group/abalone-group"},
            "ARN should be scoped to correct region: us-east-1",
        ),
        (
            "DescribeModelPackageGroup",
            {"ModelPackageGroupName": f"{OTHERS}:model-package-group/abalone-group"},
            f"ModelPackageGroup {OTHERS}:model-package-group/abalone-group does not exist.",
        ),
    ],
)
def test_texts(registry: Any, group: str, operation: str, request_: dict[str, Any], text: str) -> None:
    assert refused(registry, operation, **request_) == ("ValidationException", text)


def test_a_failed_registration_uses_no_version(registry: Any, group: str) -> None:
    registry.records.insert("model-package", f"{group.lower()}/1", {"ModelPackageArn": "in the way"})
    with pytest.raises(Exception, match="model-package"):
        register(registry, group)
    registry.records.delete("model-package", f"{group.lower()}/1")
    assert register(registry, group).endswith("/1")


def test_an_update_with_a_token_of_an_earlier_one_is_not_done_again(registry: Any) -> None:
    arn = registry("CreateModelPackage", ModelPackageName="alone")["ModelPackageArn"]
    specification = {"Name": "extra", "Containers": [{"Image": "image"}]}
    change = {
        "ModelPackageArn": arn,
        "AdditionalInferenceSpecificationsToAdd": [specification],
        "ClientToken": "t" * 36,
    }
    for _ in range(2):
        assert registry("UpdateModelPackage", **change)["ModelPackageArn"] == arn
    shown = registry("DescribeModelPackage", ModelPackageName=arn)
    assert len(shown["AdditionalInferenceSpecifications"]) == 1
