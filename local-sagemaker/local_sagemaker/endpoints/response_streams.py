"""InvokeEndpointWithResponseStream: the response of a container as a stream of payload parts. Runs in the event loop.

Errors before the response begins are those of InvokeEndpoint; after that they are events (API reference,
ResponseStream). Streamed responses are not captured.
A serial inference pipeline responds in one part: its containers pass whole bodies.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.endpoints.errors import ModelError
from local_sagemaker.endpoints.instance import Instance
from local_sagemaker.endpoints.invocations import Admitted, EndpointInvocations, response_of
from local_sagemaker.endpoints.model_invocation import ModelInvocation
from local_sagemaker.errors import ServiceError
from local_sagemaker.model_servers.async_client import (
    LARGEST,
    NoServerResponse,
    ResponseStream,
    ResponseTooLarge,
    TimedOut,
    open_stream,
)

SECONDS = 480.0
"""How long a container may stream; one that does not begin within the 60 s of InvokeEndpoint has its 60 s (Developer
Guide, "How containers serve requests")."""


class ResponseStreams(EndpointInvocations):
    """Streamed invocations of the endpoints of one account."""

    async def open(self, request: Request, *, seconds: float = SECONDS) -> Response:
        """The members of the response when it begins; ``Body`` are the events, to be taken in this event loop."""
        began = time.perf_counter()
        admitted = await self.admit(request, seconds, LARGEST)
        instance = admitted.instance
        requested = time.perf_counter()
        instance.outstanding += 1
        ended = self._recorder(admitted, began, requested)
        try:
            stream, container = await _stream(instance, admitted.invocation)
            if not 200 <= stream.status < 300:
                text = b"".join([piece async for piece in stream.pieces]).decode("utf-8", "replace")
                raise self.model_error(admitted.running, instance, stream.status, text, container=container)
        except (NoServerResponse, TimedOut, ResponseTooLarge) as error:
            ended(0)
            raise self.no_response_error(admitted.running, instance, error) from None
        except ServiceError as error:
            ended(error.detail["OriginalStatusCode"] if isinstance(error, ModelError) else error.status)
            raise
        body = _events(stream.pieces, container, self._first(admitted, began, requested), ended)
        return response_of(admitted.variant, stream.headers, body)

    def _recorder(self, admitted: Admitted, began: float, requested: float) -> Callable[[int], None]:
        """What notes the end of an invocation, by its HTTP status."""
        endpoint, variant = admitted.running.spec.name, admitted.variant

        def record_end(status: int) -> None:
            admitted.instance.outstanding -= 1
            took = time.perf_counter() - requested
            count = len(variant.instances)
            self._endpoints.measures.record_invocation(
                endpoint, variant.spec.name, count, status, took, requested - began
            )

        return record_end

    def _first(self, admitted: Admitted, began: float, requested: float) -> Callable[[], None]:
        """What notes the first part, in the microseconds of CloudWatch."""

        def came() -> None:
            now, add = time.perf_counter(), self._endpoints.measures.add
            endpoint, variant = admitted.running.spec.name, admitted.variant.spec.name
            add(endpoint, variant, "FirstChunkLatency", round((now - began) * 1e6))
            add(endpoint, variant, "FirstChunkModelLatency", round((now - requested) * 1e6))
            add(endpoint, variant, "FirstChunkOverheadLatency", round((requested - began) * 1e6))

        return came


async def _stream(instance: Instance, invocation: ModelInvocation) -> tuple[ResponseStream, str]:
    """The stream of the container that responds, and the container's name."""
    if len(instance.urls) > 1 and not instance.variant.direct:
        response, container = await instance.respond(invocation)
        return ResponseStream(response.status, response.headers, _one(response.body)), container
    names = instance.containers
    index = names.index(invocation.target_container or "") if instance.variant.direct else 0
    headers = invocation.headers(invocation.content_type, invocation.accept)
    stream = await open_stream(instance.urls[index], headers, invocation.body, seconds=invocation.seconds)
    return stream, names[index]


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _events(
    pieces: AsyncIterator[bytes], container: str, came: Callable[[], None], ended: Callable[[int], None]
) -> AsyncIterator[dict[str, Any]]:
    """The parts, and what ended them if it was not their end."""
    status = 0
    try:
        first = True
        async for piece in pieces:
            if first:
                came()
                first = False
            yield {"PayloadPart": {"Bytes": piece}}
        status = 200
    except (GeneratorExit, asyncio.CancelledError):
        status = 200  # the client has left, which is no fault of the model
        raise
    except TimedOut:
        text = f"Your model {container} did not complete sending the inference response in the allotted time."
        yield {"ModelStreamError": {"Message": text, "ErrorCode": "ModelInvocationTimeExceeded"}}
    except NoServerResponse:
        text = f"The connection to your model {container} was reset or closed before the response was complete."
        yield {"ModelStreamError": {"Message": text, "ErrorCode": "StreamBroken"}}
    finally:
        ended(status)
        with contextlib.suppress(RuntimeError):
            await pieces.aclose()  # type: ignore[attr-defined]
