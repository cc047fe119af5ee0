"""InvokeEndpointWithResponseStream as an operation: waits in its thread until the response begins.

What the response consists of is taken in the event loop, by the wire.
"""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.endpoints.errors import InvalidInvocation
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.endpoints.response_streams import ResponseStreams
from local_sagemaker.services.sagemaker_runtime.waiting import in_loop

LARGEST = 6_291_456
"""Bytes of a request's body, as for InvokeEndpoint."""


class StreamedInvocations(Resource):
    """InvokeEndpointWithResponseStream."""

    def __init__(self, *, endpoints: EndpointRegistry, streams: ResponseStreams) -> None:
        self._endpoints, self._streams = endpoints, streams

    @operation("InvokeEndpointWithResponseStream")
    def invoke(self, request: Request) -> Response:
        """A response whose ``Body`` is an asynchronous iterator of events."""
        if len(request.get("Body") or b"") > LARGEST:
            raise InvalidInvocation(
                "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length "
                f"less than or equal to {LARGEST}"
            )
        return in_loop(self._endpoints, self._streams.open(request))
