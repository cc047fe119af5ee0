"""Models: which container runs which archive. Endpoints and transform jobs are made from them."""

from __future__ import annotations

from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.errors import ValidationError
from local_sagemaker.objects.types import Objects
from local_sagemaker.operations import Call, Request, Resource, Response, operation
from local_sagemaker.records import Records
from local_sagemaker.services.sagemaker.listing import order, page, pick, select
from local_sagemaker.services.sagemaker.model_containers import check_data, check_image, resolve
from local_sagemaker.services.sagemaker.tags import Tags

KIND = "model"


class Models(Resource):
    """CreateModel, DescribeModel, ListModels, DeleteModel. Names are equal when they differ only in case."""

    def __init__(self, *, settings: Settings, records: Records, objects: Objects, tags: Tags, call: Call) -> None:
        self._arns, self._account = settings.arns, settings.account
        self._records = records
        self._objects = objects
        self._tags = tags
        self._call = call

    @operation("CreateModel")
    def create(self, request: Request) -> Response:
        """Adds a model; the archives it names must exist."""
        arn = self._arn(request["ModelName"])
        body = {**request, "ModelArn": arn, "CreationTime": now()}
        body.setdefault("EnableNetworkIsolation", False)
        tags = body.pop("Tags", None)
        body.update(self._containers(request))
        with self._records.transaction():
            if self._key(request["ModelName"]):
                raise ValidationError(f'Cannot create already existing model "{arn}".')
            self._records.insert(KIND, request["ModelName"], body)
            self._tags.put(arn, tags)
        return {"ModelArn": arn}

    @operation("DescribeModel")
    def describe(self, request: Request) -> Response:
        """The model, with what it took from model packages filled in."""
        body = self._records.get(KIND, self._require(request["ModelName"]))
        return body or {}

    @operation("ListModels")
    def list_models(self, request: Request) -> Response:
        """Newest first unless asked otherwise."""
        bodies = select(self._records.list(KIND), request, name="ModelName")
        bodies = order(bodies, request, members={"Name": "ModelName"})
        chosen, token = page(bodies, request)
        return {"Models": [pick(body, "ModelName", "ModelArn", "CreationTime") for body in chosen], **token}

    @operation("DeleteModel")
    def delete(self, request: Request) -> Response:
        """Forgets the model; its archive stays."""
        key = self._require(request["ModelName"])
        with self._records.transaction():
            self._records.delete(KIND, key)
            self._tags.drop(self._arn(key))
        return {}

    def _containers(self, request: Request) -> Response:
        given = request.get("Containers") or []
        if bool(given) == ("PrimaryContainer" in request):
            raise ValidationError("Exactly one of PrimaryContainer and Containers must be specified.")
        containers = resolve(given or [request["PrimaryContainer"]], self._call)
        for container in containers:
            check_image(container["Image"], self._account)
            check_data(container, self._objects)
        if "PrimaryContainer" in request and len(containers) == 1:
            return {"PrimaryContainer": containers[0]}
        return {"Containers": containers}

    def _arn(self, name: str) -> str:
        return self._arns.sagemaker("model", name.lower())

    def _key(self, name: str) -> str | None:
        if self._records.get(KIND, name) is not None:
            return name
        return next((key for key, _ in self._records.items(KIND) if key.lower() == name.lower()), None)

    def _require(self, name: str) -> str:
        key = self._key(name)
        if key is None:
            raise ValidationError(f'Could not find model "{self._arn(name)}".')
        return key
