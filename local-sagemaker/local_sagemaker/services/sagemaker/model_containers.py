"""The containers of a model: what a model package stands for, and whether the archives they name exist."""

from __future__ import annotations

from typing import Any

from local_sagemaker import images
from local_sagemaker.api.operations import Call
from local_sagemaker.errors import ValidationError
from local_sagemaker.objects.types import Objects
from local_sagemaker.objects.uris import split

Container = dict[str, Any]

# What a package's container says of how it is run; the rest of it describes the model.
_DESCRIBED = ("Image", "ModelDataUrl", "ModelDataSource")
_FROM_PACKAGE = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "Environment")


def resolve(containers: list[Container], call: Call) -> list[Container]:
    """The containers with image, data and environment taken from the model packages that they name."""
    resolved: list[Container] = []
    for container in containers:
        described = [member for member in _DESCRIBED if member in container]
        if ("ModelPackageName" in container) == bool(described) or ("Image" not in container and described):
            raise ValidationError(
                "Specify one of either Image and Model Data URL or ModelPackageName in container definition."
            )  # seen in a public notebook, for an image beside a package
        if described:
            resolved.append({"Mode": "SingleModel", "Environment": {}, **container})
        else:
            resolved += _from_package(container, call)
    return resolved


def refuse_data_source(model: Container, place: str) -> None:
    """Refuses a described model with a ModelDataSource where AWS takes none (API reference, ContainerDefinition).

    The text's beginning was seen for serverless endpoints.
    """
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    if any("ModelDataSource" in container for container in containers):
        raise ValidationError(f"Model with containers that use ModelDataSource is not supported by {place}.")


def check_hostnames(containers: list[Container]) -> None:
    """All containers of a request have a ContainerHostname or none has (API reference), whatever their packages say."""
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(containers) < 2 or not names:
        return
    if len(names) < len(containers):
        raise ValidationError("ContainerHostname must be specified for every container, or for none.")


def check_unique_hostnames(containers: list[Container]) -> None:
    """No two containers have the same ContainerHostname (API reference), also where packages give it."""
    names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(set(names)) < len(names):
        raise ValidationError(f"ContainerHostname must be unique for each container: {', '.join(names)}.")


def _from_package(container: Container, call: Call) -> list[Container]:
    package = call("sagemaker:DescribeModelPackage", {"ModelPackageName": container["ModelPackageName"]})
    specification = package.get("InferenceSpecification")
    if name := container.get("InferenceSpecificationName"):
        offered = package.get("AdditionalInferenceSpecifications", [])
        specification = next((one for one in offered if one["Name"] == name), None)
        if specification is None:
            raise ValidationError(
                f'Model package "{package["ModelPackageArn"]}" has no inference specification "{name}".'
            )
    if not specification:
        raise ValidationError(f'Model package "{package["ModelPackageArn"]}" has no inference specification.')
    resolved = []
    for part in specification["Containers"]:
        taken = {member: part[member] for member in _FROM_PACKAGE if member in part}
        environment = {**part.get("Environment", {}), **container.get("Environment", {})}
        resolved.append({"Mode": "SingleModel", **taken, **container, "Environment": environment})
    return resolved


def check_image(uri: str, account: str) -> None:
    """Raises AWS's text (public threads) for an image of the account's own registry that is not known here.

    AWS finds out about images of other accounts only when the model is to be served, and so does this service.
    """
    if not uri.startswith(f"{account}.dkr.ecr."):
        return
    try:
        images.find(uri, "serve")
    except ValidationError as error:
        raise ValidationError(f"Requested image {uri} not found. {error.message}") from error


def check_data(container: Container, objects: Objects) -> None:
    """Raises AWS's text when an archive that the container names does not exist.

    The data of a multi-model container is a prefix that models may be added to later: not checked.
    """
    if container.get("Mode") == "MultiModel":
        return
    if url := container.get("ModelDataUrl"):
        _check_object(url, objects)
    sources = [container.get("ModelDataSource", {}), *container.get("AdditionalModelDataSources", [])]
    for source in (source["S3DataSource"] for source in sources if "S3DataSource" in source):
        if source.get("S3DataType") == "S3Prefix":
            bucket, prefix = split(source["S3Uri"])
            if not objects.bucket_exists(bucket) or next(iter(objects.list(bucket, prefix)), None) is None:
                raise _no_model_data(source["S3Uri"])
        else:
            _check_object(source["S3Uri"], objects)


def _check_object(url: str, objects: Objects) -> None:
    bucket, key = split(url)
    if not objects.bucket_exists(bucket) or objects.head(bucket, key) is None:
        raise _no_model_data(f"s3://{bucket}/{key}")


def _no_model_data(uri: str) -> ValidationError:
    return ValidationError(f"Could not find model data at {uri}.")  # contracts: api-errors 3
