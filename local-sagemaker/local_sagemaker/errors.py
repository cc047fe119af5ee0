"""The one error tree. Raised anywhere as what it is, turned into a response in one place (`wire/gateway.py`).

Codes and texts are those of AWS, since clients match them; their source stands where an error is raised.
"""

from __future__ import annotations

import errno
import sqlite3

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says when a disk, a quota or a file size limit is reached."""


def says_full(error: BaseException) -> bool:
    """Whether an error of a file or database operation means that no space is left."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


class ServiceError(Exception):
    """An error that a client sees: an AWS error code, a message and an HTTP status."""

    code = "InternalFailure"
    status = 500

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status


class ValidationError(ServiceError):
    """The request is malformed or refers to something that SageMaker reports as invalid."""

    code, status = "ValidationException", 400


class ResourceNotFound(ServiceError):
    """No such resource; services with another code than SageMaker's, which has no suffix, derive theirs from this."""

    code, status = "ResourceNotFound", 400


class MissingResource(ValidationError):
    """No such resource, where SageMaker's code for that is that of a malformed request."""


class ResourceInUse(ServiceError):
    """The name is taken or the resource is busy; services with another code derive theirs from this."""

    code, status = "ResourceInUse", 400


class NameTaken(ValidationError):
    """The name is taken, where SageMaker's code for that is that of a malformed request."""


class WrongStatus(ValidationError):
    """The resource's status does not allow the operation, where SageMaker's code is that of a malformed request."""


class Conflict(ServiceError):
    """The resource's state does not allow the operation."""

    code, status = "ConflictException", 400


class AccessDenied(ServiceError):
    """The request is not signed with this service's keys."""

    code, status = "AccessDeniedException", 403


class NotSupported(ServiceError):
    """An AWS operation that the local service does not have."""

    code, status = "NotImplemented", 501


class MalformedXML(ServiceError):
    """S3's error for a document that it can't read."""

    code, status = "MalformedXML", 400

    def __init__(self) -> None:
        super().__init__("The XML you provided was not well-formed or did not validate against our published schema")


MISSING = (ResourceNotFound, MissingResource)
"""The errors about a resource that does not exist, whatever their code."""
TAKEN = (ResourceInUse, NameTaken, Conflict)
"""The errors about a name that is taken, whatever their code."""
