"""Endpoint configurations: which models an endpoint runs, how many of them, and what is captured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, NameTaken, ValidationError
from local_sagemaker.objects import uris
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import ENDPOINT_CONFIG
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.model_containers import refuse_data_source
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags

KIND = ENDPOINT_CONFIG.kind
_MEMORY_STEP = 1024  # of MemorySizeInMB (API reference, ProductionVariantServerlessConfig)


class EndpointConfigs(Resource):
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig."""

    def __init__(self, *, settings: Settings, records: Records, tags: Tags, call: Call) -> None:
        self._call = call
        self._configs = ResourceRecords(
            ENDPOINT_CONFIG, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: MissingResource(f'Could not find endpoint configuration "{arn}".'),
            taken=lambda _, arn: NameTaken(f'Cannot create already existing endpoint configuration "{arn}".'),
        )  # fmt: skip

    @operation("CreateEndpointConfig")
    def create(self, request: Request) -> Response:
        """Adds a configuration; the models that it names must exist."""
        name = request["EndpointConfigName"]
        arn = self._configs.arn(name)
        self._configs.refuse_taken(name)
        for variant in (*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())):
            self._check_variant(variant)
        _check_names(request)
        _check_capture(request)
        body = {**request, "EndpointConfigArn": arn, "CreationTime": now()}
        for kind in ("ProductionVariants", "ShadowProductionVariants"):
            if kind in request:
                body[kind] = [{"InitialVariantWeight": 1.0, **variant} for variant in request[kind]]
        body.setdefault("EnableNetworkIsolation", False)
        tags = body.pop("Tags", None)
        self._configs.insert(body, tags)
        return {"EndpointConfigArn": arn}

    @operation("DescribeEndpointConfig")
    def describe(self, request: Request) -> Response:
        """The configuration as it was created, with defaults."""
        return self._configs.require(request["EndpointConfigName"])

    @operation("ListEndpointConfigs")
    def list_configs(self, request: Request) -> Response:
        """Newest first unless requested otherwise."""
        chosen, token = self._configs.page(request)
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return {"EndpointConfigs": [pick(body, *members) for body in chosen], **token}

    @operation("DeleteEndpointConfig", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets the configuration; endpoints that were made of it continue."""
        body = self._configs.delete(request["EndpointConfigName"])
        if body is None:  # AWS names it here without its ARN (contracts: api-errors 1)
            raise MissingResource(f'Could not find endpoint configuration "{request["EndpointConfigName"]}".')
        return {}

    def _check_variant(self, variant: dict[str, Any]) -> None:
        name = variant["VariantName"]
        if "ModelName" not in variant:
            raise ValidationError(
                f"Production variant {name} has no ModelName. Inference components are not supported by the local "
                "service."
            )
        model = self._call("sagemaker:DescribeModel", {"ModelName": variant["ModelName"]})
        serverless = variant.get("ServerlessConfig")
        if serverless is None:
            if "InitialInstanceCount" not in variant or "InstanceType" not in variant:
                raise ValidationError(
                    f"Production variant {name} needs InitialInstanceCount and InstanceType, or a ServerlessConfig."
                )
            return
        if "InitialInstanceCount" in variant or "InstanceType" in variant:
            raise ValidationError(f"Production variant {name} can't have both instances and a ServerlessConfig.")
        _check_serverless(name, serverless, model)


def _check_serverless(name: str, config: Mapping[str, Any], model: dict[str, Any]) -> None:
    """What serverless endpoints do not have (developer guide, "Feature exclusions"), and their sizes."""
    if config["MemorySizeInMB"] % _MEMORY_STEP:
        raise ValidationError(
            f"MemorySizeInMB of production variant {name} must be one of 1024, 2048, 3072, 4096, 5120, 6144."
        )
    check_concurrency(name, config)
    refuse_data_source(model, "serverless endpoints")
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    if len(containers) > 1 or containers[0].get("Mode") == "MultiModel":
        raise ValidationError(
            f"Production variant {name} is serverless: multi-model endpoints and inference pipelines are not."
        )
    if "VpcConfig" in model or model["EnableNetworkIsolation"]:
        raise ValidationError(
            f"Production variant {name} is serverless: models with VpcConfig or network isolation are not."
        )


def check_concurrency(name: str, config: Mapping[str, Any]) -> None:
    """ProvisionedConcurrency is at most MaxConcurrency (API reference, ProductionVariantServerlessConfig)."""
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise ValidationError(
            f"ProvisionedConcurrency of production variant {name} must be less than or equal to its MaxConcurrency, "
            f"{config['MaxConcurrency']}."
        )


def _check_names(request: Request) -> None:
    variants = [*request["ProductionVariants"], *request.get("ShadowProductionVariants", ())]
    names = [variant["VariantName"] for variant in variants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValidationError(f"Duplicate variant names in the request: {', '.join(twice)}.")
    serverless = [variant for variant in request["ProductionVariants"] if "ServerlessConfig" in variant]
    if serverless and len(variants) > 1:
        raise ValidationError("A serverless endpoint can have only one production variant.")
    capture = request.get("DataCaptureConfig")
    if serverless and capture and capture.get("EnableCapture", True):
        raise ValidationError("Data capture is not supported by serverless endpoints.")
    if "AsyncInferenceConfig" in request and "S3OutputPath" not in request["AsyncInferenceConfig"]["OutputConfig"]:
        raise ValidationError("OutputConfig of an asynchronous endpoint needs an S3OutputPath.")
    if "AsyncInferenceConfig" in request and (serverless or len(variants) > 1):
        raise ValidationError("An asynchronous endpoint has one production variant, on instances.")


def _check_capture(request: Request) -> None:
    """Locations must be S3 URIs with a bucket."""
    capture = request.get("DataCaptureConfig")
    if capture:
        uris.split(capture["DestinationS3Uri"])
    output = request.get("AsyncInferenceConfig", {}).get("OutputConfig", {})
    for member in ("S3OutputPath", "S3FailurePath"):
        if member in output:
            uris.split(output[member])
