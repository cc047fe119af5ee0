"""Models: which container runs which archive. Endpoints and transform jobs are made from them."""

from __future__ import annotations

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import MissingResource, NameTaken, ValidationError
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.kinds import MODEL
from local_sagemaker.services.sagemaker.listing import pick
from local_sagemaker.services.sagemaker.model_containers import (
    check_data,
    check_hostnames,
    check_image,
    check_unique_hostnames,
    refuse_data_source,
    resolve,
)
from local_sagemaker.services.sagemaker.resource_records import ResourceRecords
from local_sagemaker.services.sagemaker.tags import Tags


class ModelOperations(Resource):
    """CreateModel, DescribeModel, ListModels, DeleteModel. Names are equal when they differ only in case."""

    def __init__(self, *, settings: Settings, records: Records, objects: Objects, tags: Tags, call: Call) -> None:
        self._account = settings.account
        self._objects = objects
        self._call = call
        self._models = ResourceRecords(
            MODEL, settings=settings, records=records, tags=tags,
            missing=lambda _, arn: MissingResource(f'Could not find model "{arn}".'),
            taken=lambda _, arn: NameTaken(f'Cannot create already existing model "{arn}".'),
        )  # fmt: skip

    @operation("CreateModel")
    def create(self, request: Request) -> Response:
        """Adds a model; the archives it names must exist."""
        arn = self._models.arn(request["ModelName"])
        body = {**request, "ModelArn": arn, "CreationTime": now()}
        body.setdefault("EnableNetworkIsolation", False)
        tags = body.pop("Tags", None)
        body.update(self._containers(request))
        self._models.insert(body, tags)
        return {"ModelArn": arn}

    @operation("DescribeModel")
    def describe(self, request: Request) -> Response:
        """The model, with what it took from model packages filled in."""
        return self._models.require(request["ModelName"])

    @operation("ListModels")
    def list_models(self, request: Request) -> Response:
        """Newest first unless requested otherwise."""
        chosen, token = self._models.page(request)
        return {"Models": [pick(body, "ModelName", "ModelArn", "CreationTime") for body in chosen], **token}

    @operation("DeleteModel", atomic=True)
    def delete(self, request: Request) -> Response:
        """Forgets the model; its archive stays."""
        self._models.require(request["ModelName"])
        self._models.delete(request["ModelName"])
        return {}

    def _containers(self, request: Request) -> Response:
        pipeline = request.get("Containers") or []
        if bool(pipeline) == ("PrimaryContainer" in request):
            raise ValidationError("Exactly one of PrimaryContainer and Containers must be specified.")
        check_hostnames(pipeline)
        containers = resolve(pipeline or [request["PrimaryContainer"]], self._call)
        check_unique_hostnames(containers)
        for container in containers:
            if container.get("Mode") == "MultiModel":
                refuse_data_source({"PrimaryContainer": container}, "multi-model endpoints")
            check_image(container["Image"], self._account)
            check_data(container, self._objects)
        if "PrimaryContainer" in request and len(containers) == 1:
            return {"PrimaryContainer": containers[0]}
        return {"Containers": containers}
