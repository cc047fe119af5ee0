"""Operations of the spine that wait in their thread for what the event loop does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from local_sagemaker.api.operations import Response
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.errors import ServiceError


def in_loop(endpoints: EndpointRegistry, invocation: Coroutine[Any, Any, Response]) -> Response:
    """The result of an invocation. Raises ServiceError before the event loop runs."""
    loop = endpoints.loop
    if loop is None:
        invocation.close()
        raise ServiceError("The service is not ready for invocations yet.", code="ServiceUnavailable", status=503)
    return asyncio.run_coroutine_threadsafe(invocation, loop).result()
