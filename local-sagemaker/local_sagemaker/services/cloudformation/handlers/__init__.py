"""The registry of resource types. A new type is a handler here, and a line in ``tools/resource_types.py``."""

from __future__ import annotations

from local_sagemaker.services.cloudformation.handlers import (
    archives,
    developer_tools,
    iam,
    messaging,
    operating,
    s3,
    sagemaker,
)
from local_sagemaker.services.cloudformation.handlers.handler import Handler

HANDLERS: dict[str, Handler] = {
    **archives.HANDLERS,
    **developer_tools.HANDLERS,
    **iam.HANDLERS,
    **messaging.HANDLERS,
    **operating.HANDLERS,
    **s3.HANDLERS,
    **sagemaker.HANDLERS,
}
"""By the name of the type."""
