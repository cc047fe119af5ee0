"""Which endpoints serve which model versions, and how a version is deployed: CreateModel, config, endpoint."""

from __future__ import annotations

import re
from typing import Any

from local_sagemaker.errors import ServiceError, ValidationError
from local_sagemaker.ids import instant
from local_sagemaker.studio.page import Visit
from local_sagemaker.studio.pages.listing import items_or_none
from local_sagemaker.studio.views.numbers import whole

_MOST = 100
_UNFIT = re.compile(r"[^A-Za-z0-9-]+")


def serving(visit: Visit) -> dict[str, list[str]]:
    """Names of endpoints by the ARN (lower case) of the model package that they serve."""
    endpoints: dict[str, list[str]] = {}
    for item in items_or_none(visit, "sagemaker:ListEndpoints", "Endpoints", _MOST, MaxResults=_MOST):
        name = item["EndpointName"]
        for arn in packages_of(visit, name):
            endpoints.setdefault(arn, []).append(name)
    return endpoints


def packages_of(visit: Visit, endpoint: str) -> list[str]:
    """The model packages (ARNs in lower case) that an endpoint's variants serve."""
    body = visit.optional("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
    name = (body or {}).get("EndpointConfigName", "")
    config = visit.optional("sagemaker:DescribeEndpointConfig", {"EndpointConfigName": name}) if name else None
    packages = []
    for variant in (config or {}).get("ProductionVariants", []):
        model = visit.optional("sagemaker:DescribeModel", {"ModelName": variant.get("ModelName", "")}) or {}
        for container in [model.get("PrimaryContainer", {}), *model.get("Containers", [])]:
            if container.get("ModelPackageName"):
                packages.append(str(container["ModelPackageName"]).lower())
    return packages


def version_name(visit: Visit, arn: str) -> str:
    """Group and number of a model version, as they are written: its ARN has the name in lower case."""
    package = visit.optional("sagemaker:DescribeModelPackage", {"ModelPackageName": arn}) or {}
    group, number = package.get("ModelPackageGroupName"), package.get("ModelPackageVersion")
    return f"{group}/{number}" if group and number else arn.rpartition("model-package/")[2]


def deploy(visit: Visit, package: dict[str, Any]) -> str:
    """Makes a model and a config of the version, and creates or updates the endpoint; its name."""
    endpoint = visit.field("endpoint").strip()
    if not endpoint:
        raise ValidationError("The endpoint needs a name.")
    arn = package["ModelPackageArn"]
    base = _UNFIT.sub("-", f"{package.get('ModelPackageGroupName', 'model')}-{package.get('ModelPackageVersion', 1)}")
    name = f"{base[:40].strip('-')}-{instant(visit.now)}"
    role, container = visit.reads.settings.role_arn, {"ModelPackageName": arn}
    visit.call("sagemaker:CreateModel", {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": container})
    request = {"EndpointName": endpoint, "EndpointConfigName": name}
    try:
        running = visit.call("sagemaker:DescribeEndpoint", {"EndpointName": endpoint})
    except ServiceError:
        visit.call("sagemaker:CreateEndpointConfig", _config(visit, name, {}))
        visit.call("sagemaker:CreateEndpoint", request)
    else:
        key = {"EndpointConfigName": running.get("EndpointConfigName", "")}
        before = visit.optional("sagemaker:DescribeEndpointConfig", key) or {}
        visit.call("sagemaker:CreateEndpointConfig", _config(visit, name, before))
        visit.call("sagemaker:UpdateEndpoint", request)
    return endpoint


def _config(visit: Visit, name: str, before: dict[str, Any]) -> dict[str, Any]:
    """The request of CreateEndpointConfig that the form says. What is captured stays as it was, unless it says."""
    variant = {
        "VariantName": "AllTraffic", "ModelName": name, "InstanceType": visit.field("instance", "ml.m5.large"),
        "InitialInstanceCount": _count(visit.field("count", "1")), "InitialVariantWeight": 1.0,
    }  # fmt: skip
    config: dict[str, Any] = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    if visit.field("capture"):
        config["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": visit.field("capture"),
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        }
    elif before.get("DataCaptureConfig"):
        config["DataCaptureConfig"] = before["DataCaptureConfig"]
    return config


def _count(text: str) -> int:
    number = whole(text, -1)
    if number < 0:
        raise ValidationError(f"'{text}' is no number of instances.")
    return number
