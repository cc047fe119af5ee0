"""The clients of delivery beside those of the pipelines, and the errors by which AWS reports absence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from pipelines import session

ABSENT = ("does not exist", "not found", "could not find", "cannot find", "no such")

ATTRIBUTES = {"sagemaker-runtime": "runtime", "lambda": "functions", "apigateway": "apis"}
"""The clients whose names in `Clients` are not boto3's."""


@dataclass(frozen=True)
class Clients(session.AwsClients):
    """Each client is made once, and only if it is needed."""

    def of(self, service: str) -> Any:
        """The client of a service by boto3's name."""
        return getattr(self, ATTRIBUTES.get(service, service))

    @cached_property
    def runtime(self) -> Any:
        return session.boto_session(self.region).client("sagemaker-runtime")

    @cached_property
    def functions(self) -> Any:
        return session.boto_session(self.region).client("lambda")

    @cached_property
    def apis(self) -> Any:
        return session.boto_session(self.region).client("apigateway")

    @cached_property
    def cloudwatch(self) -> Any:
        return session.boto_session(self.region).client("cloudwatch")

    @cached_property
    def pipelines(self) -> Any:
        return session.boto_session(self.region).client("codepipeline")

    @cached_property
    def iam(self) -> Any:
        return session.boto_session(self.region).client("iam")


def is_absent(error: ClientError) -> bool:
    """Whether the error reports that a named resource does not exist: each service has a code of its own."""
    details = error.response["Error"]
    code, message = details["Code"], details["Message"].lower()
    if code in ("ResourceNotFound", "ResourceNotFoundException", "NotFoundException", "NoSuchEntity", "404"):
        return True
    if code in ("NoSuchBucket", "NoSuchKey"):
        return True
    return code in ("ValidationException", "ValidationError") and any(text in message for text in ABSENT)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
