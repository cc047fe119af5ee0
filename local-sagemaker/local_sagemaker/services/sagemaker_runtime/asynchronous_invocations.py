"""InvokeEndpointAsync: accepted at once, queued, its response or error left in S3 (contracts: containers 5.7).

A queued request is a record, so that a crash of the service does not lose it.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import Any

from local_sagemaker.api.operations import Call, Request, Resource, Response, operation
from local_sagemaker.background import log_failure
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.endpoints.errors import InvalidInvocation
from local_sagemaker.endpoints.invocations import EndpointInvocations
from local_sagemaker.endpoints.registry import EndpointRegistry
from local_sagemaker.errors import ServiceError
from local_sagemaker.objects import uris
from local_sagemaker.objects.stored_object import DEFAULT_TYPE
from local_sagemaker.objects.types import Objects
from local_sagemaker.records import Records
from local_sagemaker.records.own_members import AsynchronousInvocationRecord, own_invocation
from local_sagemaker.services.sagemaker_runtime.notifications import Notifications

KIND = "asynchronous-invocation"
_LARGEST = 128_000  # bytes of an inline body
_LARGEST_INPUT = _LARGEST_RESPONSE = 1 << 30
_SECONDS, _TTL = 900, 21_600
_PER_INSTANCE = 4
"""Invocations at a time for each instance, where ClientConfig does not say; AWS chooses for itself."""
_PASSED = ("ContentType", "Accept", "CustomAttributes", "InferenceId")
log = logging.getLogger(__name__)


class AsynchronousInvocations(Resource):
    """InvokeEndpointAsync."""

    def __init__(
        self, *, settings: Settings, records: Records, objects: Objects, endpoints: EndpointRegistry,
        invocations: EndpointInvocations, call: Call,
    ) -> None:  # fmt: skip
        self._notifications = Notifications(settings.region, call)
        self._account, self._records, self._objects = settings.account, records, objects
        self._endpoints, self._invocations = endpoints, invocations
        self._turns: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._found = [body for _, body in records.items(KIND)]

    @operation("InvokeEndpointAsync")
    def invoke(self, request: Request) -> Response:
        """Queues an invocation of the object at InputLocation, or of an inline body."""
        name = request["EndpointName"]
        running = self._endpoints.find(name)
        if running is None or running.route is None:
            raise InvalidInvocation(f"Endpoint {name} of account {self._account} not found.")
        config = running.spec.asynchronous
        if not config:
            raise InvalidInvocation(f"Endpoint {name} is not an asynchronous endpoint: it takes InvokeEndpoint only.")
        body = request.get("Body") or b""
        if bool(body) == ("InputLocation" in request):
            raise InvalidInvocation("Exactly one of InputLocation and Body must be specified.")
        if len(body) > _LARGEST:
            raise InvalidInvocation(f"The body of {len(body)} bytes is larger than {_LARGEST} bytes.")
        if "InputLocation" in request:
            uris.split(request["InputLocation"])
        queued = self._enqueue(request, config["OutputConfig"], body)
        self._records.put(KIND, own_invocation(queued)["_id"], queued)
        self._begin(queued)
        response = {"InferenceId": queued["InferenceId"], "OutputLocation": queued["OutputLocation"]}
        if "FailureLocation" in queued:
            response["FailureLocation"] = queued["FailureLocation"]
        return response

    def resume(self) -> None:
        """Continues with what was queued when the service ended."""
        for queued in self._found:
            self._begin(queued)

    def _enqueue(self, request: Request, output: dict[str, Any], body: bytes) -> dict[str, Any]:
        identity = str(uuid.uuid4())
        extension = request.get("S3OutputPathExtension", "")
        file = request.get("Filename", f"{identity}.out")
        queued = {name: value for name, value in request.items() if name != "Body"}
        queued |= {
            **AsynchronousInvocationRecord(_id=identity, _received=now()),
            "InferenceId": request.get("InferenceId", identity),
            "OutputLocation": uris.join(output["S3OutputPath"], extension, file),
            **AsynchronousInvocationRecord(_notify=output.get("NotificationConfig", {})),
        }
        if "S3FailurePath" in output:
            queued["FailureLocation"] = uris.join(output["S3FailurePath"], extension, f"{identity}-error.out")
        if body:
            own_invocation(queued)["_body"] = body.decode("latin-1")
        return queued

    def _begin(self, queued: dict[str, Any]) -> None:
        loop = self._endpoints.loop
        if loop is None:
            raise ServiceError("The service is not ready for invocations yet.", code="ServiceUnavailable", status=503)
        asyncio.run_coroutine_threadsafe(self._work(queued), loop)

    async def _work(self, queued: dict[str, Any]) -> None:
        """One invocation, when it is its turn."""
        loop = asyncio.get_running_loop()
        with log_failure(log, "asynchronous invocation %s", own_invocation(queued)["_id"]):
            try:
                response = await self._invoke(queued)
                kind = response.get("ContentType", "application/octet-stream")
                await loop.run_in_executor(None, self._succeed, queued, {**response, "ContentType": kind})
            except ServiceError as error:
                await loop.run_in_executor(None, self._fail, queued, error)
            except Exception:
                log.exception("asynchronous invocation %s", own_invocation(queued)["_id"])
                unknown = ServiceError("An internal error occurred; the service's log has more.")
                await loop.run_in_executor(None, self._fail, queued, unknown)
        await loop.run_in_executor(None, self._records.delete, KIND, own_invocation(queued)["_id"])

    async def _invoke(self, queued: dict[str, Any]) -> Response:
        async with await self._turn(queued["EndpointName"]):
            ttl = queued.get("RequestTTLSeconds", _TTL)
            if now() - own_invocation(queued)["_received"] > ttl:
                raise InvalidInvocation(f"The request waited for more than {ttl} seconds.")
            body, kind = await asyncio.get_running_loop().run_in_executor(None, self._body, queued)
            request = {name: queued[name] for name in _PASSED if name in queued}
            return await self._invocations.invoke(
                {**kind, **request, "EndpointName": queued["EndpointName"], "Body": body},
                seconds=queued.get("InvocationTimeoutSeconds", _SECONDS), limit=_LARGEST_RESPONSE,
            )  # fmt: skip

    def _succeed(self, queued: dict[str, Any], response: dict[str, Any]) -> None:
        self._write(queued["OutputLocation"], response["Body"], response["ContentType"])
        self._notifications.notify_success(own_invocation(queued).get("_notify", {}), queued, response, now())

    def _fail(self, queued: dict[str, Any], error: ServiceError) -> None:
        log.info("asynchronous invocation %s failed: %s", own_invocation(queued)["_id"], error.message)
        if "FailureLocation" in queued:
            self._write(queued["FailureLocation"], error.message.encode(), "text/plain")
        self._notifications.notify_failure(own_invocation(queued).get("_notify", {}), queued, error, now())

    async def _turn(self, name: str) -> asyncio.Semaphore:
        """How many invocations an endpoint has at a time. Waits for an endpoint that is coming back after a restart."""
        for _ in range(600):
            running = self._endpoints.find(name)
            if running is not None and running.route is not None:
                break
            await asyncio.sleep(0.1)
        else:
            raise InvalidInvocation(f"Endpoint {name} of account {self._account} not found.")
        each = (running.spec.asynchronous or {}).get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance")
        count = (each or _PER_INSTANCE) * max(1, sum(variant.instances for variant in running.spec.variants))
        return self._turns.setdefault((name.lower(), count), asyncio.Semaphore(count))

    def _body(self, queued: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        """The input, and its content type where it is an object that has one other than S3's default.

        The SDK's asynchronous predictor sends none with its requests: its test on AWS needs that of the object.
        """
        if "_body" in queued:
            return str(own_invocation(queued)["_body"]).encode("latin-1"), {}
        bucket, key = uris.split(queued["InputLocation"])
        there = self._objects.bucket_exists(bucket)
        data = self._objects.read(bucket, key, _LARGEST_INPUT) if there else None
        if data is None:
            raise InvalidInvocation(f"Failed to download the input at s3://{bucket}/{key}: there is no such object.")
        item = self._objects.head(bucket, key)
        return data, {"ContentType": item.content_type} if item and item.content_type != DEFAULT_TYPE else {}

    def _write(self, location: str, data: bytes, content_type: str) -> None:
        bucket, key = uris.split(location)
        self._objects.put(bucket, key, data, content_type)
