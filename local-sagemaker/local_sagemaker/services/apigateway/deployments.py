"""Deployments: snapshots of an API's resources, which are all that clients ever see."""

from __future__ import annotations

from local_sagemaker.api.operations import Request, Resource, Response, operation
from local_sagemaker.clock import now
from local_sagemaker.records.own_members import ApiDeploymentRecord, own_api
from local_sagemaker.records.store import Body, public
from local_sagemaker.services.apigateway.errors import ApiBadRequest
from local_sagemaker.services.apigateway.patch_operations import patch
from local_sagemaker.services.apigateway.stages import put_stage
from local_sagemaker.services.apigateway.store import ApiStore, new_id, page


class Deployments(Resource):
    """Deployments of an API."""

    def __init__(self, *, store: ApiStore) -> None:
        self._store = store

    @operation("CreateDeployment")
    def create(self, request: Request) -> Response:
        """Takes a snapshot; with a stageName makes or moves that stage to it."""
        api = request["restApiId"]
        body = self._store.api(api)
        methods = [m for item in own_api(body)["_resources"].values() for m in item.get("resourceMethods", {}).values()]
        if not methods:
            raise ApiBadRequest("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise ApiBadRequest("No integration defined for method")
        if "canarySettings" in request:
            raise ApiBadRequest("Canary deployments are not supported by the local service.")
        made: Body = {
            "id": new_id(6),
            **({"description": request["description"]} if "description" in request else {}),
            "createdDate": now(),
            **ApiDeploymentRecord(_resources=own_api(body)["_resources"], _binary=body.get("binaryMediaTypes", [])),
        }
        self._store.add_deployment(api, made)
        if request.get("stageName"):
            stage = {**request, "deploymentId": made["id"], "description": request.get("stageDescription")}
            self._store.change(api, lambda latest: put_stage(latest, stage, replace=True))
        return public(made)

    @operation("GetDeployment")
    def get(self, request: Request) -> Response:
        """One deployment; with ``embed=apisummary`` the methods in it."""
        self._store.api(request["restApiId"])
        body = self._store.deployment(request["restApiId"], request["deploymentId"])
        if "apisummary" not in request.get("embed", ()):
            return public(body)
        summary = {
            item["path"]: {
                name: {"authorizationType": m["authorizationType"], "apiKeyRequired": m["apiKeyRequired"]}
                for name, m in item["resourceMethods"].items()
            }
            for item in own_api(body)["_resources"].values()
            if item.get("resourceMethods")
        }
        return {**public(body), "apiSummary": summary}

    @operation("GetDeployments")
    def list(self, request: Request) -> Response:
        """All deployments of an API."""
        self._store.api(request["restApiId"])
        return page([public(body) for body in self._store.deployments(request["restApiId"])], request)

    @operation("UpdateDeployment")
    def update(self, request: Request) -> Response:
        """Changes a deployment's description."""
        self._store.api(request["restApiId"])
        body = self._store.deployment(request["restApiId"], request["deploymentId"])
        patch(body, request, {"description": str})
        self._store.put_deployment(request["restApiId"], body)
        return public(body)

    @operation("DeleteDeployment")
    def delete(self, request: Request) -> Response:
        """Removes a deployment that no stage serves."""
        api, deployment = request["restApiId"], request["deploymentId"]
        stages = own_api(self._store.api(api))["_stages"].values()
        self._store.deployment(api, deployment)
        if any(stage["deploymentId"] == deployment for stage in stages):
            raise ApiBadRequest("Active stages pointing to this deployment must be moved or deleted")
        self._store.delete_deployment(api, deployment)
        return {}
