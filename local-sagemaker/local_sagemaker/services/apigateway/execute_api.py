"""The door of deployed APIs: what their own clients send, signed or not, by invoke URL or by AWS's host name.

``http://127.0.0.1:PORT/_aws/execute-api/API/STAGE/PATH`` or ``https://API.execute-api.REGION.amazonaws.com/STAGE/PATH``.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from local_sagemaker.api.operations import Call
from local_sagemaker.clock import now
from local_sagemaker.config import Settings
from local_sagemaker.http import RawRequest, RawResponse
from local_sagemaker.ids import request_id
from local_sagemaker.records.own_members import ApiDeploymentRecord, own_api, own_deployment
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway import backends, routing
from local_sagemaker.services.apigateway.exchange import Exchange, MethodRefusal, Reply, internal_error
from local_sagemaker.services.apigateway.store import ApiStore

_PATH = re.compile(r"/_aws/execute-api/(?P<api>[^/]+)(?:/(?P<stage>[^/]*)(?P<path>/.*)?)?", re.DOTALL)
_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
LARGEST = 10 * 1024 * 1024
SERVICE = "execute-api"


@dataclass(frozen=True)
class Address:
    """Which stage of which API a request is for, and the path in it. `region` is None where the API's id says it."""

    api: str
    stage: str
    path: str
    region: str | None = None

    @classmethod
    def of(cls, host: str, path: str) -> Address | None:
        """None for a request that is for no API."""
        match = _PATH.fullmatch(path)
        if match:
            return cls(match["api"], match["stage"] or "", match["path"] or "/")
        by_host = _HOST.fullmatch(host.lower().partition(":")[0])
        if not by_host:
            return None
        stage, _, rest = path.removeprefix("/").partition("/")
        return cls(by_host["api"], stage, f"/{rest}", by_host["region"])


_OF_CONNECTIONS = frozenset((
    "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
))  # fmt: skip
"""Headers that say how a response is sent, which is not the function's to say."""


class ExecuteApi:
    """Serves deployed methods."""

    def __init__(self, *, store: ApiStore, call: Call, settings: Settings) -> None:
        self._store, self._call, self._settings = store, call, settings

    def has(self, api: str) -> bool:
        """Whether the region has an API with this id."""
        return self._store.find_api(api) is not None

    def respond(self, request: RawRequest) -> RawResponse:
        """The response to a client. A signature, if there is one, has been verified."""
        identity = request_id()
        try:
            reply = self._serve(request)
            if reply.status < 200:  # which no response can end with
                raise internal_error(502)
        except MethodRefusal as refused:
            body = json.dumps({"message": refused.message}).encode()
            reply = Reply(refused.status, {"Content-Type": "application/json", "x-amzn-ErrorType": refused.kind}, body)
        headers = {name: value for name, value in reply.headers.items() if name.lower() not in _OF_CONNECTIONS}
        return RawResponse(reply.status, {**headers, "x-amzn-RequestId": identity}, reply.body)

    def run(self, method: Body, exchange: Exchange) -> Reply:
        """Runs a method's integration within its time. Raises MethodRefusal."""
        integration = method["methodIntegration"]
        try:
            reply: Reply = _within(
                integration["timeoutInMillis"] / 1000, lambda: backends.run(integration, exchange, self._call)
            )
        except TimeoutError as error:
            raise MethodRefusal(504, "Endpoint request timed out", "InternalServerErrorException") from error
        if len(reply.body) > LARGEST:
            raise internal_error()
        return reply

    def exchange(self, api: str, stage: Body, route: routing.MethodRoute, request: RawRequest, path: str) -> Exchange:
        """A request with all that integrations may want to know of it."""
        pairs = parse_qsl(request.query, keep_blank_values=True)
        multiple: dict[str, list[str]] = {}
        for name, value in pairs:
            multiple.setdefault(name, []).append(value)
        headers = {name.title(): value for name, value in request.headers.items()}
        return Exchange(
            api=api,
            stage=stage["stageName"],
            variables=stage.get("variables", {}),
            resource=route.resource["path"],
            resource_id=route.resource["id"],
            http_method=request.method,
            path=path,
            labels=route.labels,
            query=dict(pairs),
            multiple=multiple,
            headers=headers,
            body=request.body,
            binary_types=tuple(own_deployment(stage).get("_binary", ())),
            context=self._context(api, stage, route, request, path, headers),
        )

    def _serve(self, request: RawRequest) -> Reply:
        address = Address.of(request.headers.get("host", ""), request.path)
        body = self._store.find_api(address.api) if address else None
        stage = own_api(body)["_stages"].get(address.stage) if body and address else None
        if address is None or body is None or stage is None or body.get("disableExecuteApiEndpoint"):
            raise MethodRefusal(403, "Forbidden", "ForbiddenException")
        deployment = self._store.deployment(address.api, stage["deploymentId"])
        route = routing.find(own_deployment(deployment)["_resources"], request.method, address.path)
        if route is None or (route.method["authorizationType"] == "AWS_IAM" and not _is_signed(request)):
            raise MethodRefusal(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
        if route.method["apiKeyRequired"]:
            raise MethodRefusal(403, "Forbidden", "ForbiddenException")  # no key is valid: keys are not supported
        if len(request.body) > LARGEST:
            raise MethodRefusal(413, "Request Too Long", "RequestTooLongException")
        served = {**stage, **ApiDeploymentRecord(_binary=own_deployment(deployment)["_binary"])}
        return self.run(route.method, self.exchange(address.api, served, route, request, address.path))

    def _context(
        self,
        api: str,
        stage: Body,
        route: routing.MethodRoute,
        request: RawRequest,
        path: str,
        headers: Mapping[str, str],
    ) -> Body:
        moment, host = now(), request.headers.get("host", "")
        return {
            "accountId": self._settings.account,
            "apiId": api,
            "deploymentId": stage.get("deploymentId"),
            "stage": stage["stageName"],
            "requestId": request_id(),
            "extendedRequestId": request_id(),
            "resourceId": route.resource["id"],
            "resourcePath": route.resource["path"],
            "httpMethod": request.method,
            "path": f"/{stage['stageName']}{path}",
            "protocol": "HTTP/1.1",
            "requestTime": datetime.fromtimestamp(moment, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(moment * 1000),
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "identity": dict.fromkeys(_IDENTITY) | {"sourceIp": "127.0.0.1", "userAgent": headers.get("User-Agent")},
        }


_IDENTITY = (
    "accessKey", "accountId", "apiKey", "apiKeyId", "caller", "cognitoAuthenticationProvider",
    "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "sourceIp", "user",
    "userAgent", "userArn",
)  # fmt: skip
"""What API Gateway says of a caller; most is known of signed requests only, and null here."""


def _is_signed(request: RawRequest) -> bool:
    """Whether there is a signature; the wire has verified it, or refused the request."""
    return request.headers.get("authorization", "").startswith("AWS4-") or "X-Amz-Signature=" in request.query


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` returns or raises; TimeoutError when that takes longer, while it continues."""
    results: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), None))
        except BaseException as error:  # handed to the code that waits
            results.put((None, error))

    threading.Thread(target=run, name="integration", daemon=True).start()
    try:
        response, error = results.get(timeout=seconds)
    except queue.Empty as late:
        raise TimeoutError from late
    if error is not None:
        raise error
    return response
