"""Errors of invocations, with SageMaker Runtime's codes and AWS's texts (contracts: containers 5.2)."""

from __future__ import annotations

from typing import Any

from local_sagemaker.errors import ServiceError


class InvalidInvocation(ServiceError):
    """The request cannot be sent to a model."""

    code, status = "ValidationError", 400


class ModelError(ServiceError):
    """The container responded with an error, or not at all (status 0). `detail` goes into the response's body."""

    code, status = "ModelError", 424

    def __init__(self, message: str, *, original_status: int, original_message: str, log_stream_arn: str) -> None:
        super().__init__(message)
        client = 400 <= original_status < 500
        self.detail: dict[str, Any] = {
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if client else "SERVER_ERROR_FROM_MODEL",
            "OriginalStatusCode": original_status,
            "OriginalMessage": original_message,
            "LogStreamArn": log_stream_arn,
        }


class ModelNotReady(ServiceError):
    """A model of a multi-model endpoint is still being loaded."""

    code, status = "ModelNotReadyException", 429


class Throttled(ServiceError):
    """More invocations at once than a serverless variant allows."""

    code, status = "ThrottlingException", 429
