"""InvokeEndpoint as an operation of the spine, for callers inside the service.

Clients' requests come by the event loop instead (`wire.invocation`), without a thread for each.
"""

from __future__ import annotations

import asyncio

from local_sagemaker.errors import ServiceError
from local_sagemaker.hosting.endpoints import Endpoints
from local_sagemaker.hosting.invocations import Invocations
from local_sagemaker.operations import Request, Response, operation


class RuntimeInvocations:
    """InvokeEndpoint."""

    def __init__(self, *, endpoints: Endpoints, invocations: Invocations) -> None:
        self._endpoints, self._invocations = endpoints, invocations

    @operation("InvokeEndpoint")
    def invoke(self, request: Request) -> Response:
        """One invocation; waits for its answer."""
        loop = self._endpoints.loop
        if loop is None:
            raise ServiceError("The service is not ready for invocations yet.", code="ServiceUnavailable", status=503)
        return asyncio.run_coroutine_threadsafe(self._invocations.invoke(request), loop).result()
