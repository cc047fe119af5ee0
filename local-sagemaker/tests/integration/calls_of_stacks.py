"""The calls that stacks make of the services, made by boto3 of a running service."""

from __future__ import annotations

import threading
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from local_sagemaker.errors import ServiceError
from local_sagemaker.services.cloudformation.handlers.handler import DeploymentContext
from local_sagemaker.services.cloudformation.resource_creation import WITHOUT_A_NAME, is_free
from tests.support import Service


def free(service: Service, resource: dict[str, Any]) -> bool:
    """Whether a stack that is to make the resource finds its name free; no call changes anything."""

    def call(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        name, _, method = operation.partition(":")
        try:
            return dict(getattr(service.client(name), xform_name(method))(**request))
        except ClientError as error:
            answer = error.response
            status = answer["ResponseMetadata"]["HTTPStatusCode"]
            raise ServiceError(answer["Error"]["Message"], code=answer["Error"]["Code"], status=status) from error

    context = DeploymentContext(call, "123456789012", "us-east-1", "stack", "R", threading.Event())
    try:
        return is_free(resource["Type"], context, resource["Properties"], {})
    except ServiceError as error:
        assert error.code == "AlreadyExists"
        return False


def wrongly_told(service: Service, resources: dict[str, Any], *, there: bool) -> list[str]:
    """The types of resources with a name that are told free though they are there, or taken though they are not."""
    named = [row for row in resources.values() if row["Type"] not in WITHOUT_A_NAME]
    return [row["Type"] for row in named if free(service, row) == there]
