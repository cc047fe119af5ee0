"""Which operations the tests of the wire cover."""

from __future__ import annotations

from typing import Any

from local_sagemaker.api import models
from local_sagemaker.cli.reference import list_operations

__all__ = ["GROUPS", "in_group", "list_operations", "streams_events"]

SERVICES = (
    "sagemaker", "sagemaker-runtime", "s3", "logs", "lambda", "apigateway", "application-autoscaling", "cloudformation",
    "events",
)  # fmt: skip


OTHERS = "the others"
GROUPS = (*SERVICES, OTHERS)


def in_group(group: str) -> set[str]:
    """All operations of a service's model, or those that are here of the others; without those that stream events."""
    if group == OTHERS:
        names = {name for name in list_operations() if name.partition(":")[0] not in SERVICES}
    else:
        names = {f"{group}:{name}" for name in models.model(group).operation_names}
    assert names, group
    return {name for name in names if not streams_events(models.operation(*name.split(":")))}


def streams_events(operation: Any) -> bool:
    return bool(operation.has_event_stream_input or operation.has_event_stream_output)
