"""Which operations the tests of the wire cover."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api import models
from local_sagemaker.cli.reference import list_operations

__all__ = ["in_models", "list_operations", "streams_events"]

SERVICES = (
    "sagemaker", "sagemaker-runtime", "s3", "logs", "lambda", "apigateway", "application-autoscaling", "cloudformation",
    "events",
)  # fmt: skip


def in_models() -> list[str]:
    """All operations of these models and those that are here of the others, without those that stream events."""
    names = [f"{service}:{name}" for service in SERVICES for name in models.model(service).operation_names]
    names += [name for name in list_operations() if name.partition(":")[0] not in SERVICES]
    return [name for name in names if not streams_events(models.operation(*name.split(":")))]


def streams_events(operation: Any) -> bool:
    return bool(operation.has_event_stream_input or operation.has_event_stream_output)
