"""InvokeEndpoint as an operation of the spine, for callers inside the service.

Clients' requests come by the event loop instead (`wire.invocation`), without a thread for each.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.endpoints.invocations import EndpointInvocations
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.services.sagemaker_runtime.waiting import in_loop


class RuntimeInvocations(Resource):
    """InvokeEndpoint."""

    def __init__(self, *, endpoints: EndpointRegistry, invocations: EndpointInvocations) -> None:
        self._endpoints, self._invocations = endpoints, invocations

    @operation("InvokeEndpoint")
    def invoke(self, request: Request) -> Response:
        """One invocation; waits for its response."""
        return in_loop(self._endpoints, self._invocations.invoke(request))
