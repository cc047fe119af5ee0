"""Requests to the services that moto serves, checked against AWS's model before moto sees them.

Only services whose recorded responses to such requests have the common form; SQS and others have words of their own.
"""

from __future__ import annotations

from local_sagemaker.api import models
from local_sagemaker.api.validation import check
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.detect import Target, has_operation
from local_sagemaker.wire.protocols import json, query
from local_sagemaker.wire.request import WireRequest

CHECKED = {"monitoring": "cloudwatch", "iam": "iam", "sts": "sts", "ssm": "ssm", "sns": "sns"}
"""Signing name and botocore's name."""


def check_neighbour(signing_name: str, request: WireRequest, body: bytes) -> None:
    """Raises `ServiceError` for violated constraints. `body` is the request's, which was read, inflated."""
    service = CHECKED.get(signing_name)
    if service is None:
        return
    request.body = from_bytes(body)
    wanted = request.headers.get("x-amz-target", "")
    name = wanted.rpartition(".")[2] if wanted else dict(request.form()).get("Action", "")
    if has_operation(service, name):
        target = Target(service, models.operation(service, name), {})
        members = (json if wanted else query).parse(request, target)
        check(target.name, members)
