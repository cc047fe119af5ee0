"""CodeBuild's errors: codes of its model, its texts."""

from __future__ import annotations

from local_sagemaker.errors import ResourceInUse, ResourceNotFound, ServiceError


class InvalidInput(ServiceError):
    """A request that CodeBuild does not accept."""

    code, status = "InvalidInputException", 400


class UnknownProject(ResourceNotFound):
    """No such project or build."""

    code, status = "ResourceNotFoundException", 400


class ProjectExists(ResourceInUse):
    """The project's name is taken."""

    code, status = "ResourceAlreadyExistsException", 400


class BuildFailure(Exception):
    """A phase of a build fails: the code and the message of its context."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
