"""Models: archives that must exist, containers from model packages, texts, order."""

from __future__ import annotations

from typing import Any

import pytest

from local_sagemaker.errors import ServiceError

ROLE = "arn:aws:iam::123456789012:role/LocalSageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
ARCHIVE = "s3://bucket/out/model.tar.gz"


def test_a_model_is_echoed(registry: Any) -> None:
    registry.upload(ARCHIVE)
    container = {"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Environment": {"A": "b"}}
    answer = registry(
        "CreateModel",
        ModelName="My-Model",
        PrimaryContainer=container,
        ExecutionRoleArn=ROLE,
        VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        InferenceExecutionConfig={"Mode": "Serial"},
        Tags=[{"Key": "a", "Value": "1"}],
    )
    assert answer["ModelArn"] == "arn:aws:sagemaker:us-east-1:123456789012:model/my-model"
    model = registry("DescribeModel", ModelName="My-Model")
    assert model["PrimaryContainer"] == {**container, "Mode": "SingleModel"}
    assert model["ExecutionRoleArn"] == ROLE
    assert model["EnableNetworkIsolation"] is False
    assert "Containers" not in model and "Tags" not in model
    assert registry("ListTags", ResourceArn=answer["ModelArn"])["Tags"] == [{"Key": "a", "Value": "1"}]


@pytest.mark.parametrize(
    ("container", "uri"),
    [
        ({"ModelDataUrl": "s3://bucket/none.tar.gz"}, "s3://bucket/none.tar.gz"),
        ({"ModelDataUrl": "s3://nowhere/m.tar.gz"}, "s3://nowhere/m.tar.gz"),
        ({"ModelDataUrl": "https://s3.us-east-1.amazonaws.com/bucket/m.tar.gz"}, "s3://bucket/m.tar.gz"),
        (
            {
                "ModelDataSource": {
                    "S3DataSource": {
                        "S3Uri": "s3://bucket/folder/",
                        "S3DataType": "S3Prefix",
                        "CompressionType": "None",
                    }
                }
            },
            "s3://bucket/folder/",
        ),
        (
            {
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://bucket/x", "S3DataType": "S3Object", "CompressionType": "Gzip"}
                }
            },
            "s3://bucket/x",
        ),
    ],
)
def test_missing_archives_are_named(registry: Any, container: dict[str, Any], uri: str) -> None:
    registry.upload("s3://bucket/other")
    with pytest.raises(ServiceError) as error:
        registry("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE, **container})
    assert (error.value.code, error.value.message) == ("ValidationException", f"Could not find model data at {uri}.")
    with pytest.raises(ServiceError, match="Could not find model"):
        registry("DescribeModel", ModelName="m")


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"ModelDataUrl": "https://bucket.s3.us-east-1.amazonaws.com/out/model.tar.gz"},
        {
            "ModelDataUrl": "s3://bucket/models/",
            "Mode": "MultiModel",
            "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
        },
        {
            "ModelDataSource": {
                "S3DataSource": {"S3Uri": "s3://bucket/out/", "S3DataType": "S3Prefix", "CompressionType": "None"}
            }
        },
    ],
)
def test_archives_may_be_given_in_several_forms(registry: Any, container: dict[str, Any]) -> None:
    registry.upload(ARCHIVE)
    registry("CreateModel", ModelName="m", PrimaryContainer={"Image": IMAGE, **container})
    described = registry("DescribeModel", ModelName="m")["PrimaryContainer"]
    assert described.items() >= container.items()


def test_a_name_is_taken_whatever_its_case(registry: Any) -> None:
    registry("CreateModel", ModelName="Model", PrimaryContainer={"Image": IMAGE})
    with pytest.raises(ServiceError) as error:
        registry("CreateModel", ModelName="mODEL", PrimaryContainer={"Image": IMAGE})
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model/model"
    assert error.value.message == f'Cannot create already existing model "{arn}".'
    assert error.value.code == "ValidationException"
    assert registry("DescribeModel", ModelName="MODEL")["ModelName"] == "Model"
    registry("DeleteModel", ModelName="model")
    for operation in ("DescribeModel", "DeleteModel"):
        with pytest.raises(ServiceError) as error:
            registry(operation, ModelName="Model")
        assert (error.value.code, error.value.message) == ("ValidationException", f'Could not find model "{arn}".')


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]},
        {"Containers": []},
    ],
)
def test_containers_must_say_what_runs(registry: Any, request_: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as error:
        registry("CreateModel", ModelName="m", **request_)
    assert error.value.code == "ValidationException"


@pytest.mark.parametrize(
    "container",
    [
        {},
        {"ModelDataUrl": ARCHIVE},
        {"Image": IMAGE, "ModelPackageName": "package"},
        {"ModelDataUrl": ARCHIVE, "ModelPackageName": "package"},
    ],
)
def test_a_container_is_described_or_a_package(registry: Any, container: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as error:
        registry("CreateModel", ModelName="m", PrimaryContainer=container)
    text = "Specify one of either Image and Model Data URL or ModelPackageName in container definition."
    assert (error.value.code, error.value.message) == ("ValidationException", text)


def test_models_of_several_archives_have_no_data_source(registry: Any) -> None:
    registry.upload("s3://bucket/models/xgboost-model")
    source = {"S3DataSource": {"S3Uri": "s3://bucket/models/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    container = {"Image": IMAGE, "ModelDataSource": source}
    with pytest.raises(ServiceError, match="Model with containers that use ModelDataSource is not supported by multi"):
        registry("CreateModel", ModelName="m", PrimaryContainer={**container, "Mode": "MultiModel"})
    registry("CreateModel", ModelName="m", PrimaryContainer=container)


def test_host_names_of_containers_are_all_given_and_differ(registry: Any) -> None:
    def create(*names: str | None) -> None:
        containers = [{"Image": IMAGE, **({"ContainerHostname": name} if name else {})} for name in names]
        registry("CreateModel", ModelName="m", Containers=containers)

    for names in (("a", "a"), ("a", None)):
        with pytest.raises(ServiceError, match="ContainerHostname must be"):
            create(*names)
    create("a", "b")


def test_an_image_of_one_s_own_registry_must_be_there(registry: Any) -> None:
    """Others are asked for only when the model is served."""
    own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/{}:1"
    with pytest.raises(ServiceError) as error:
        registry("CreateModel", ModelName="m", PrimaryContainer={"Image": own.format("mine")})
    assert error.value.message.startswith(f"Requested image {own.format('mine')} not found. The image '")
    assert "images.json" in error.value.message
    for image in (own.format("sagemaker-xgboost"), "763104351884.dkr.ecr.us-east-1.amazonaws.com/theirs:1", "x:1"):
        registry("CreateModel", ModelName=image.split("/")[-1].replace(":", "-"), PrimaryContainer={"Image": image})


def register(registry: Any, **request: Any) -> str:
    registry("CreateModelPackageGroup", ModelPackageGroupName="Group")
    return str(registry("CreateModelPackage", ModelPackageGroupName="Group", **request)["ModelPackageArn"])


def test_a_package_gives_image_data_and_environment(registry: Any) -> None:
    registry.upload(ARCHIVE)
    registry.upload("s3://bucket/small.tar.gz")
    container = {"Image": IMAGE, "ModelDataUrl": ARCHIVE, "Environment": {"A": "package", "B": "package"}}
    arn = register(
        registry,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
        AdditionalInferenceSpecifications=[
            {"Name": "small", "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/small.tar.gz"}]}
        ],
    )
    registry("CreateModel", ModelName="a", Containers=[{"ModelPackageName": arn, "Environment": {"B": "model"}}])
    described = registry("DescribeModel", ModelName="a")["Containers"]
    assert described == [
        {
            "Image": IMAGE,
            "ModelDataUrl": ARCHIVE,
            "Environment": {"A": "package", "B": "model"},
            "Mode": "SingleModel",
            "ModelPackageName": arn,
        }
    ]
    small = {"ModelPackageName": arn, "InferenceSpecificationName": "small"}
    registry("CreateModel", ModelName="b", PrimaryContainer=small)
    described = registry("DescribeModel", ModelName="b")["PrimaryContainer"]
    assert described["ModelDataUrl"] == "s3://bucket/small.tar.gz"
    with pytest.raises(ServiceError, match='has no inference specification "none"'):
        registry("CreateModel", ModelName="c", PrimaryContainer={**small, "InferenceSpecificationName": "none"})
    with pytest.raises(ServiceError, match=r"ModelPackage .*model-package/group/9 does not exist"):
        registry("CreateModel", ModelName="c", PrimaryContainer={"ModelPackageName": arn[:-1] + "9"})


def test_a_package_of_several_containers_makes_an_inference_pipeline(registry: Any) -> None:
    arn = register(registry, InferenceSpecification={"Containers": [{"Image": IMAGE}, {"Image": f"{IMAGE}-cpu-py3"}]})
    registry("CreateModel", ModelName="chain", PrimaryContainer={"ModelPackageName": arn})
    specification = {"Containers": [{"Image": IMAGE, "ContainerHostname": "a"}], "SupportedContentTypes": ["text/csv"]}
    named = registry("CreateModelPackage", ModelPackageGroupName="Group", InferenceSpecification=specification)
    named = named["ModelPackageArn"]
    registry("CreateModel", ModelName="half-named", Containers=[{"ModelPackageName": named}, {"Image": IMAGE}])
    described = registry("DescribeModel", ModelName="chain")
    assert [one["Image"] for one in described["Containers"]] == [IMAGE, f"{IMAGE}-cpu-py3"]


def test_models_are_listed_newest_first_page_by_page(registry: Any) -> None:
    for name in ("b", "a", "c", "ab"):
        registry("CreateModel", ModelName=name, PrimaryContainer={"Image": IMAGE})

    def names(**request: Any) -> list[str]:
        return [model["ModelName"] for model in registry("ListModels", **request)["Models"]]

    assert names() == ["ab", "c", "a", "b"]
    assert names(SortOrder="Ascending") == ["b", "a", "c", "ab"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["a", "ab", "b", "c"]
    assert names(NameContains="A") == ["ab", "a"]
    assert names(CreationTimeAfter=4_000_000_000.0) == []
    first = registry("ListModels", MaxResults=3)
    assert names(MaxResults=3, NextToken=first["NextToken"]) == ["b"]
