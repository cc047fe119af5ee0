"""The stages from a model on this machine to a response over HTTP. Each finds the result of the one before by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery import artifacts, ownership
from delivery.clients import Clients, is_absent, split
from delivery.endpoints import Deployment
from delivery.errors import NotFoundError
from delivery.local_model import function, rest_api
from delivery.local_model.rest_api import RestApi

STAGE = "test"
GOLDEN = "5.1,3.3,1.7,0.5"
"""The fifth row of the test split: a Setosa."""


@dataclass(frozen=True)
class StageNames:
    """What everything is called that belongs to one model."""

    name: str

    @property
    def cloud(self) -> str:
        """Endpoint, function and API."""
        return f"{ownership.LOCAL_MODEL}-{self.name}"

    @property
    def resource(self) -> str:
        return f"{self.name}prediction"


def upload(clients: Clients, names: StageNames, archive: Path, bucket: str) -> str:
    """The archive's S3 URI."""
    return artifacts.locate(clients, str(archive), bucket, ownership.LOCAL_MODEL, names.name)


def find_uploaded(clients: Clients, names: StageNames, bucket: str) -> str:
    """The URI of what was uploaded last.

    :raises NotFoundError: if nothing was.
    """
    prefix = artifacts.prefix(ownership.LOCAL_MODEL, names.name)
    try:
        pages = list(clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    except clients.s3.exceptions.NoSuchBucket:
        pages = []
    objects: list[Any] = [item for page in pages for item in page.get("Contents", [])]
    archives = [item for item in objects if item["Key"].endswith(artifacts.ARCHIVE)]
    if not archives:
        raise NotFoundError(f"nothing was uploaded for {names.name} yet: local-model upload ARCHIVE")
    return f"s3://{bucket}/{max(archives, key=lambda item: item['LastModified'])['Key']}"


def deployment(clients: Clients, names: StageNames, uri: str, image: str, role: str, instance_type: str) -> Deployment:
    """The endpoint that serves the archive with the built-in container.

    :raises NotFoundError: if there is no such object.
    """
    bucket, key = split(uri)
    try:
        contents = clients.s3.head_object(Bucket=bucket, Key=key)["ETag"]
    except clients.s3.exceptions.ClientError as error:
        if not is_absent(error):
            raise
        raise NotFoundError(f"there is no object {uri}") from error
    return Deployment(
        endpoint=names.cloud,
        container={"Image": image, "ModelDataUrl": uri},
        role=role,
        tags=ownership.tags(ownership.LOCAL_MODEL, names.name),
        instance_type=instance_type,
        revision=contents,
    )


def open_api(clients: Clients, names: StageNames) -> RestApi:
    """Puts the function and the API in front of the endpoint."""
    arn = function.put_function(clients, names.cloud, names.cloud, names.name)
    return rest_api.put_api(clients, names.cloud, names.resource, STAGE, arn, names.name)


def api(clients: Clients, names: StageNames) -> RestApi:
    """The existing API."""
    return rest_api.require_api(clients, names.cloud, names.resource, STAGE)
