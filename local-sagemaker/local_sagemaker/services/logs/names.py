"""How CloudWatch Logs names its groups and pages: names, ARNs, tokens, and the errors about them."""

from __future__ import annotations

from typing import Any

from local_sagemaker.config import Settings
from local_sagemaker.errors import ResourceInUse, ResourceNotFound, ServiceError
from local_sagemaker.integers import natural
from local_sagemaker.logs import Logs


class LogsResourceNotFound(ResourceNotFound):
    """No such group or stream; unlike SageMaker's, this code has the suffix."""

    code, status = "ResourceNotFoundException", 400


class ResourceAlreadyExists(ResourceInUse):
    """The group or stream exists."""

    code, status = "ResourceAlreadyExistsException", 400


class InvalidParameter(ServiceError):
    """A parameter that CloudWatch Logs (or this service of it) does not take."""

    code, status = "InvalidParameterException", 400


def group_arn(settings: Settings, group: str) -> str:
    """The ARN of a log group without the final ``:*`` that some responses add."""
    return settings.arns.of("logs", f"log-group:{group}")


def group_of_arn(arn: str) -> str:
    """The name in a log group's ARN, with or without the final ``:*``; a plain name is left as it is."""
    return arn.split(":log-group:", 1)[-1].removesuffix(":*")


def group_of(request: dict[str, Any], logs: Logs) -> str:
    """The group that a request names, by name or identifier; it must exist."""
    named = request.get("logGroupName"), request.get("logGroupIdentifier")
    if all(named) or not any(named):
        raise InvalidParameter("Exactly one of logGroupName and logGroupIdentifier is needed.")
    group = group_of_arn(str(named[0] or named[1]))
    require_group(logs, group)
    return group


def require_group(logs: Logs, group: str) -> None:
    """Raises when the group does not exist."""
    if not logs.has(group):
        raise LogsResourceNotFound("The specified log group does not exist.")


def require_stream(logs: Logs, group: str, stream: str) -> None:
    """Raises when the group or the stream does not exist."""
    require_group(logs, group)
    if not logs.has(group, stream):
        raise LogsResourceNotFound("The specified log stream does not exist.")


def page(items: list[Any], request: dict[str, Any], default: int = 50) -> tuple[list[Any], dict[str, str]]:
    """One page of a listing and its ``nextToken``, if more follow."""
    start = natural(request.get("nextToken", "0"))
    if start is None:
        raise InvalidParameter("The specified nextToken is invalid.")
    end = start + int(request.get("limit", default))
    return items[start:end], {"nextToken": str(end)} if end < len(items) else {}
