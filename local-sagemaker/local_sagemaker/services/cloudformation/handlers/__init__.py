"""The registry of resource types. A new type is a handler here, and a line in ``tools/resource_types.py``."""

from __future__ import annotations

from local_sagemaker.cloudformation.resource_types import CUSTOM, is_custom
from local_sagemaker.services.cloudformation.handlers import (
    application_integration,
    archives,
    developer_tools,
    function_versions,
    functions,
    iam,
    management,
    s3,
    sagemaker,
    secrets_and_images,
)
from local_sagemaker.services.cloudformation.handlers.custom import CustomResource
from local_sagemaker.services.cloudformation.handlers.handler import Handler


class _Handlers(dict[str, Handler]):
    """Those of custom resources have any name after ``Custom::``."""

    def __missing__(self, name: str) -> Handler:
        if is_custom(name):
            return self[CUSTOM.name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and is_custom(name))


HANDLERS: dict[str, Handler] = _Handlers({
    CUSTOM.name: CustomResource(),
    **application_integration.HANDLERS,
    **archives.HANDLERS,
    **developer_tools.HANDLERS,
    **function_versions.HANDLERS,
    **functions.HANDLERS,
    **iam.HANDLERS,
    **management.HANDLERS,
    **s3.HANDLERS,
    **sagemaker.HANDLERS,
    **secrets_and_images.HANDLERS,
})  # fmt: skip
"""By the name of the type."""
