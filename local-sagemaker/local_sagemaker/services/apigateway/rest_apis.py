"""REST APIs: create, describe, list, change, delete, tag."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import RestApiRecord, own_api
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.apigateway.errors import ApiBadRequest
from local_sagemaker.services.apigateway.patch_operations import patch
from local_sagemaker.services.apigateway.store import ApiStore, new_id, page

_PATCHED = {
    "name": str, "description": str, "binaryMediaTypes": list, "disableExecuteApiEndpoint": bool, "policy": str,
    "minimumCompressionSize": int,
}  # fmt: skip
LARGEST_COMPRESSED = 10_485_760
"""Bytes (API reference, CreateRestApi)."""
_ELSEWHERE = ("apiKeySource", "endpointConfiguration", "securityPolicy", "endpointAccessMode")
_KEPT = ("name", "description", "version", "binaryMediaTypes", "minimumCompressionSize", "policy", "tags")


class RestApis(Resource):
    """REST APIs."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("CreateRestApi")
    def create(self, request: Request) -> Response:
        """Makes an API with its root resource."""
        if "cloneFrom" in request:
            raise ApiBadRequest("cloneFrom is not supported by the local service.")
        _check_compression(request)
        root = new_id(10)
        body: Body = {
            "id": new_id(10),
            **{member: request[member] for member in _KEPT if member in request},
            "createdDate": now(),
            "apiKeySource": request.get("apiKeySource", "HEADER"),
            "endpointConfiguration": _endpoint_configuration(request),
            "disableExecuteApiEndpoint": request.get("disableExecuteApiEndpoint", False),
            "rootResourceId": root,
            **RestApiRecord(_resources={root: {"id": root, "path": "/"}}, _stages={}),
        }
        self._store.insert(body)
        return public(body)

    @operation("GetRestApi")
    def get(self, request: Request) -> Response:
        """One API."""
        return public(self._store.api(request["restApiId"]))

    @operation("GetRestApis")
    def list(self, request: Request) -> Response:
        """All APIs."""
        return page([public(body) for body in self._store.apis()], request)

    @operation("UpdateRestApi")
    def update(self, request: Request) -> Response:
        """Changes an API."""

        def change(body: Body) -> Response:
            patch(body, request, _PATCHED, _ELSEWHERE)
            _check_compression(body)
            return public(body)

        return dict(self._store.change(request["restApiId"], change))

    @operation("DeleteRestApi")
    def delete(self, request: Request) -> Response:
        """Removes an API with everything in it."""
        self._store.api(request["restApiId"])
        self._store.delete(request["restApiId"])
        return {}

    @operation("GetTags")
    def tags(self, request: Request) -> Response:
        """The tags of an API or a stage."""
        api, stage = _of_arn(request["resourceArn"])
        body = self._store.api(api)
        return {"tags": (own_api(body)["_stages"].get(stage, {}) if stage else body).get("tags", {})}

    @operation("TagResource")
    def tag(self, request: Request) -> Response:
        """Adds tags to an API or a stage."""
        api, stage = _of_arn(request["resourceArn"])
        self._store.change(api, lambda body: _tags_owner(body, stage).setdefault("tags", {}).update(request["tags"]))
        return {}

    @operation("UntagResource")
    def untag(self, request: Request) -> Response:
        """Removes tags by key."""
        api, stage = _of_arn(request["resourceArn"])

        def change(body: Body) -> None:
            for key in request["tagKeys"]:
                _tags_owner(body, stage).get("tags", {}).pop(key, None)

        self._store.change(api, change)
        return {}


def _check_compression(members: Mapping[str, Any]) -> None:
    if not 0 <= members.get("minimumCompressionSize", 0) <= LARGEST_COMPRESSED:
        raise ApiBadRequest(f"Invalid minimum compression size, must be between 0 and {LARGEST_COMPRESSED}")


def _endpoint_configuration(request: Request) -> dict[str, Any]:
    """With its defaults. A private API has both types of addresses (API reference, EndpointConfiguration)."""
    wanted = request.get("endpointConfiguration", {})
    private = wanted.get("types") == ["PRIVATE"]
    if private and wanted.get("ipAddressType") == "ipv4":
        raise ApiBadRequest("Only dualstack ipAddressType is supported for Private APIs.")
    return {"types": ["EDGE"], "ipAddressType": "dualstack" if private else "ipv4", **wanted}


def _of_arn(arn: str) -> tuple[str, str | None]:
    """API and stage of ``arn:aws:apigateway:REGION::/restapis/API[/stages/STAGE]``."""
    parts = arn.rpartition("::/restapis/")[2].split("/")
    return parts[0], parts[2] if len(parts) == 3 and parts[1] == "stages" else None


def _tags_owner(body: Body, stage: str | None) -> Body:
    if stage is None:
        return body
    if stage not in own_api(body)["_stages"]:
        raise ApiBadRequest("Invalid ARN specified in the request")
    return own_api(body)["_stages"][stage]
