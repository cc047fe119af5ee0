"""Stages: which deployment is served under which name, with which variables."""

from __future__ import annotations

import re

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import own_api
from local_sagemaker.records.store import Body
from local_sagemaker.services.apigateway.errors import ApiBadRequest, ApiConflict, ApiNotFound
from local_sagemaker.services.apigateway.patch_operations import patch
from local_sagemaker.services.apigateway.store import ApiStore

_PATCHED = {"deploymentId": str, "description": str, "variables": dict, "tracingEnabled": bool}
_ELSEWHERE = (
    "accessLogSettings", "cacheClusterEnabled", "cacheClusterSize", "canarySettings", "clientCertificateId",
    "documentationVersion", "*",
)  # fmt: skip


class Stages(Resource):
    """Stages of an API."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("CreateStage")
    def create(self, request: Request) -> Response:
        """Makes a stage."""
        self._store.api(request["restApiId"])
        self._store.deployment(request["restApiId"], request["deploymentId"])
        return dict(self._store.change(request["restApiId"], lambda body: put_stage(body, request, replace=False)))

    @operation("GetStage")
    def get(self, request: Request) -> Response:
        """One stage."""
        return _stage(self._store.api(request["restApiId"]), request["stageName"])

    @operation("GetStages")
    def list(self, request: Request) -> Response:
        """The stages of an API, or those of one deployment."""
        wanted = request.get("deploymentId")
        stages = own_api(self._store.api(request["restApiId"]))["_stages"].values()
        return {"item": [stage for stage in stages if wanted in (None, stage["deploymentId"])]}

    @operation("UpdateStage")
    def update(self, request: Request) -> Response:
        """Changes a stage; its deployment at once."""
        api = request["restApiId"]

        def change(body: Body) -> Body:
            stage = _stage(body, request["stageName"])
            patch(stage, request, _PATCHED, _ELSEWHERE)
            self._store.deployment(api, stage["deploymentId"])
            stage["lastUpdatedDate"] = now()
            return stage

        return dict(self._store.change(api, change))

    @operation("DeleteStage")
    def delete(self, request: Request) -> Response:
        """Removes a stage."""

        def change(body: Body) -> None:
            _stage(body, request["stageName"])
            del own_api(body)["_stages"][request["stageName"]]

        self._store.change(request["restApiId"], change)
        return {}


def put_stage(body: Body, request: Request, *, replace: bool) -> Body:
    """Makes a stage of an API's record, or moves it to another deployment."""
    name = request["stageName"]
    if not re.fullmatch(r"[A-Za-z0-9_-]+|\$default", name):
        raise ApiBadRequest("Stage name only allows a-zA-Z0-9_-")
    if "canarySettings" in request:
        raise ApiBadRequest("Canary deployments are not supported by the local service.")
    known = own_api(body)["_stages"].get(name)
    if known and not replace:
        raise ApiConflict("Stage already exists")
    members = {member: request[member] for member in ("description", "variables", "tags") if request.get(member)}
    moment = now()
    made: Body = {
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": request.get("tracingEnabled", False),
        "createdDate": moment,
        **(known or {}),
        **members,
        "stageName": name,
        "deploymentId": request["deploymentId"],
        "lastUpdatedDate": moment,
    }
    own_api(body)["_stages"][name] = made
    return made


def _stage(body: Body, name: str) -> Body:
    if name not in own_api(body)["_stages"]:
        raise ApiNotFound("Invalid stage identifier specified")
    return own_api(body)["_stages"][name]
