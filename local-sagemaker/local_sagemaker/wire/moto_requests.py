"""Requests to the services that moto serves, checked against AWS's model before moto sees them.

The types of members are checked for all. Constraints only for services whose recorded responses to such requests have
the common form; SQS and ECR have words of their own, which moto has.
"""

from __future__ import annotations

from local_sagemaker.api import models
from local_sagemaker.api.validation import check
from local_sagemaker.errors import ServiceError
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.detect import Target, has_operation
from local_sagemaker.wire.protocols import json, query
from local_sagemaker.wire.request import WireRequest

CHECKED = {
    "monitoring": "cloudwatch", "iam": "iam", "sts": "sts", "ssm": "ssm", "sns": "sns", "kms": "kms",
    "secretsmanager": "secretsmanager",
}  # fmt: skip
"""Signing name and botocore's name."""
TYPES_ONLY = {"sqs": "sqs", "ecr": "ecr"}


def check_moto_request(signing_name: str, request: WireRequest, body: bytes) -> None:
    """Raises `ServiceError` for violated constraints. `body` is the request's, which was read, inflated."""
    service = CHECKED.get(signing_name) or TYPES_ONLY.get(signing_name)
    if service is None:
        return
    request.body = from_bytes(body)
    wanted = request.headers.get("x-amz-target", "")
    name = wanted.rpartition(".")[2] if wanted else dict(request.form()).get("Action", "")
    if not has_operation(service, name):
        return
    target = Target(service, models.operation(service, name), {})
    try:
        members = (json if wanted else query).parse(request, target)
    except ValueError as error:  # say, text that is no base64
        text = f"The request can't be read: {error}"
        raise ServiceError(text, code="SerializationException", status=400) from error
    try:
        check(target.name, members)
    except ServiceError as error:
        if signing_name in CHECKED or error.code == "SerializationException":
            raise
