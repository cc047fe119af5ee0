"""Errors of Application Auto Scaling, which words its own."""

from __future__ import annotations

from local_sagemaker.api.operations import Request
from local_sagemaker.errors import ResourceNotFound


class ObjectNotFound(ResourceNotFound):
    """No such target or policy."""

    code, status = "ObjectNotFoundException", 400


def describe_request(request: Request, *more: str) -> str:
    """How messages name what a request is about."""
    parts = [
        f"service namespace: {request['ServiceNamespace']}",
        f"resource ID: {request['ResourceId']}",
        f"scalable dimension: {request['ScalableDimension']}",
        *more,
    ]
    return ", ".join(parts)
