"""Lambda's errors: codes and texts of its API reference and of its responses."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError


class LambdaError(ServiceError):
    """An error of the caller; clients see its Type, too."""

    detail = {"Type": "User"}  # noqa: RUF012 - never changed


class LambdaNotFound(LambdaError):
    """No such function, version, alias or policy."""

    code, status = "ResourceNotFoundException", 404


class LambdaConflict(LambdaError):
    """The name is taken."""

    code, status = "ResourceConflictException", 409


class InvalidValue(LambdaError):
    """A parameter that Lambda does not accept."""

    code, status = "InvalidParameterValueException", 400


class RevisionChanged(LambdaError):
    """The RevisionId that was given is not the newest."""

    code, status = "PreconditionFailedException", 412


class EventTooLarge(LambdaError):
    """The event is too large."""

    code, status = "RequestTooLargeException", 413


class InvalidContent(LambdaError):
    """The event is not JSON."""

    code, status = "InvalidRequestContentException", 400


def absent_mapping() -> LambdaNotFound:
    """What is said of an event source mapping that does not exist."""
    return LambdaNotFound("The resource you requested does not exist.")
