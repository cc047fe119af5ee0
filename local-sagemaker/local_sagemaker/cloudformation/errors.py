"""What CloudFormation refuses, with its codes."""

from __future__ import annotations

from local_sagemaker.errors import ServiceError


class TemplateError(ServiceError):
    """A template, its parameters or a stack's state do not allow the operation."""

    code, status = "ValidationError", 400


class UnsupportedTemplate(TemplateError):
    """What AWS executes and the local service does not. Named by the place in the template."""

    def __init__(self, what: str, place: str) -> None:
        super().__init__(f"LocalUnsupported: {what} is not executed by the local service ({place})")
