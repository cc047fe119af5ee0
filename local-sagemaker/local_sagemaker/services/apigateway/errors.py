"""API Gateway's errors, with the codes and texts of its responses."""

from __future__ import annotations

from local_sagemaker.errors import Conflict, ResourceNotFound, ServiceError


class ApiNotFound(ResourceNotFound):
    """No such API, resource, method, integration, response, deployment or stage."""

    code, status = "NotFoundException", 404


class ApiConflict(Conflict):
    """The name is taken."""

    code, status = "ConflictException", 409


class ApiBadRequest(ServiceError):
    """The request makes no sense, or is not supported here."""

    code, status = "BadRequestException", 400
