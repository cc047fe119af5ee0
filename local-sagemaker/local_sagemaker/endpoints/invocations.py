"""InvokeEndpoint: route, send, and the container's response or error as AWS words it. Runs in the event loop.

The only coroutine among the operations: it waits for a model's process, and a thread for each would cost more than
the model.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from local_sagemaker.api.operations import Request, Response
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.capture import Captured
from local_sagemaker.endpoints.errors import InvalidInvocation, ModelError, Throttled
from local_sagemaker.endpoints.fleet import Fleet, Variant
from local_sagemaker.endpoints.instance import ATTRIBUTES, Instance
from local_sagemaker.endpoints.model_invocation import ModelInvocation
from local_sagemaker.endpoints.registry import LOG_GROUP, EndpointRegistry
from local_sagemaker.endpoints.running_endpoint import RunningEndpoint
from local_sagemaker.errors import ServiceError
from local_sagemaker.model_servers.async_client import (
    LARGEST,
    NoServerResponse,
    ResponseTooLarge,
    ServerResponse,
    TimedOut,
)

SECONDS = 60.0
"""How long a container may take (contracts: containers 5.1)."""
_PAUSE = 0.02
SERVERLESS_LARGEST = 4 * 1024**2
_FORWARDED = (
    ("CustomAttributes", "X-Amzn-SageMaker-Custom-Attributes"),
    ("InferenceId", "X-Amzn-SageMaker-Inference-Id"),
    ("SessionId", "X-Amzn-SageMaker-Session-Id"),
    ("PrefixAwareId", "X-Amzn-SageMaker-Prefix-Aware-Id"),
)


class Admitted(NamedTuple):
    """Where an invocation goes, and what is sent there."""

    running: RunningEndpoint
    variant: Variant
    instance: Instance
    invocation: ModelInvocation


class EndpointInvocations:
    """Invocations of the endpoints of one account."""

    def __init__(self, *, settings: Settings, endpoints: EndpointRegistry) -> None:
        self._settings, self._endpoints = settings, endpoints
        self._tasks: set[asyncio.Task[None]] = set()

    async def invoke(self, request: Request, *, seconds: float = SECONDS, limit: int | None = LARGEST) -> Response:
        """One invocation: the members of InvokeEndpoint in and out. `seconds` and `limit` (of the response's bytes)
        are larger for asynchronous ones."""
        began = time.perf_counter()
        running, variant, instance, invocation = await self.admit(request, seconds, limit)
        moment = now()
        return await self._send(running, variant, instance, invocation, request, began, moment)

    async def admit(self, request: Request, seconds: float, limit: int | None) -> Admitted:
        """Chooses variant and instance. Refuses what AWS refuses."""
        running = self._endpoints.find(request["EndpointName"])
        if running is None or running.route is None:
            running = await self._await_return(request["EndpointName"])
        route = running.route
        if route is None:
            raise self._not_found(request["EndpointName"])
        body = request.get("Body") or b""
        if running.spec.asynchronous and limit == LARGEST:
            raise InvalidInvocation(
                f"Endpoint {running.spec.name} is an asynchronous endpoint: it takes InvokeEndpointAsync only."
            )
        variant = route.choose(request.get("TargetVariant"))
        _check(request, running, variant, body)
        instance = variant.choose()
        if instance is None:
            raise InvalidInvocation(f"Variant {variant.spec.name} of endpoint {running.spec.name} has no instances.")
        if variant.concurrency is not None and variant.outstanding >= variant.concurrency:
            raise Throttled("Rate exceeded")
        invocation = ModelInvocation(
            body, request.get("ContentType"), request.get("Accept"), _lines(request),
            request.get("TargetModel"), request.get("TargetContainerHostname"), seconds, limit,
        )  # fmt: skip
        if route.fleet.shadows:
            self._shadow(route.fleet, invocation)
        return Admitted(running, variant, instance, invocation)

    async def _send(
        self, running: RunningEndpoint, variant: Variant, instance: Instance, invocation: ModelInvocation,
        request: Request, began: float, moment: float,
    ) -> Response:  # fmt: skip
        requested = time.perf_counter()
        status = 0
        instance.outstanding += 1
        try:
            response, container = await instance.respond(invocation)
            status = response.status
        except (NoServerResponse, TimedOut, ResponseTooLarge) as error:
            raise self.no_response_error(running, instance, error) from None
        except ServiceError as error:
            status = error.status
            raise
        finally:
            instance.outstanding -= 1
            ended = time.perf_counter()
            self._endpoints.measures.record_invocation(
                running.spec.name,
                variant.spec.name,
                len(variant.instances),
                status,
                ended - requested,
                requested - began,
            )
        if not 200 <= status < 300:
            raise self.model_error(
                running, instance, status, response.body.decode("utf-8", "replace"), container=container
            )
        if running.capture is not None and running.capture.draw_sample():
            self._note(running, variant, invocation, request, response, moment)
        return response_of(variant, response.headers, response.body)

    def _note(
        self, running: RunningEndpoint, variant: Variant, invocation: ModelInvocation, request: Request,
        response: ServerResponse, moment: float,
    ) -> None:  # fmt: skip
        assert running.capture is not None
        running.capture.add(Captured(
            variant.spec.name, moment, invocation.body, invocation.content_type or "", response.body,
            response.headers.get("content-type", ""), request.get("InferenceId"), request.get("CustomAttributes"),
        ))  # fmt: skip

    def _shadow(self, fleet: Fleet, invocation: ModelInvocation) -> None:
        """Copies of the request for shadow variants; nobody waits for their responses."""
        for variant in fleet.shadows:
            instance = variant.choose()
            if instance is not None:
                task = asyncio.get_running_loop().create_task(_send_and_forget(instance, invocation))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _await_return(self, name: str) -> RunningEndpoint:
        """Waits for an endpoint that served before a restart of the service; any other is not found."""
        deadline = time.monotonic() + SECONDS
        while self._endpoints.is_returning(name) and time.monotonic() < deadline:
            await asyncio.sleep(_PAUSE)
        running = self._endpoints.find(name)
        if running is None:
            raise self._not_found(name)
        return running

    def _not_found(self, name: str) -> InvalidInvocation:
        return InvalidInvocation(f"Endpoint {name} of account {self._settings.account} not found.")

    def no_response_error(self, running: RunningEndpoint, instance: Instance, error: Exception) -> ModelError:
        """The error for a container that did not respond, not in time, or with too much."""
        if isinstance(error, ResponseTooLarge):
            shown = "could not load the entire response"
            return self.model_error(running, instance, 500, f"{shown} body", shown)
        text = "The container ended without a response."
        if isinstance(error, TimedOut):
            name = instance.containers[0]
            text = f"Your invocation timed out while waiting for a response from container {name}. Review the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."  # noqa: E501
        return self.model_error(running, instance, 0, text)

    def model_error(
        self, running: RunningEndpoint, instance: Instance, status: int, message: str, shown: str | None = None,
        *, container: str | None = None,
    ) -> ModelError:  # fmt: skip
        """A ModelError in AWS's words."""
        spec, region, account = running.spec, self._settings.region, self._settings.account
        side = "client" if 400 <= status < 500 else "server"
        group = LOG_GROUP.format(spec.name)
        text = (
            f'Received {side} error ({status}) from {container or instance.containers[0]} with message "{message}". '
            f"See https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group} "
            f"in account {account} for more information."
        )
        arn = self._settings.arns.of("logs", f"log-group:{group}")
        return ModelError(text, original_status=status, original_message=shown or message, log_stream_arn=arn)


def response_of(variant: Variant, headers: Mapping[str, str], body: Any) -> Response:
    """The operation's response, from the container's headers."""
    response: Response = {"Body": body, "InvokedProductionVariant": variant.spec.name}
    for header, member in (("content-type", "ContentType"), (ATTRIBUTES, "CustomAttributes")):
        if header in headers:
            response[member] = headers[header]
    return response


def _check(request: Request, running: RunningEndpoint, variant: Variant, body: bytes) -> None:
    """What a request may not ask of this variant (texts: AWS's, of public threads)."""
    spec, name = variant.spec, running.spec.name
    if spec.multi_model and not request.get("TargetModel"):
        raise InvalidInvocation(f"Request {uuid.uuid4()} is missing a target model header.")
    if request.get("TargetModel") and not spec.multi_model:
        raise InvalidInvocation(
            f"Endpoint {name} is not a multi-model endpoint and does not support target model header."
        )
    wanted = request.get("TargetContainerHostname")
    if spec.direct:
        names = [container.get("ContainerHostname") for container in spec.containers]
        if wanted not in names:
            raise InvalidInvocation(
                f"TargetContainerHostname {wanted or 'is missing: it'} must be one of {', '.join(map(str, names))}."
            )
    elif wanted:
        raise InvalidInvocation(f"Endpoint {name} does not support TargetContainerHostname.")
    if request.get("EnableExplanations"):
        raise InvalidInvocation(f"Endpoint {name} has no ClarifyExplainerConfig to enable explanations of.")
    largest = SERVERLESS_LARGEST if spec.serverless else None
    if largest and len(body) > largest:
        raise InvalidInvocation(f"Request {uuid.uuid4()} has oversize body.")


def _lines(request: Request) -> str:
    """The other headers that reach the container, as lines."""
    lines = ""
    for member, header in _FORWARDED:
        value = request.get(member)
        if value:
            lines += f"{header}: {value}\r\n"
    return lines


async def _send_and_forget(instance: Instance, invocation: ModelInvocation) -> None:
    instance.outstanding += 1
    try:
        await instance.respond(invocation)
    except (NoServerResponse, TimedOut, ResponseTooLarge, ServiceError):
        return
    finally:
        instance.outstanding -= 1
