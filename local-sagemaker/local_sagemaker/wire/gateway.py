"""The way of a request, top to bottom: host, signature, operation, members, the call, the response.

Async only where bytes come and go; all else runs in a worker thread, so operations may block.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from shutil import disk_usage
from typing import Any, Protocol

from local_sagemaker.api.operations import Call
from local_sagemaker.config import Settings
from local_sagemaker.errors import NotSupported, ServiceError, says_full
from local_sagemaker.http import RawRequest, RawResponse, Receive, Send
from local_sagemaker.ids import request_id
from local_sagemaker.integers import natural
from local_sagemaker.wire import auth_errors, detect, form_upload, invocation
from local_sagemaker.wire.authentication import Authenticator, guess_service
from local_sagemaker.wire.body import from_bytes
from local_sagemaker.wire.incoming_body import (
    LIMIT,
    LIMITS,
    SMALL,
    BodyBudget,
    BodyTooLarge,
    IncomingBody,
    inflate,
)
from local_sagemaker.wire.moto_requests import check_moto_request
from local_sagemaker.wire.protocols import ERRORS, PROTOCOLS
from local_sagemaker.wire.protocols.rest import UnreadableText
from local_sagemaker.wire.request import WireRequest, WireResponse
from local_sagemaker.wire.responses import prepare, send_events, send_response
from local_sagemaker.wire.signature import AccessKeySource

log = logging.getLogger(__name__)
THREADS = 256
"""How many operations may run at once. Their bodies are here, so none of them waits for a client."""
UPLOADS = 512
"""How many uploads may be written at once; these wait for their clients, and hold up nothing but other uploads."""
LONGEST_HEADERS = 8 << 10


class OtherServices(Protocol):
    """The services that are served in raw HTTP."""

    def respond(self, service: str, request: RawRequest) -> RawResponse:
        """The response of the service with this signing name (``sts``, ``iam``)."""
        ...


class Gateway:
    """The ASGI application that speaks AWS."""

    def __init__(
        self,
        call: Callable[[str], Call],
        others: OtherServices,
        credentials: AccessKeySource,
        settings: Settings,
        *,
        unsigned: Callable[[WireRequest], str | None] = lambda _: None,
        invoke: Callable[[str], invocation.Invoke] | None = None,
    ) -> None:
        """`call` and `invoke` are given for the region that a request is signed for ("": for none).

        `unsigned` returns the service (signing name) that serves an unsigned request, None to refuse it.

        `invoke` is InvokeEndpoint as a coroutine, awaited in the event loop; without it the operation is one of `call`.
        """
        self._call = call
        self._others = others
        self._settings, self._keys = settings, credentials
        self._authenticator = Authenticator(credentials, settings, unsigned)
        self._invoke = invoke
        self._memory = BodyBudget()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="operation")
        self._uploads = ThreadPoolExecutor(UPLOADS, thread_name_prefix="upload")

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _lifespan(scope, receive, send)
            return
        request = WireRequest.from_scope(scope, from_bytes(b""))
        arriving = IncomingBody(receive, self._memory)
        try:
            response = await self._respond(scope, request, arriving)
            if not arriving.ended:
                waiting = request.headers.get("expect", "").lower() == "100-continue"
                if not await arriving.drop(waiting=waiting):
                    response.headers["Connection"] = "close"
            if isinstance(response.body, AsyncIterator):
                await send_events(send, receive, response)
            else:
                await send_response(send, response)
        finally:
            arriving.close()

    async def _respond(self, scope: Mapping[str, Any], request: WireRequest, arriving: IncomingBody) -> WireResponse:
        endpoint = invocation.endpoint_of(scope) if self._invoke is not None else None
        if endpoint is not None and self._invoke is not None:
            return await self._invocation(endpoint, self._invoke, request, arriving)
        try:
            streamed = await self._receive(request, arriving)
        except ServiceError as error:
            return self._refuse(error, request)
        threads = self._uploads if streamed else self._threads
        return await asyncio.get_running_loop().run_in_executor(threads, self.respond, request)

    async def _receive(self, request: WireRequest, arriving: IncomingBody) -> bool:
        """Gives the request its body; says whether that is still to come."""
        header = request.headers.get("content-length", "")
        length = natural(header)
        if not length and "transfer-encoding" not in request.headers:
            arriving.ended = True
            return False
        if length is not None and length <= SMALL:
            request.body = from_bytes(await arriving.whole(SMALL))
            return False
        self._authenticator.refuse_foreign_host(request)
        service = "s3" if form_upload.is_form(request) else self._authenticator.find_service(request)
        if service == "s3":
            request.body = arriving.stream(length)
            return True
        limit = LIMITS.get(service, LIMIT)
        if length is not None and length > limit:
            raise BodyTooLarge(service, limit)
        request.body = from_bytes(await arriving.whole(limit, service))
        return False

    def _refuse(self, error: ServiceError, request: WireRequest) -> WireResponse:
        """The response to a request whose body was not wanted."""
        identity, service = request_id(), guess_service(request)
        response = self._error_response(error, request, service, None, identity)
        _identify(response, service, identity)
        return response

    async def _invocation(
        self, endpoint: str, invoke: Callable[[str], invocation.Invoke], request: WireRequest, arriving: IncomingBody
    ) -> WireResponse:
        """The response to InvokeEndpoint; never raises."""
        identity = request_id()
        try:
            self._authenticator.refuse_foreign_host(request)
            if (natural(request.headers.get("content-length", "")) or SMALL) >= SMALL:
                self._authenticator.find_service(request)
            try:
                request.body = from_bytes(await arriving.whole(invocation.VERIFIED))
            except BodyTooLarge as error:
                raise invocation.too_large() from error
            self._authenticator.service(request)
            response = invocation.respond(await invoke(request.region)(invocation.members(endpoint, request)))
        except ServiceError as error:
            response = ERRORS["rest-json"](error, request, identity)
        except Exception:
            log.exception("request %s failed: %s", identity, invocation.NAME)
            text = f"An internal error occurred; the service's log has more under request {identity}."
            response = ERRORS["rest-json"](ServiceError(text), request, identity)
        response.headers["x-amzn-RequestId"] = identity
        return response

    def respond(self, request: WireRequest) -> WireResponse:
        """The response to one request; never raises."""
        identity = request_id()
        service, target = "", None
        try:
            self._authenticator.refuse_foreign_host(request)
            if form_upload.is_form(request):
                service = "s3"
                result = form_upload.respond(request, self._call, self._keys)
                _identify(result, service, identity)
                return result
            service = self._authenticator.service(request)
            if service == "s3":
                _check_headers(request)
            if detect.is_unmodelled(service):
                result = self._call_other_service(service, request)
            else:
                target = detect.find(service, request)
                protocol = PROTOCOLS[target.protocol]
                response = self._call(request.region)(target.name, _parse(request, target))
                result = protocol.respond(response, target)
            result = prepare(result)
        except ServiceError as error:
            service = service or guess_service(request)
            result = prepare(self._error_response(error, request, service, target, identity))
        except Exception as error:
            service = service or guess_service(request)
            log.exception("request %s failed: %s %s", identity, request.method, target.name if target else request.path)
            result = prepare(
                self._error_response(
                    self._unexpected_error(error, service, identity), request, service, target, identity
                )
            )
        _identify(result, service, identity)
        return result

    def _unexpected_error(self, error: Exception, service: str, identity: str) -> ServiceError:
        """What a client sees of an error that no operation words. Clients do not retry a full disk (status 507)."""
        if says_full(error):
            home = self._settings.home
            free = disk_usage(home).free / 1e6
            return ServiceError(
                f"The disk is full ({error}); nothing was changed. {home} has {free:.1f} MB free. "
                "Free some space, or move the state folder with LOCAL_SAGEMAKER_HOME.",
                code="InsufficientCapacity",
                status=507,
            )
        text = f"An internal error occurred; the service's log has more under request {identity}."
        return ServiceError(text, code="InternalError" if service == "s3" else "InternalFailure")

    def _call_other_service(self, service: str, request: WireRequest) -> WireResponse:
        headers, body = inflate(service, request.headers, request.body.whole())
        check_moto_request(service, request, body)
        raw = RawRequest(request.method, request.path, request.query, headers, body)
        response = self._others.respond(service, raw)
        return WireResponse(response.status, dict(response.headers), response.body)

    def _error_response(
        self, error: ServiceError, request: WireRequest, service: str, target: detect.Target | None, identity: str
    ) -> WireResponse:
        if isinstance(error, NotSupported) and detect.SUPPORT not in error.message:
            error = NotSupported(f"{error.message} {detect.SUPPORT} lists what is.")
        return ERRORS[_protocol(request, service, target)](error, request, _format_id(service, identity))


def _check_headers(request: WireRequest) -> None:
    """S3 takes 8 KB of headers (user guide, "Working with object metadata")."""
    headers = request.headers
    size = sum(map(len, headers)) + sum(map(len, headers.values())) + 4 * len(headers)
    if size > LONGEST_HEADERS:
        error = ServiceError(
            "Your request header section exceeds the maximum allowed size.",
            code="RequestHeaderSectionTooLarge",
            status=400,
        )
        error.detail = {"MaxSizeAllowed": str(LONGEST_HEADERS)}  # type: ignore[attr-defined]
        raise error


def _format_id(service: str, identity: str) -> str:
    """A request's id in the form of its service: S3's are 16 capitals."""
    return identity.replace("-", "")[:16].upper() if service == "s3" else identity


def _identify(response: WireResponse, service: str, identity: str) -> None:
    if service == "s3":
        response.headers["x-amz-request-id"] = _format_id(service, identity)
        response.headers["x-amz-id-2"] = identity
    else:
        response.headers.setdefault("x-amzn-RequestId", identity)


def _parse(request: WireRequest, target: detect.Target) -> dict[str, Any]:
    try:
        return PROTOCOLS[target.protocol].parse(request, target)
    except UnreadableText as error:
        if target.service != "s3":
            raise ServiceError(
                f"The request can't be read: {error}", code="SerializationException", status=400
            ) from error
        if error.place in ("Key", "Bucket"):
            raise ServiceError("Couldn't parse the specified URI.", code="InvalidURI", status=400) from error
        raise ServiceError(f"The header {error}.", code="InvalidArgument", status=400) from error
    except ValueError as error:  # text that is no base64 or no JSON inside a header
        raise ServiceError(f"The request can't be read: {error}", code="SerializationException", status=400) from error


def _protocol(request: WireRequest, service: str, target: detect.Target | None) -> str:
    """The protocol that the client expects an error in."""
    if target is not None:
        return target.protocol
    if service == "s3":
        return "rest-xml"
    if "x-amz-target" in request.headers:
        return "json"
    return "query" if auth_errors.is_query(request) else "rest-json"


async def _lifespan(scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
