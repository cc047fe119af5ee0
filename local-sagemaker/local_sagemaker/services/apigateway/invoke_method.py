"""TestInvokeMethod: a draft method called without a deployment."""

from __future__ import annotations

import json
import time

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.http import RawRequest
from local_sagemaker.records.own_members import ApiDeploymentRecord
from local_sagemaker.services.apigateway import routing
from local_sagemaker.services.apigateway.exchange import MethodRefusal, Reply
from local_sagemaker.services.apigateway.execute_api import ExecuteApi
from local_sagemaker.services.apigateway.integrations import integration_of
from local_sagemaker.services.apigateway.store import ApiStore, method_of, resource_of

_STAGE = "test-invoke-stage"


class MethodTests(Resource):
    """Calls draft methods."""

    def __init__(self, *, store: ApiStore, door: ExecuteApi) -> None:
        self._store, self._door = store, door

    @operation("TestInvokeMethod")
    def call(self, request: Request) -> Response:
        """Runs the method's integration; authorization is not checked."""
        api = self._store.api(request["restApiId"])
        method, resource = method_of(api, request), resource_of(api, request["resourceId"])
        integration_of(method)
        path, _, query = str(request.get("pathWithQueryString", resource["path"])).partition("?")
        verb = request["httpMethod"]
        match = routing.find({"x": {**resource, "resourceMethods": {verb: method}}}, verb, path)
        route = routing.MethodRoute(resource, method, match.labels if match else {})
        headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
        raw = RawRequest(verb, path, query, headers, request.get("body", "").encode())
        stage = {
            "stageName": _STAGE,
            "variables": request.get("stageVariables", {}),
            **ApiDeploymentRecord(_binary=api.get("binaryMediaTypes", [])),
        }
        started = time.monotonic()
        try:
            reply = self._door.run(method, self._door.exchange(api["id"], stage, route, raw, path))
        except MethodRefusal as refused:
            reply = Reply(refused.status, {}, json.dumps({"message": refused.message}).encode())
        latency = int((time.monotonic() - started) * 1000)
        return {
            "status": reply.status,
            "body": reply.body.decode("utf-8", "replace"),
            "headers": reply.headers,
            "multiValueHeaders": {name: [value] for name, value in reply.headers.items()},
            "log": f"Execution log\nMethod completed with status: {reply.status}\n",
            "latency": latency,
        }
